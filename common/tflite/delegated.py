"""What XNNPACK takes of a file, asked of the LiteRT that is installed, beside what the rules say of it.

The runtime is asked for each subgraph in turn, in one process of its own (`ask.plans`). It is told to keep every
operator that XNNPACK takes apart, so that its nodes and the file's operators are compared one by one: nothing is
guessed, and no name counts, since a file may call an operator whatever it likes.
"""

import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from common.schema.tflite import AskedRuntime, Operator, Proof, RulesAlone, UnaskedGraph
from common.tflite.ask import NoPlan, Plan, Write, plans
from common.tflite.flat import FlatFile, Graph, parse
from common.tflite.opened import Content
from common.tflite.proof import of
from common.tflite.reader import Inspection
from common.tflite.xnnpack import CHECKED_WITH, refused

PACKAGE = "ai-edge-litert"
# A file of more is asked for these alone; some files keep hundreds of small ones for operators of their own.
MOST_GRAPHS = 32
# Bytes from a vector's start back to its length, and places of two vectors in the Model table of the schema.
LENGTH_BYTES, SUBGRAPHS, SIGNATURES = 4, 8, 18
Answer = tuple[bool | None, ...] | str


def asked(path: Path, content: Content, found: Inspection) -> Inspection:
    """`found`, which is what is in `content` and the rules' word on it, with the runtime's answers of the file at
    `path`. Where it has none, the rules stand alone, with why."""
    file = parse(content)
    answers = _answers(path, content, file)
    reasons = tuple(why for why in answers if isinstance(why, str))
    if len(reasons) == len(answers):
        alone = RulesAlone(rules=CHECKED_WITH, why=reasons[0])
        return replace(found, proof=found.proof.model_copy(update={"xnnpack": alone}))
    table = tuple(_told(found.table, answers))
    runtime = AskedRuntime(
        runtime=f"{PACKAGE} {metadata.version(PACKAGE)}",
        machine=platform.machine(),
        rules=CHECKED_WITH,
        unasked=tuple(UnaskedGraph(graph=at, why=why) for at, why in enumerate(answers) if isinstance(why, str)),
    )
    proof = found.proof.model_copy(update={"refusals": refused(of(table, found.reached)), "xnnpack": runtime})
    return replace(found, table=table, proof=proof)


def as_stated(rules: Proof, stated: Proof, operators: Mapping[str, int]) -> Proof:
    """`rules`, a file's proof without the runtime, with the answers of a runtime that `stated` has; `operators` counts
    those of the file by name.

    The answers are taken as they stand where they contradict nothing that the file and the rules say: every refusal
    is there with its reason as often as the rules have it, whatever the runtime said to it, and beside these there
    are no more operators than in the file. Otherwise `rules` as it is.
    """
    if stated.source.rules != rules.source.rules:
        return rules
    if isinstance(stated.source, RulesAlone):
        return rules.model_copy(update={"xnnpack": stated.xnnpack})
    told: Counter[str] = Counter()
    for refusal in stated.refusals:
        told[refusal.operator] += refusal.count
    beyond = any(count > operators.get(name, 0) for name, count in told.items())
    if beyond or _by_reason(rules) != _by_reason(stated) or any(item.verdict == "takes" for item in stated.refusals):
        return rules
    return rules.model_copy(update={"xnnpack": stated.xnnpack, "refusals": stated.refusals})


def _by_reason(proof: Proof) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for refusal in proof.refusals:
        if refusal.reason is not None:
            found[refusal.operator, refusal.reason] += refusal.count
    return found


def _told(table: tuple[Operator, ...], answers: tuple[Answer, ...]) -> Iterator[Operator]:
    for operator in table:
        answer = answers[operator.subgraph]
        yield operator if isinstance(answer, str) else operator.model_copy(update={"taken": answer[operator.index]})


def _answers(path: Path, content: Content, file: FlatFile) -> tuple[Answer, ...]:
    """For each subgraph whether XNNPACK takes its operators, or why that is not known."""
    cuts = [_cut(content, file, at) for at in range(min(len(file.graphs), MOST_GRAPHS))]
    said = iter(plans(path, [cut for cut in cuts if cut is not None]))
    found: list[Answer] = []
    for graph, cut in zip(file.graphs, cuts, strict=False):
        plan = NoPlan(why="it stands before the table of subgraphs") if cut is None else next(said)
        found.append(plan.why if isinstance(plan, NoPlan) else taken(graph, plan))
    beyond = len(file.graphs) - len(cuts)
    return (*found, *[f"only the first {MOST_GRAPHS} subgraphs are asked for"] * beyond)


def taken(graph: Graph, plan: Plan) -> Answer:
    """For each operator whether XNNPACK took it, None where two look alike and one of them was taken; or why the
    runtime's nodes are no answer for this graph.

    Behind the file's own nodes stands one for each operator that was taken, which reads what that operator reads, and
    writes what of its outputs is read by others or is an output of the graph.
    """
    own, added = plan.nodes[: len(graph.operators)], plan.nodes[len(graph.operators) :]
    if [(node.inputs, node.outputs) for node in own] != [(op.inputs, op.outputs) for op in graph.operators]:
        return "LiteRT holds other operators than the file"
    used = {*graph.outputs, *(index for op in graph.operators for index in op.inputs)}
    ends = [(frozenset(op.inputs) - {-1}, frozenset(op.outputs) & used - {-1}) for op in graph.operators]
    alike = Counter(ends)
    given = Counter((frozenset(node.inputs), frozenset(node.outputs)) for node in added)
    if any(count > alike[end] for end, count in given.items()):
        return "LiteRT joined operators that it was told to keep apart"
    return tuple(None if 0 < given[end] < alike[end] else given[end] > 0 for end in ends)


def _cut(content: Content, file: FlatFile, at: int) -> tuple[Write, ...] | None:
    """What makes subgraph `at` the main one, and the only one unless its operators name others; None where the format
    has no such offset. The runtime shows the nodes of the main subgraph only, and applies XNNPACK to it first."""
    if at == 0:
        return ()
    table = schema.Model.GetRootAs(content)._tab
    graphs, signatures = table.Vector(table.Offset(SUBGRAPHS)), table.Offset(SIGNATURES)
    distance = table.Indirect(graphs + LENGTH_BYTES * at) - graphs
    if distance <= 0:
        return None
    writes = [Write(graphs, distance)]
    if not _names_others(file.graphs[at]):
        writes.append(Write(graphs - LENGTH_BYTES, 1))
    if signatures:
        writes.append(Write(table.Vector(signatures) - LENGTH_BYTES, 0))
    return tuple(writes)


def _names_others(graph: Graph) -> bool:
    """Whether an operator runs another subgraph: loops, branches, calls and composites have its number in their
    options."""
    options = (op.options for op in graph.operators if op.options is not None)
    return any(name == "subgraph" or name.endswith("ubgraphIndex") for each in options for name in vars(each))
