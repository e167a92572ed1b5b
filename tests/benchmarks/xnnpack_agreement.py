"""What the rules on XNNPACK say of public .tflite files, beside what LiteRT does with them, operator by operator.

    python -m tests.benchmarks.xnnpack_agreement <folder> [--all] [--jobs 2]

<folder> holds the files of `many_files.toml`, under any name: they are known by their sha256. `--all` takes every
other .tflite file there as well. LiteRT is asked in a process of its own for each file, twice: with every operator
that XNNPACK takes kept apart, as edgeproof asks, and with neighbours joined, as it runs. The second shows the
operators that lead to an output of what XNNPACK takes; where it differs from the first, that one is wrong. Prints a
row per operator, then every disagreement and why files were not asked. Ends with 1 where a verdict that is told as
sure is not what the runtime does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from common.errors import EdgeproofError
from common.markdown import code, table
from common.schema.tflite import Operator, RulesAlone
from common.tflite.delegated import asked
from common.tflite.reader import inspect
from tests.benchmarks.many_files import found

LIMIT_S = 120
HEAD = ("operator", "files", "operators", "taken", "rules agree", "not sure: taken", "not sure: left", "not answered")
JOINED = """
import json, resource, sys
from ai_edge_litert.interpreter import Interpreter
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
nodes = interpreter._get_ops_details()
json.dump([[n["op_name"], *([int(i) for i in n[side] if i >= 0] for side in ("inputs", "outputs"))] for n in nodes],
          open(sys.argv[2], "w"))
"""


@dataclass
class Tally:
    """What became of all operators of a name."""

    files: int = 0
    operators: int = 0
    taken: int = 0
    unsure_taken: int = 0
    unsure_left: int = 0
    open: int = 0


@dataclass
class Outcome:
    """A file: its operators, whose verdicts these are, and what is wrong with them."""

    name: str
    table: tuple[Operator, ...] = ()
    not_asked: str = ""
    wrong: list[str] = field(default_factory=list)


def joined(path: Path, operators: int) -> dict[int, bool]:
    """For operators of the main subgraph whether XNNPACK runs them, told by what stands between the ends of its
    nodes. Empty where LiteRT does not say."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "nodes.json"
        try:
            argv = [sys.executable, "-I", "-c", JOINED, str(path), str(out)]
            subprocess.run(argv, capture_output=True, timeout=LIMIT_S, check=True)
            nodes = json.loads(out.read_text(encoding="ascii"))
        except (subprocess.SubprocessError, OSError, ValueError):
            return {}
    own, added = nodes[:operators], nodes[operators:]
    taken: dict[int, bool] = dict.fromkeys(range(len(own)), False)
    for _, inputs, outputs in added:
        wanted = set(outputs)
        for index, (_, read, written) in reversed(list(enumerate(own))):
            if wanted & set(written):
                taken[index] = True
                wanted |= set(read) - set(inputs)
    return taken


def outcome(path: Path) -> Outcome:
    """One file."""
    content = path.read_bytes()
    try:
        found = asked(path, content, inspect(content))
    except EdgeproofError as error:
        return Outcome(path.name, not_asked=f"not read: {error.message}")
    if isinstance(found.proof.source, RulesAlone):
        return Outcome(path.name, found.table, not_asked=found.proof.source.why)
    main = [op for op in found.table if op.subgraph == 0]
    seen = joined(path, len(main))
    wrong = [
        f"{op.name} {op.index}: told {op.verdict}, XNNPACK runs it: {seen[op.index]}"
        for op in main
        if contradicts(op, seen)
    ]
    return Outcome(path.name, found.table, wrong=wrong)


def contradicts(operator: Operator, seen: dict[int, bool]) -> bool:
    """Whether a sure verdict, or an answer, is not what was seen. What is not seen to run may lead to no output."""
    return seen.get(operator.index, False) and (operator.verdict == "leaves" or operator.taken is False)


def tallies(outcomes: list[Outcome]) -> dict[str, Tally]:
    """By the operator's name, of files that were asked for."""
    found: dict[str, Tally] = {}
    for each in outcomes:
        if each.not_asked:
            continue
        for name in {op.name for op in each.table}:
            found.setdefault(name, Tally()).files += 1
        for op in each.table:
            tally = found[op.name]
            tally.operators += 1
            tally.open += op.taken is None
            tally.taken += op.taken is True
            tally.unsure_taken += op.verdict == "not sure" and op.taken is True
            tally.unsure_left += op.verdict == "not sure" and op.taken is False
    return found


def rows(found: dict[str, Tally]) -> Iterator[tuple[str, ...]]:
    """A row per operator, the most frequent first."""
    for name, tally in sorted(found.items(), key=lambda item: -item[1].operators):
        answered = tally.operators - tally.open
        agree = answered - tally.unsure_taken - tally.unsure_left
        figures = (tally.files, tally.operators, tally.taken, agree, tally.unsure_taken, tally.unsure_left, tally.open)
        yield code(name), *map(str, figures)


def disagreements(outcomes: list[Outcome]) -> Iterator[str]:
    """Each kind with its files."""
    told = sorted(
        (op.name, op.verdict_text, each.name) for each in outcomes for op in each.table if op.verdict == "not sure"
    )
    for (name, text), group in groupby(told, key=lambda entry: entry[:2]):
        files = Counter(file for _, _, file in group)
        yield f"{sum(files.values())} {name}: {text}, in {len(files)} files: {', '.join(list(files)[:4])}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(outcome, found(arguments.folder, every=arguments.all).values()))
    operators = tallies(outcomes)
    print(*table(HEAD, rows(operators)), sep="\n")
    print()
    print(*disagreements(outcomes), sep="\n")
    for why, count in Counter(each.not_asked for each in outcomes if each.not_asked).most_common():
        print(f"{count} not asked: {why}")
    answered = sum(tally.operators - tally.open for tally in operators.values())
    unsure = sum(tally.unsure_taken + tally.unsure_left for tally in operators.values())
    asked_for = sum(not each.not_asked for each in outcomes)
    print(f"{asked_for} of {len(outcomes)} files asked for")
    print(f"the rules agree on {answered - unsure:,} of {answered:,} operators")
    wrong = [f"{each.name}: {text}" for each in outcomes for text in each.wrong]
    print(*wrong, sep="\n")
    sys.exit(1 if wrong or not answered else 0)


if __name__ == "__main__":
    main()
