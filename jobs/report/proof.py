"""The table of what each file computes. Pure: results to a formatted table."""

from common.numbers import ABSENT, count, decimal, megabytes, percent
from common.schema.results import Results
from common.schema.tflite import Proof
from jobs.report.document import Cell, Column, Row, Table
from jobs.report.names import variant_labels

MACS_PER_MILLION = 1_000_000


def proofs(results: Results) -> tuple[Table, ...]:
    """What was read from each variant's file; no table where no file was read."""
    read = [(variant.name, variant.proof) for variant in results.variants if variant.proof is not None]
    if not read:
        return ()
    labels = variant_labels(results)
    columns = (
        Column("MACs (millions)"),
        Column("MACs in int8"),
        Column("Weights (MB)"),
        Column("Float islands", numeric=False),
        Column("XNNPACK would not take", numeric=False),
    )
    rows = tuple(Row(labels[name], _cells(proof)) for name, proof in read)
    checked = ", ".join(dict.fromkeys(proof.xnnpack for _, proof in read))
    notes = (
        "Read from the file itself. MACs are the multiply-accumulates of one inference; a float island is a group "
        "of connected float operators in a file that has quantised ones. What XNNPACK does not take runs on "
        f"LiteRT's own kernels; these verdicts were checked with {checked}.",
    )
    return (Table("What each file computes", "Variant", columns, rows, notes),)


def _cells(proof: Proof) -> tuple[Cell, ...]:
    share = proof.int8_mac_share
    refused = sum(refusal.count for refusal in proof.refusals)
    reasons = (f"{refusal.count} {refusal.operator}: {refusal.reason}" for refusal in proof.refusals)
    return (
        Cell(decimal(proof.macs / MACS_PER_MILLION)),
        Cell(ABSENT if share is None else percent(share)),
        Cell(megabytes(proof.weight_bytes)),
        Cell(_number(len(proof.float_islands)), "; ".join(" ".join(island) for island in proof.float_islands)),
        Cell("none" if not refused else count(refused, "operator"), "; ".join(reasons)),
    )


def _number(islands: int) -> str:
    return str(islands) if islands else "none"
