"""The published schema is that of the models, and what a results file holds is what it says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from common.artifact import write_model
from common.provenance import ROOT
from common.schema.results import Results
from jobs.schema.published import NAME, results_schema
from tests.unit.report import factories as f

FOLDER = ROOT / "docs" / "schema"


def test_the_published_schema_has_not_drifted() -> None:
    assert (FOLDER / NAME).read_bytes() == results_schema(), "run make schema, and tell the change in its README"


def test_every_version_is_in_the_history() -> None:
    versions = get_args(Results.model_fields["schema_version"].annotation)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [line.split(" | ")[0] for line in text.splitlines() if line[:3].strip("| ").isdigit()] == [
        f"| {version}" for version in versions
    ]


def test_the_command_writes_it(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "jobs.schema", "--output", str(tmp_path)]
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / NAME).read_bytes() == results_schema()


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
Schema = dict[str, Any]


def wrong(value: Any, schema: Schema, root: Schema, where: str = "$") -> Iterator[str]:
    """Where a value does not fit: the words of JSON Schema that the published one uses."""
    if "$ref" in schema:
        yield from wrong(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
        return
    for word in ("anyOf", "oneOf"):
        if word in schema and all(list(wrong(value, each, root, where)) for each in schema[word]):
            yield f"{where} fits none"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = schema.get("type")
    if not (number if kind in ("number", "integer") else isinstance(value, KINDS.get(str(kind), object))):
        yield f"{where} is no {kind}"
    if value not in schema.get("enum", [schema.get("const", value)]):
        yield f"{where} is {value!r}"
    if isinstance(value, dict):
        yield from _wrong_keys(value, schema, root, where)
    if isinstance(value, list) and "items" in schema:
        for place, each in enumerate(value):
            yield from wrong(each, schema["items"], root, f"{where}[{place}]")


def _wrong_keys(value: dict[str, Any], schema: Schema, root: Schema, where: str) -> Iterator[str]:
    yield from (f"{where}.{key} is missing" for key in schema.get("required", ()) if key not in value)
    others = schema.get("additionalProperties", True)
    for key, each in value.items():
        if key in schema.get("properties", {}):
            yield from wrong(each, schema["properties"][key], root, f"{where}.{key}")
        elif others is False:
            yield f"{where}.{key} is unknown"
        elif isinstance(others, dict):
            yield from wrong(each, others, root, f"{where}.{key}")


def test_results_fit_the_schema() -> None:
    schema = json.loads(results_schema())
    published = json.loads((ROOT / "tests" / "data" / "published_results.json").read_text(encoding="utf-8"))
    for data in (json.loads(f.results().model_dump_json(by_alias=True)), published):
        assert list(wrong(data, schema, schema)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"title": 3}, "$.title is no string"),
        ({"mood": "fine"}, "$.mood is unknown"),
        ({"schema_version": 9}, "$.schema_version is 9"),
        ({"variants": [{}]}, "$.variants[0].name is missing"),
    ],
)
def test_what_does_not_fit_is_seen(change: dict[str, object], told: str) -> None:
    schema = json.loads(results_schema())
    data = json.loads(f.results().model_dump_json(by_alias=True)) | change
    assert told in list(wrong(data, schema, schema))


def test_pandas_reads_a_run_in_the_line_that_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("pd.json_normalize("))
    monkeypatch.chdir(tmp_path)
    path = Path("runs/demo/report/results.json")
    path.parent.mkdir(parents=True)
    results = f.results()
    write_model(path, results)
    table = eval(line.partition("  #")[0], {"pd": pd})  # noqa: S307
    assert len(table) == len(results.measurements)
    first = results.measurements[0]
    assert (table.variant[0], table["result.latency_us"][0]) == (first.variant, getattr(first.result, "latency_us"))  # noqa: B009
