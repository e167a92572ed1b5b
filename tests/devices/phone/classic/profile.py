"""Operator profiles as the tool prints them: a table, or a CSV that is not quite one."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.devices.phone.classic.numbers import g, statistics

TOP = 10
TABLE = (
    "\t                             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t"
    "[times called]\t[Name]"
)
TABLE_SUMMARY = (
    "\t                             [Node type]\t  [count]\t  [avg ms]\t    [avg %]\t    [cdf %]\t  [mem KB]\t"
    "[times called]"
)
CSV = "node type, first, avg_ms, %, cdf%, mem KB, times called, name"
CSV_SUMMARY = "node type, count, avg_ms, avg %, cdf %, mem KB, times called"


@dataclass(frozen=True)
class Node:
    """One executed node: times in milliseconds, memory in kB."""

    kind: str
    name: str
    first_ms: float
    avg_ms: float
    memory_kb: int = 0


def profile(nodes: Sequence[Node], samples: Sequence[int], csv: bool) -> str:
    """The three tables of one phase; `samples` are the phase's totals in microseconds."""
    total = sum(node.avg_ms for node in nodes) or 1.0
    ordered = sorted(nodes, key=lambda node: -node.avg_ms)[:TOP]
    head = CSV if csv else TABLE
    return "\n".join(
        [
            _banner("Run Order"),
            head,
            *_rows(nodes, total, csv),
            "",
            _banner("Top by Computation Time"),
            head,
            *_rows(ordered, total, csv),
            "",
            f"Number of nodes executed: {len(nodes)}",
            _banner("Summary by node type"),
            CSV_SUMMARY if csv else TABLE_SUMMARY,
            *_summary(nodes, csv),
            "",
            f"Timings (microseconds): {statistics(samples, percentiles=False)}",
            "Memory (bytes): count=0",
            f"{len(nodes)} nodes observed\n\n\n",
        ]
    )


def _banner(title: str) -> str:
    return f"{'=' * 30} {title} {'=' * 30}"


def _rows(nodes: Sequence[Node], total: float, csv: bool) -> list[str]:
    rows, reached = [], 0.0
    for node in nodes:
        share = 100 * node.avg_ms / total
        reached += share
        if csv:
            name = node.name.replace(",", "\t")
            numbers = f"{g(node.first_ms)}, {g(node.avg_ms)}, {g(share)}%, {g(reached)}%, {node.memory_kb}, 1"
            rows.append(f"{node.kind}, {numbers}, {name}")
        else:
            rows.append(
                f"\t{node.kind:>40}\t{node.first_ms:9.3f}\t{node.avg_ms:9.3f}\t{share:7.3f}%\t{reached:7.3f}%\t"
                f"{node.memory_kb:10.3f}\t{1:9d}\t{node.name}"
            )
    return rows


def _summary(nodes: Sequence[Node], csv: bool) -> list[str]:
    kinds: dict[str, list[Node]] = {}
    for node in nodes:
        kinds.setdefault(node.kind, []).append(node)
    # The tool sums whole microseconds here, hence the difference to the tables above.
    sums = {kind: sum(int(node.avg_ms * 1000) for node in group) / 1000 for kind, group in kinds.items()}
    total = sum(sums.values()) or 1.0
    rows, reached = [], 0.0
    for kind, milliseconds in sorted(sums.items(), key=lambda item: (-item[1], item[0])):
        share = 100 * milliseconds / total
        reached += share
        count, memory = len(kinds[kind]), sum(node.memory_kb for node in kinds[kind])
        if csv:
            rows.append(f"{kind}, {count}, {g(milliseconds)}, {g(share)}%, {g(reached)}%, {memory}, {count}")
        else:
            rows.append(
                f"\t{kind:>40}\t{count:9d}\t{milliseconds:10.3f}\t{share:10.3f}%\t{reached:10.3f}%\t"
                f"{memory:10.3f}\t{count:9d}"
            )
    return rows
