"""The rows that runs on a farm leave behind: whether one is lost, doubled, wrong, or of another phone."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from common.adb.names import safe_name
from common.artifact import read
from common.schema.benchmark import Benchmark, Summary


def ledgers(run: Path, serials: Sequence[str]) -> dict[str, bytes]:
    """What the driver has of each phone, in whole lines."""
    paths = {serial: run / "benchmark" / safe_name(serial) / "ledger.jsonl" for serial in serials}
    found = {serial: path.read_bytes() for serial, path in paths.items() if path.exists()}
    return {serial: content[: content.rfind(b"\n") + 1] for serial, content in found.items()}


def wrong(run: Path, serial: str, before: bytes, variants: Iterable[str]) -> list[str]:
    """What is wrong with a phone's rows; nothing where all is well."""
    folder = run / "benchmark" / safe_name(serial)
    if not (folder / "benchmark.json").exists():
        return [f"{serial}: no benchmark.json"]
    problems = []
    content = (folder / "ledger.jsonl").read_bytes()
    if not content.startswith(before):
        problems.append(f"{serial}: lines that were there are lost")
    lines = [json.loads(line) for line in content.splitlines()]
    runs = [line for line in lines if line["kind"] == "run"]
    places = Counter(
        json.dumps([run[key] for key in ("session", "round", "segment", "attempt", "order")]) for run in runs
    )
    problems += [f"{serial}: doubled {place}" for place, count in places.items() if count > 1]
    result = read(folder / "benchmark.json", Benchmark)
    if result.target.serial != serial:
        problems.append(f"{serial}: rows of {result.target.serial}")
    cells = {row.cell for row in result.rows}
    if {cell.variant for cell in cells} != set(variants) or len(cells) != len(result.rows):
        problems.append(f"{serial}: rows of {sorted(map(str, cells))}")
    problems += [
        f"{serial}: {row.cell} is {row.result.kind}" for row in result.rows if not isinstance(row.result, Summary)
    ]
    return problems
