"""What every file is made of, what was checked on it and what it computes. Pure: results to a formatted table."""

from collections.abc import Iterator

from common.numbers import ABSENT, count, decimal, listed, megabytes, percent
from common.schema.results import Results, VariantResult
from common.schema.tflite import Proof
from jobs.report.blocks import Tone
from jobs.report.document import Cell, Column, Row, Section, Table
from jobs.report.names import variant_labels

MACS_PER_MILLION = 1_000_000


def section(results: Results) -> Section | None:
    """The folded chapter about the files; None where nothing is known of any. Recipes and reasons stand in the parts of
    the variants."""
    known = [v for v in results.variants if v.promises_total is not None or v.proof is not None]
    if not known:
        return None
    labels = variant_labels(results)
    columns = (
        Column("Checks passed", numeric=False),
        Column("File (bytes)"),
        Column("MACs (millions)"),
        Column("MACs in int8"),
        Column("Weights (MB)"),
        Column("Float islands"),
        Column("Not delegated by XNNPACK"),
    )
    rows = tuple(Row(labels[variant.name], _cells(variant)) for variant in known)
    table = Table("Checks on the files", "Variant", columns, rows, tuple(_notes(known)))
    return Section("files", "Files", (), (table,), folded=True)


def _notes(known: list[VariantResult]) -> Iterator[str]:
    yield "Download sizes are those in a zip or an app package, by DEFLATE at level 6."
    sources = "; ".join(dict.fromkeys(v.proof.source.text for v in known if v.proof is not None))
    if sources:
        yield (
            "MACs are the multiply-accumulates of one inference; a float island is a group of connected float "
            "operators in a quantised file. What XNNPACK leaves to LiteRT's built-in kernels is told "
            f"{sources}."
        )


def _cells(variant: VariantResult) -> tuple[Cell, ...]:
    return (_promises(variant), Cell(str(variant.size_bytes)), *_computed(variant.proof))


def _promises(variant: VariantResult) -> Cell:
    kept, total = variant.promises_kept, variant.promises_total
    if kept is None or total is None:
        return Cell(ABSENT)
    return Cell(f"{kept} of {total}", f"{total - kept} waived" if variant.waived else "", _tone(variant))


def _tone(variant: VariantResult) -> Tone:
    return "problem" if variant.waived else "plain"


def uncounted(proof: Proof) -> str:
    """The operators whose multiply-accumulates the file does not tell, with the reasons; empty where it tells all."""
    return listed(
        tuple(f"{count(each.count, each.operator, each.operator)} ({each.reason})" for each in proof.uncounted)
    )


def _computed(proof: Proof | None) -> tuple[Cell, ...]:
    if proof is None:
        return (Cell(ABSENT),) * 5
    share = proof.int8_mac_share
    left, unsure = proof.count("leaves"), proof.count("not sure")
    unknown = uncounted(proof)
    macs = decimal(proof.macs / MACS_PER_MILLION)
    return (
        Cell(f"at least {macs}" if unknown else macs, f"not counted: {unknown}" if unknown else ""),
        Cell(ABSENT if share is None else percent(share), "of those that can be counted" if unknown else ""),
        Cell(megabytes(proof.weight_bytes)),
        Cell(str(len(proof.float_islands) or "none")),
        Cell("none" if not left else count(left, "operator"), f"{unsure} not sure" if unsure else ""),
    )
