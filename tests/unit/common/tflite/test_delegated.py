"""The runtime asked in a process of its own: what counts as its answer, and what a file can do to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.schema.tflite import AskedRuntime, Proof, Refusal, RulesAlone
from common.tflite import ask
from common.tflite.ask import Plan, RuntimeNode
from common.tflite.delegated import MOST_GRAPHS, as_stated, asked, taken
from common.tflite.flat import parse
from common.tflite.reader import Inspection, inspect
from common.tflite.xnnpack import CHECKED_WITH
from tests.unit.common.tflite.alone import ATTENTION, F32, alone, attention, port, variable
from tests.unit.common.tflite.handmade import graph, model, operator, packed, signature, tensor

ROOT = Path(__file__).parents[4]


def told(tmp_path: Path, content: bytes) -> Inspection:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    return asked(path, content, inspect(content))


def relu(others: int = 0) -> bytes:
    """A RELU, and as many subgraphs of one SIGN each."""
    parts = [tensor("x", (1, 4), F32), tensor("y", (1, 4), F32)]
    steps = (operator(0, (0,), (1,)), operator(1, (0,), (1,)))
    graphs = [graph(parts, [steps[at > 0]], (0,), (1,)) for at in range(1 + others)]
    return packed(model(graphs, ["RELU", "SIGN"]))


def test_the_answer_names_the_runtime_that_gave_it(tmp_path: Path) -> None:
    found = told(tmp_path, variable())
    assert [operator.taken for operator in found.table] == [True] * 4
    source = found.proof.source
    assert isinstance(source, AskedRuntime)
    assert (source.runtime, source.rules, source.unasked) == (CHECKED_WITH, CHECKED_WITH, ())
    assert source.machine in source.text


def test_every_subgraph_is_asked_for_by_itself(tmp_path: Path) -> None:
    found = told(tmp_path, relu(others=2))
    assert [(operator.subgraph, operator.taken) for operator in found.table] == [(0, True), (1, False), (2, False)]


def test_the_subgraphs_of_signatures_are_asked_for_though_others_name_tensors_that_they_lack(tmp_path: Path) -> None:
    parts = [tensor(name, (1, 4), F32) for name in "xyz"]
    graphs = [
        graph(parts, (operator(0, (0, 1), (2,)),), (0, 1), (2,)),
        graph(parts[:2], (operator(1, (0,), (1,)),), (0,), (1,)),
    ]
    made = model(graphs, ["ADD", "RELU"])
    made.signatureDefs = [signature("both", 0, {"x": 0, "y": 1}, {"z": 2}), signature("one", 1, {"x": 0}, {"y": 1})]
    found = told(tmp_path, packed(made))
    assert isinstance(found.proof.source, AskedRuntime) and not found.proof.source.unasked
    assert [operator.taken for operator in found.table] == [True, True]


def test_the_subgraphs_of_loops_and_branches_are_asked_for_too(tmp_path: Path) -> None:
    # Branch 1 branches again, to 2 and 3: alone it would name subgraphs that are not there.
    switch = [tensor("if", (1,), "BOOL"), tensor("x", (1, 4), F32), tensor("y", (1, 4), F32)]
    branch = [operator(0, (0, 1), (2,), "If", thenSubgraphIndex=1, elseSubgraphIndex=2)]
    nested = [operator(0, (0, 1), (2,), "If", thenSubgraphIndex=2, elseSubgraphIndex=3)]
    inner = [tensor("x", (1, 4), F32), tensor("y", (1, 4), F32)]
    graphs = [
        graph(switch, branch, (0, 1), (2,)),
        graph([*switch, tensor("z", (1, 4), F32)], [operator(1, (1,), (3,)), *nested], (0, 1), (2,)),
        graph(inner, [operator(1, (0,), (1,))], (0,), (1,)),
        graph(inner, [operator(2, (0,), (1,))], (0,), (1,)),
    ]
    found = told(tmp_path, packed(model(graphs, ["IF", "RELU", "SIGN"])))
    assert not isinstance(found.proof.source, RulesAlone), found.proof.source
    answers = [(operator.subgraph, operator.name, operator.taken) for operator in found.table]
    assert answers[2:] == [(1, "IF", False), (2, "RELU", True), (3, "SIGN", False)]


def test_a_file_of_many_subgraphs_is_asked_for_the_first_ones(tmp_path: Path) -> None:
    found = told(tmp_path, relu(others=MOST_GRAPHS + 1))
    assert isinstance(found.proof.source, AskedRuntime)
    assert [each.graph for each in found.proof.source.unasked] == [MOST_GRAPHS, MOST_GRAPHS + 1]
    assert found.table[-1].taken is None and found.table[-1].verdict == "leaves"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (attention(f"CUSTOM:{ATTENTION}"), "one of its operators brings LiteRT down (SIGSEGV)"),
        (alone("CUSTOM:DELEGATE", [port((1, 4))], [port((1, 4))], custom=b"a"), "unresolved custom op: DELEGATE"),
        (
            alone("CONCATENATION", [port((1, 4), "INT8", 0.1), port((1, 4), "INT8", 0.2)], [port((1, 8), "INT8", 0.1)]),
            "failed to delegate CONCATENATION node #0",
        ),
    ],
)
def test_where_the_runtime_has_no_answer_the_rules_stand_alone_with_why(
    content: bytes, why: str, tmp_path: Path
) -> None:
    found = told(tmp_path, content)
    source = found.proof.source
    assert isinstance(source, RulesAlone)
    assert why in source.why and source.rules == CHECKED_WITH
    assert "\n" not in source.text
    assert {operator.taken for operator in found.table} == {None}


def test_what_stands_after_a_crash_is_not_asked(tmp_path: Path) -> None:
    parts = [tensor(name, (1, 2, 1, 4), F32) for name in "qkvy"]
    crash = graph(parts, [operator(1, (0, 1, 2), (3,))], (0, 1, 2), (3,))
    plain = graph(parts, [operator(0, (0, 1), (3,))], (0, 1, 2), (3,))
    found = told(tmp_path, packed(model([plain, crash, plain], ["MAXIMUM", f"CUSTOM:{ATTENTION}"])))
    # The whole file is loaded for its main subgraph, so that a crash in any leaves no answer at all.
    assert isinstance(found.proof.source, RulesAlone)
    assert "SIGSEGV" in found.proof.source.why


def nodes(*ends: tuple[str, tuple[int, ...], tuple[int, ...]]) -> Plan:
    return Plan(nodes=tuple(RuntimeNode(name=name, inputs=inputs, outputs=outputs) for name, inputs, outputs in ends))


def test_only_nodes_behind_the_files_own_count_whatever_their_names() -> None:
    content = alone("CUSTOM:DELEGATE", [port((1, 4))], [port((1, 4))])
    [only] = parse(content).graphs
    own = ("DELEGATE", (0,), (1,))
    assert taken(only, nodes(own)) == (False,)
    assert taken(only, nodes(own, own)) == (True,)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (nodes(("RELU", (1,), (0,))), "other operators"),
        (nodes(), "other operators"),
        (nodes(("RELU", (0,), (1,)), ("DELEGATE", (0,), ())), "joined"),
        (nodes(("RELU", (0,), (1,)), ("DELEGATE", (0,), (1,)), ("DELEGATE", (0,), (1,))), "joined"),
    ],
)
def test_nodes_that_are_not_the_files_are_no_answer(plan: Plan, why: str) -> None:
    answer = taken(parse(relu()).graphs[0], plan)
    assert isinstance(answer, str) and why in answer


def test_of_two_that_look_alike_one_that_is_taken_leaves_both_open() -> None:
    parts = [tensor(name, (1, 4), F32) for name in "xabc"]
    steps = [operator(0, (0,), (1,)), operator(1, (0,), (2,)), operator(0, (0,), (3,))]
    content = packed(model([graph(parts, steps, (0,), (3,))], ["RELU", "SIGN"]))
    own = [("", (0,), (at,)) for at in (1, 2, 3)]
    answer = taken(parse(content).graphs[0], nodes(*own, ("", (0,), ()), ("", (0,), (3,))))
    assert answer == (None, None, True)


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "runner.py"
    path.write_text(f"import json, os, subprocess, sys, time\nrequest = json.loads(sys.argv[1])\n{text}\n")
    return path


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_what_a_runtime_prints_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = '{"nodes": [{"name": "", "inputs": [0], "outputs": [1]}, {"name": "", "inputs": [0], "outputs": [1]}]}'
    monkeypatch.setattr(ask, "RUNNER", script(tmp_path, f"print({line!r})\nprint({line!r}, file=sys.stderr)"))
    source = told(tmp_path, relu()).proof.source
    assert isinstance(source, RulesAlone)


def test_a_runtime_that_hangs_is_ended_with_all_that_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'begun = subprocess.Popen(["sleep", "60"])\nopen("PIDS", "w").write(str(begun.pid))\ntime.sleep(60)'
    monkeypatch.setattr(ask, "RUNNER", script(tmp_path, text.replace("PIDS", str(tmp_path / "pids"))))
    monkeypatch.setattr(ask, "PLANS_S", 1.0)
    source = told(tmp_path, relu()).proof.source
    assert isinstance(source, RulesAlone) and "did not end within 1 s" in source.why
    assert gone(int((tmp_path / "pids").read_text(encoding="ascii")))


def test_a_runtime_is_bounded_in_processor_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        f"sys.path.insert(0, {str(ask.RUNNER.parent)!r})\nimport ask_runner\nask_runner.bound(request | {{'cpu_s': 1}})"
    )
    monkeypatch.setattr(ask, "RUNNER", script(tmp_path, f"{text}\nwhile True: pass"))
    source = told(tmp_path, relu()).proof.source
    assert isinstance(source, RulesAlone) and "more processor time" in source.why


def test_a_runtime_is_bounded_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "MEMORY_BYTES", 64 << 20)
    source = told(tmp_path, relu()).proof.source
    assert isinstance(source, RulesAlone)


def test_a_runtime_ends_with_the_process_that_asks(tmp_path: Path) -> None:
    # Nobody writes into the pipe, so that reading the file never ends.
    pipe = tmp_path / "model.tflite"
    os.mkfifo(pipe)
    line = f"from pathlib import Path; from common.tflite.ask import plans; plans(Path({str(pipe)!r}), [()])"
    asking = subprocess.Popen([sys.executable, "-c", line], cwd=ROOT)
    child = waited(lambda: children(asking.pid))
    os.kill(asking.pid, signal.SIGKILL)
    asking.wait()
    assert gone(child)


def children(pid: int) -> int | None:
    """The runner below a process, once it reads the file."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    if not found or b"ask_runner" not in Path(f"/proc/{found[0]}/cmdline").read_bytes():
        return None
    blocked = Path(f"/proc/{found[0]}/limits").read_text(encoding="ascii")
    core = next(line for line in blocked.splitlines() if line.startswith("Max file size"))
    return None if "unlimited" in core else int(found[0])


def waited(look: Callable[[], Any]) -> Any:
    for _ in range(400):
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


def asked_proof(**changes: Any) -> Proof:
    proof = inspect(variable(kind="INT32")).proof
    source = AskedRuntime(runtime="ai-edge-litert 9", machine="riscv64", rules=CHECKED_WITH)
    return proof.model_copy(update={"xnnpack": source, **changes})


def test_answers_of_another_machine_are_taken_as_they_stand() -> None:
    rules = inspect(variable(kind="INT32"))
    first, *rest = rules.proof.refusals
    answered = (first.model_copy(update={"taken": True}), *(item.model_copy(update={"taken": False}) for item in rest))
    stated = asked_proof(refusals=answered)
    assert as_stated(rules.proof, stated, rules.operators) == stated


@pytest.mark.parametrize(
    "refusals",
    [
        (),
        (Refusal(operator="VAR_HANDLE", reason="another", count=1, taken=False),),
        tuple(item.model_copy(update={"count": 7}) for item in inspect(variable(kind="INT32")).proof.refusals),
        (
            *inspect(variable(kind="INT32")).proof.refusals,
            Refusal(operator="ADD", reason=None, count=1, taken=False),
        ),
    ],
)
def test_answers_that_the_file_contradicts_do_not_follow(refusals: tuple[Refusal, ...]) -> None:
    rules = inspect(variable(kind="INT32"))
    assert as_stated(rules.proof, asked_proof(refusals=refusals), rules.operators) == rules.proof


def test_an_older_proof_names_the_rules_alone() -> None:
    older = inspect(relu()).proof.model_dump(mode="json") | {"xnnpack": "ai-edge-litert 2.1.0"}
    source = Proof.model_validate_json(json.dumps(older)).source
    assert isinstance(source, RulesAlone) and source.rules == "ai-edge-litert 2.1.0"
