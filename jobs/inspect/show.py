"""A report as tables on the terminal. Names come from the file and may hold anything; nothing of it is obeyed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.printable import clean
from common.schema.inspection import Comparison, FileReport, InspectReport, OutputDifference
from common.schema.tflite import Operator, Port, Proof, Tensor, Uncounted

# Rows of a table; --json has all of them.
MOST_ROWS = 60
NAME_LENGTH = 48
# Columns of text where there is no terminal that would tell.
PIPED_WIDTH = 140
ABSENT = "–"  # noqa: RUF001


def show(report: InspectReport) -> None:
    """Print a report."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH, highlight=False, markup=False, emoji=False)
    for table in tables(report):
        console.print(table)


def tables(report: InspectReport) -> Iterator[Table]:
    """The summary of all files side by side, then a single file in detail or two compared."""
    yield _summary(report.files)
    if report.comparison is None:
        (file,) = report.files
        yield _ports(file)
        if len(file.subgraphs) > 1 or len(file.signatures) > 1:
            yield _subgraphs(file)
        yield _operators(file.operators)
        yield _tensors(file.tensors)
    else:
        yield from _comparison(report.comparison)


def _table(title: str, *columns: str, numeric: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", overflow="fold")
    return table


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(Text(clean(str(cell))) for cell in cells))


def _fill(table: Table, rows: Iterable[tuple[object, ...]], count: int) -> Table:
    """The table with the first of `count` rows; the others are not even made."""
    for row in islice(rows, MOST_ROWS):
        _add(table, *row)
    if count > MOST_ROWS:
        table.caption = f"and {count - MOST_ROWS} more; --json lists all"
    return table


def _summary(files: tuple[FileReport, ...]) -> Table:
    names = [clean(_clipped(file.file.path)) for file in files]
    table = _table("What is in it", "", *names)
    # A name may equal another; columns go by position.
    for column in table.columns[1:]:
        column.justify = "left"
    for row in zip(*(_facts(file.proof) for file in files), strict=True):
        _add(table, row[0][0], *(value for _, value in row))
    return table


def _facts(proof: Proof) -> list[tuple[str, str]]:
    shares = [("MACs in int8", proof.int8_mac_share), ("operators in int8", proof.int8_operator_share)]
    refused = [f"{r.count} {r.operator} ({r.text})" for r in proof.refusals]
    islands = [" ".join(island) for island in proof.float_islands]
    return [
        ("size (bytes)", f"{proof.file_bytes:,}"),
        ("deflated (bytes)", f"{proof.deflated_bytes:,}"),
        ("weights (bytes)", f"{proof.weight_bytes:,}"),
        ("MACs", _macs(proof.macs, proof.uncounted)),
        *((what, ABSENT if share is None else f"{share:.1%}") for what, share in shares),
        ("operators", ", ".join(f"{total.operators} {total.domain}" for total in proof.domains)),
        ("float islands", f"{len(islands)}: {'; '.join(islands)}" if islands else "none"),
        ("QUANTIZE, DEQUANTIZE", f"{proof.quantize}, {proof.dequantize} ({proof.pairs} back to back)"),
        ("XNNPACK leaves", "; ".join(refused) or "none"),
        ("XNNPACK sparsely", "yes" if proof.sparse_refusal is None else f"no: {proof.sparse_refusal}"),
        ("metadata", ", ".join(proof.metadata) or "none"),
        ("faults", "; ".join(proof.faults) or "none"),
        ("XNNPACK's verdicts", proof.source.text),
    ]


def _macs(counted: int, uncounted: tuple[Uncounted, ...]) -> str:
    unknown = "; ".join(f"{each.count} {each.operator} ({each.reason})" for each in uncounted)
    if not unknown:
        return f"{counted:,}"
    return f"{counted:,} and those of {unknown}" if counted else f"unknown: {unknown}"


def _ports(file: FileReport) -> Table:
    """Those of the signatures by the names that callers use, those of the first subgraph where it has none."""
    table = _table("Inputs and outputs", "", "name", "shape", "type", "scale", "zero point")
    rows = [("input", port.name, port) for port in file.inputs] + [("output", port.name, port) for port in file.outputs]
    several = len(file.signatures) > 1
    if file.signatures:
        rows = []
    for way in file.signatures:
        of = f" of {_clipped(way.name)}" if several else ""
        rows += [(f"input{of}", named.name, named.port) for named in way.inputs]
        rows += [(f"output{of}", named.name, named.port) for named in way.outputs]
    told = ((what, _clipped(name), _sides(port), port.dtype, *_scale(port)) for what, name, port in rows)
    return _fill(table, told, len(rows))


def _sides(port: Port) -> str:
    """The shape with -1 for sides that a caller chooses."""
    return _shape(port.open_shape or port.shape)


def _subgraphs(file: FileReport) -> Table:
    numeric = ("operators", "XNNPACK leaves")
    table = _table("Subgraphs", "#", "name", "signatures", "operators", "MACs", "XNNPACK leaves", numeric=numeric)
    left = Counter(op.subgraph for op in file.operators if op.verdict == "leaves")
    ways: defaultdict[int, list[str]] = defaultdict(list)
    for way in file.signatures:
        ways[way.subgraph].append(_clipped(way.name))
    rows = (
        (
            graph.index,
            _clipped(graph.name),
            ", ".join(ways[graph.index]) or ABSENT,
            graph.operators,
            _macs(graph.macs, graph.uncounted),
            left[graph.index],
        )
        for graph in file.subgraphs
    )
    return _fill(table, rows, len(file.subgraphs))


def _scale(port: Port) -> tuple[str, str]:
    return (ABSENT, ABSENT) if port.scale is None else (f"{port.scale:.6g}", str(port.zero_point))


def _operators(operators: tuple[Operator, ...]) -> Table:
    numeric = ("MACs", "weights (bytes)")
    table = _table("Operators", "#", "operator", "types", "computes in", *numeric, "XNNPACK", numeric=numeric)
    return _fill(table, map(_operator, operators), len(operators))


def _operator(op: Operator) -> tuple[object, ...]:
    place = f"{op.subgraph}/{op.index}" if op.subgraph else op.index
    types = " → ".join(dict.fromkeys((op.input_type or ABSENT, op.output_type or ABSENT)))
    macs = "unknown" if op.macs is None else f"{op.macs:,}"
    return place, op.name, types, op.domain, macs, f"{op.weight_bytes:,}", op.verdict_text


def _tensors(tensors: tuple[Tensor, ...]) -> Table:
    numeric = ("bytes", "zeros", "values per channel")
    table = _table("Constants, the largest first", "name", "shape", "type", *numeric, "quantised", numeric=numeric)
    # What several subgraphs share is shown once.
    once = {tensor.model_copy(update={"subgraph": 0}): None for tensor in tensors}
    ordered = sorted(once, key=lambda tensor: -tensor.stored_bytes)
    rows = ((_clipped(t.name), _shape(t.shape), *_values(t), _quantised(t)) for t in ordered)
    return _fill(table, rows, len(ordered))


def _values(tensor: Tensor) -> tuple[object, ...]:
    odd = [f"{count:,} {what}" for count, what in ((tensor.nan, "NaN"), (tensor.infinite, "infinite")) if count]
    kind = ", ".join([tensor.dtype, *(["sparse"] if tensor.sparse else []), *odd])
    return kind, f"{tensor.stored_bytes:,}", f"{tensor.zeros:.1%}", tensor.unique_per_channel


def _quantised(tensor: Tensor) -> str:
    found = tensor.quantization
    if found is None:
        return ABSENT
    if found.not_finite:
        return f"{found.not_finite} of {found.scales} scales are not finite"
    if found.axis is None:
        return f"scale {found.scale_low:.4g}, zero point {found.zero_points[0]}"
    zero = f"zero point {found.zero_points[0]}" if len(found.zero_points) == 1 else "several zero points"
    block = "" if found.block is None else f" in blocks of {found.block}"
    return f"{found.scales} scales, axis {found.axis}{block}, {zero}"


def _comparison(found: Comparison) -> Iterator[Table]:
    table = _table("Numbers of operators that differ", "operator", "first", "second")
    changes = ((change.name, change.first, change.second) for change in found.operators)
    yield _fill(table, changes, len(found.operators))
    table = _table("Constants that differ", "name", "shape", "type", "bytes", "zeros", "values per channel")
    pairs = ((_clipped(c.name), _shape(c.shape), *_both(c.first, c.second)) for c in found.tensors)
    yield _fill(table, pairs, len(found.tensors))
    lone = [("first", name) for name in found.only_first] + [("second", name) for name in found.only_second]
    if lone:
        rows = ((which, _clipped(name)) for which, name in lone)
        yield _fill(_table("Constants without a partner", "file", "name"), rows, len(lone))
    yield _outputs(found)


def _both(first: Tensor, second: Tensor) -> Iterator[object]:
    for old, new in zip(_values(first), _values(second), strict=True):
        yield old if old == new else f"{old} → {new}"


def _outputs(found: Comparison) -> Table:
    table = _table("Outputs on the same random inputs", "", "")
    table.show_header = False
    if found.outputs is None:
        _add(table, "not compared", found.not_run or ABSENT)
        return table
    for drawn in found.outputs.inputs:
        kind = "whole numbers " if drawn.whole else ""
        name = _clipped(drawn.first) + ("" if drawn.first == drawn.second else f" ({_clipped(drawn.second)})")
        _add(table, f"input {name}", f"{kind}{drawn.low:.6g} to {drawn.high:.6g}: {drawn.why}")
    for row in _differences(found.outputs):
        _add(table, *row)
    return table


def _differences(found: OutputDifference) -> Iterator[tuple[str, str]]:
    odd = [("NaN", found.nan), ("infinite", found.infinite)]
    if not found.values:
        yield "largest difference", "none: the outputs hold no values"
    elif found.max_abs_difference is None:
        told = [kind for kind, counts in odd if any(counts)]
        yield "largest difference", f"{' or '.join(told)}, where the other file has another value"
    else:
        yield "largest difference", f"{found.max_abs_difference:.6g}"
    for kind, (first, second) in odd:
        if first or second:
            yield f"{kind} values", f"{first:,} of {found.values:,} in the first file, {second:,} in the second"
    if found.same_top1 is not None:
        yield "same largest output", f"{found.same_top1:.1%} of {found.samples} inputs"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"  # noqa: RUF001


def _clipped(name: str) -> str:
    # The end tells fused names apart.
    return name if len(name) <= NAME_LENGTH else f"…{name[1 - NAME_LENGTH :]}"
