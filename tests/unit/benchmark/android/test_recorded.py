"""What real phones and tools printed, each file with its public source, read by the code that reads it in a run.

`lines` are `[1 or 2, text]` of standard output and error; `log` is `logcat -v threadtime`, of which `process` is the
app's; `text` is given to a function of `common.adb.facts`. Paths and figures are neutral.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from common.adb import facts
from common.schema.outcome import Measured, Outcome
from jobs.benchmark.android import classic, reading
from jobs.benchmark.android.app import outcome
from jobs.benchmark.android.classic import Printed

FOLDER = Path(__file__).parent / "recorded"
CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def of_kind(*kinds: str) -> list[str]:
    return [name for name, case in CASES.items() if case["kind"] in kinds]


def read(case: dict[str, Any]) -> Outcome:
    if case["kind"] == "app":
        run = reading.read(case["log"], " ".join(case["args"]))
        assert run.process == case["process"]
        return outcome(run, case["backend"], "log")
    out, err = ("".join(text for stream, text in case["lines"] if stream == number) for number in (1, 2))
    return classic.parse(Printed(out, err, case["status"], "log"), case["backend"])


@pytest.mark.parametrize("name", of_kind("app", "classic"))
def test_a_recorded_run_is_read_as_it_was_meant(name: str) -> None:
    case = CASES[name]
    found, expected = read(case), case["expect"]
    kinds = expected["kind"] if isinstance(expected["kind"], list) else [expected["kind"]]
    assert found.kind in kinds, found
    for words in expected.get("reason", ()):
        assert not isinstance(found, Measured)
        assert re.search(words, found.reason), found
    for path, figure in expected.get("figures", {}).items():
        value: Any = found
        for key in path.split("."):
            value = getattr(value, key)
        assert value == pytest.approx(figure), path
    if "delegation" in expected:
        assert isinstance(found, Measured)
        assert found.delegation is not None
        told = found.delegation.model_dump()
        assert {key: told[key] for key in expected["delegation"]} == expected["delegation"]


@pytest.mark.parametrize("name", of_kind("app", "classic"))
@pytest.mark.parametrize("end", ["\r", "\r\r"])
def test_the_line_ends_of_a_terminal_change_nothing(name: str, end: str) -> None:
    """Devices before Android 7 print to one."""
    case = CASES[name]
    if case["kind"] == "app":
        printed = {**case, "log": [line + end for line in case["log"]]}
    else:
        printed = {**case, "lines": [[stream, text.replace("\n", f"{end}\n")] for stream, text in case["lines"]]}
    assert read(printed) == read(case)


@pytest.mark.parametrize("name", of_kind("classic"))
def test_what_the_arguments_are_called_is_no_reason(name: str) -> None:
    case = CASES[name]
    lines = [[stream, text.replace("m.tflite", "errors/cannot fail.tflite")] for stream, text in case["lines"]]
    assert read({**case, "lines": lines}) == read(case)


@pytest.mark.parametrize("name", of_kind("facts"))
def test_recorded_facts_are_read_as_they_were_meant(name: str) -> None:
    case = CASES[name]
    expected = case["expect"]
    if case["function"] == "free_kib":
        free = facts.free_kib(case["text"])
        assert free is not None
        low, high = expected["between"]
        assert low <= free <= high
        return
    found = {one.name: one.celsius for one in facts.temperatures(case["text"])}
    assert {name: found.get(name) for name in expected["has"]} == expected["has"]
    assert not set(expected["has_not"]) & set(found)


@pytest.mark.parametrize("name", of_kind("app"))
def test_lines_of_others_change_nothing(name: str) -> None:
    """Play services, the keyboard and the camera use the app's tag; older starts may stand in the log."""
    case = CASES[name]
    others = [
        "05-31 10:38:42.600  2167  2190 I tflite  : Replacing 12 out of 14 node(s) with delegate "
        "(TfLiteXNNPackDelegate) node, yielding 2 partitions for subgraph 0.",
        "05-31 10:38:42.600  2167  2190 E tflite  : Failed to apply GPU delegate.",
        "05-31 10:38:42.600  2167  2190 I tflite  : Memory footprint delta from the start of the tool (MB): init=1 "
        "overall=2",
        "05-31 10:38:42.600  2167  2167 E AndroidRuntime: Process: com.other, PID: 2167",
        "05-31 10:38:42.600  9000  9000 F DEBUG   : pid: 2167, tid: 2167, name: other  >>> com.other <<<",
        "05-31 10:38:42.600  1411  1500 I ActivityManager: Process com.other (pid 2167) has died: cch CRE",
        "05-31 10:38:42.600  9000  9000 F DEBUG   : signal 6 (SIGABRT), code -1 (SI_QUEUE), fault addr --------",
    ]
    stale = [line.replace(f" {case['process']} ", " 21000 ") for line in case["log"]]
    mixed = [line for own in case["log"] for line in (own, *others)]
    assert read({**case, "log": [*stale, *others, *mixed]}) == read(case)
