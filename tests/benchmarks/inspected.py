"""`python -m jobs.inspect` on public .tflite files, every figure against another reader, and the memory that it takes.

    python -m venv reader && reader/bin/pip install tflite numpy
    python -m tests.benchmarks.inspected <folder> --reader reader/bin/python [--all]

<folder> holds the files of `many_files.toml`, under any name: they are known by their sha256. `--all` takes every other
file there as well. The other reader is `independent_reader.py`. Ends with 1 where a figure differs, where a run ended
other than in figures or one line, or where a file of 1 MiB and more took more than 1.5 times its size beyond what a
small file takes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import EdgeproofError
from common.schema.inspection import FileReport, InspectReport
from common.schema.tflite import Port, Tensor
from jobs.inspect.stage import inspect_files
from tests.benchmarks.many_files import found
from tests.benchmarks.spent import spent

READER = Path(__file__).with_name("independent_reader.py")
SMALL = Path("tests/devices/tiny.tflite")
MOST_TIMES, MIB = 1.5, 1 << 20
NOT_KNOWN = "figures that the other reader does not know"


@dataclass(frozen=True)
class Ran:
    """What reading a file gave: the report, or the line in which it was refused, or what must not be. `peak_bytes` and
    `cpu_s` are of a process of its own, which files from 1 MiB on have, 0 elsewhere."""

    report: FileReport | None
    refused: str = ""
    fault: str = ""
    peak_bytes: int = 0
    cpu_s: float = 0.0


def alone(path: Path) -> Ran:
    """The tool on a file, as people call it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        cost = spent([sys.executable, "-m", "jobs.inspect", str(path), "--json", "--no-ask"], out, error)
        texts = []
        for stream in (out, error):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    took = cost.peak_bytes, cost.cpu_s
    if cost.status == 0:
        return Ran(InspectReport.model_validate_json(texts[0]).files[0], "", "", *took)
    lines = texts[1].strip().splitlines()
    if cost.status in (1, 2) and len(lines) == 1 and lines[0].startswith("error: "):
        return Ran(None, lines[0], "", *took)
    return Ran(None, "", f"ended with {cost.status}: {lines[-1] if lines else 'nothing said'}", *took)


def together(path: Path) -> Ran:
    """The same in this process, for files so small that a process would be most of it."""
    try:
        return Ran(inspect_files(path, None, ask=False).files[0])
    except EdgeproofError as error:
        return Ran(None, str(error))
    except Exception as error:  # That is what is looked for.
        return Ran(None, fault=repr(error))


def others(reader: str, paths: list[Path]) -> Iterator[dict[str, Any] | None]:
    """What the other reader has of each file, in order."""
    argv = [reader, str(READER), *map(str, paths)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            yield json.loads(line)


def _differences(report: FileReport, other: dict[str, Any], counts: Counter[str]) -> Iterator[str]:
    for what, own, theirs in _figures(report, other):
        if theirs is None:
            counts[NOT_KNOWN] += 1
        elif own == theirs or _close(own, theirs):
            counts[what] += 1
        else:
            yield f"{what}: {own!r}, other reader {theirs!r}"


def _close(own: Any, theirs: Any) -> bool:
    return isinstance(own, float) and isinstance(theirs, float) and abs(own - theirs) <= 1e-9 * max(1, abs(theirs))


def _figures(report: FileReport, other: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What a figure is, and its value by both."""
    yield "subgraphs", len(report.subgraphs), len(other["graphs"])
    yield "metadata", list(report.proof.metadata), other["metadata"]
    yield "bytes of constants", report.proof.weight_bytes, other["weight_bytes"]
    yield "deflated size", report.proof.deflated_bytes, other["deflated_bytes"]
    yield "signatures", [[way.name, way.subgraph] for way in report.signatures], other["signatures"]
    for number, graph in enumerate(other["graphs"]):
        operators = [each for each in report.operators if each.subgraph == number]
        tensors = [each for each in report.tensors if each.subgraph == number]
        yield "operators", len(operators), len(graph["operators"])
        yield "constants", len(tensors), len(graph["constants"])
        for own, (name, macs) in zip(operators, graph["operators"], strict=False):
            yield "name of an operator", own.name, name or None
            yield "MACs of an operator", "unknown" if own.macs is None else own.macs, macs
        for tensor, constant in zip(tensors, graph["constants"], strict=False):
            yield from _constant(tensor, constant)
        ports = report.subgraphs[number]
        for what, mine, theirs in (
            ("inputs", ports.inputs, graph["inputs"]),
            ("outputs", ports.outputs, graph["outputs"]),
        ):
            yield what, len(mine), len(theirs)
            for port, each in zip(mine, theirs, strict=False):
                yield from _port(port, each)


def _constant(tensor: Tensor, constant: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "name of a constant", tensor.name, constant["name"]
    yield "shape of a constant", list(tensor.shape), constant["shape"]
    yield "bytes of a constant", tensor.stored_bytes, constant["bytes"]
    yield "zeros of a constant", tensor.zeros, constant["zeros"]
    yield "distinct values of a constant", tensor.unique_per_channel, constant["unique"]
    scaled = tensor.quantization
    if scaled is None or scaled.block is None:
        yield "scales of a constant", 0 if scaled is None else scaled.scales, constant["scales"]
        yield "axis of a constant", (None if scaled is None else scaled.axis) or 0, constant["axis"] or 0
    if scaled is not None and scaled.block is None and not scaled.not_finite:
        yield "lowest scale of a constant", scaled.scale_low, constant["low"]
        yield "highest scale of a constant", scaled.scale_high, constant["high"]


def _port(port: Port, other: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "name of a port", port.name, other["name"]
    yield "shape of a port", list(port.shape), other["shape"]
    yield "open sides of a port", list(port.open_shape), other["open"]
    yield "scale of a port", port.scale or 0.0, other["scale"] or 0.0


def main() -> None:
    """Print what differs, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reader", required=True)
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    base = min(alone(SMALL).peak_bytes for _ in range(3))
    files = found(arguments.folder, every=arguments.all)
    counts: Counter[str] = Counter()
    wrong = refused = 0
    ratios, slowest = [(0.0, "none")], [(0.0, "none")]
    for (name, path), other in zip(files.items(), others(arguments.reader, list(files.values())), strict=True):
        size = path.stat().st_size
        ran = alone(path) if size >= MIB else together(path)
        faults = [ran.fault] if ran.fault else []
        if ran.report is None:
            refused += not ran.fault
        elif other is None:
            counts["files that the other reader cannot read"] += 1
        else:
            faults += _differences(ran.report, other, counts)
        wrong += len(faults)
        print(
            "".join(f"{name}: {text}\n" for text in faults or ([ran.refused] if ran.refused else [])),
            end="",
            flush=True,
        )
        ratios.append(((ran.peak_bytes - base) / size if size >= MIB else 0.0, name))
        slowest.append((ran.cpu_s, name))
    print("\n| figure | agrees |\n| --- | ---: |")
    print("\n".join(f"| {what} | {count:,} |" for what, count in sorted(counts.items())))
    print(f"\n{len(files)} files, {refused} of them refused in one line, {wrong} figures or endings wrong")
    large = sum(ratio != 0 for ratio, _ in ratios)
    print(f"a small file takes {base / MIB:.0f} MiB; of {large} files from 1 MiB on the most beyond it is")
    print(f"{max(ratios)[0]:.2f} times the file ({max(ratios)[1]})")
    print(f"most processor time: {max(slowest)[0]:.1f} s ({max(slowest)[1]})")
    sys.exit(1 if wrong or max(ratios)[0] > MOST_TIMES or not files else 0)


if __name__ == "__main__":
    main()
