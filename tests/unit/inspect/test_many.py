"""Files of many operators, ports, signatures and subgraphs: time by their number, not by its square.

At 20,000 what looks at every pair takes 4 to 40 s, and what looks at each a fraction of a second.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.ends import Ends, rows_of_tables
from common.schema.inspection import FileReport, InspectReport
from common.schema.tflite import FileSignature, NamedPort, Port, Subgraph
from common.tflite.flat import FlatFile, FlatOperator, FlatSignature, FlatTensor, Graph
from common.tflite.ports import signatures
from common.tflite.proof import groups, of
from common.tflite.quantisation import NONE
from common.tflite.work import MOST_KINDS, OTHERS, Counting
from common.tflite.xnnpack import refusals
from jobs.inspect.pairing import Paired, Side, paired
from jobs.inspect.show import tables
from jobs.inspect.stage import inspect_files

MANY, MOST_S = 20_000, 3.0
TINY = Path("tests/devices/tiny.tflite")
PORTS = tuple(Port(name=f"p{at}", shape=(1,), dtype="float32", scale=None, zero_point=None) for at in range(MANY))
NAMED = tuple(NamedPort(name=port.name, port=port) for port in PORTS)


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < MOST_S


@pytest.fixture(scope="module")
def report() -> FileReport:
    (file,) = inspect_files(TINY, None, ask=False).files
    return file


def flat(kind: str, *, constant: bool = False) -> FlatTensor:
    return FlatTensor("t", (1,), (), kind, None, NONE, 0, None, constant, False, None)


def op(name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], options: Any = None) -> FlatOperator:
    return FlatOperator(name, 1, inputs, outputs, options)


def test_a_group_that_grows_by_every_operator() -> None:
    # Each reads the chain and what another one makes, in this order and the other.
    made = [step for at in range(0, MANY, 4) for step in chain(at)]
    graph = Graph("", (), tuple(made), (), ())
    assert groups(graph, list(range(len(made)))) == [list(range(len(made)))]


def chain(at: int) -> list[FlatOperator]:
    fills = [op("FILL", (), (at + 1,)), op("FILL", (), (at + 3,))]
    return [fills[0], op("ADD", (at, at + 1), (at + 2,)), fills[1], op("ADD", (at + 3, at + 2), (at + 4,))]


def test_operators_that_unpack_constants() -> None:
    tensors = (flat("FLOAT16", constant=True), *[flat("FLOAT32")] * MANY, flat("FLOAT32"))
    unpacking = tuple(op("DEQUANTIZE", (0,), (at + 1,)) for at in range(MANY))
    assert refusals(Graph("", tensors, unpacking, (), ())) == (None,) * MANY


def test_ports_of_a_signature() -> None:
    names = {port.name: at for at, port in enumerate(PORTS)}
    graph = Graph("", (), (), tuple(range(MANY)), ())
    subgraph = Subgraph(index=0, name="", operators=0, macs=0, uncounted=(), inputs=PORTS, outputs=())
    (found,), faults = signatures(FlatFile((graph,), (), (FlatSignature("s", 0, names, {}),)), (subgraph,))
    assert (found.inputs, faults) == (NAMED, [])


def test_ports_of_two_files(report: FileReport) -> None:
    way = FileSignature(name="s", subgraph=0, macs=0, uncounted=(), inputs=NAMED, outputs=())
    turned = way.model_copy(update={"inputs": NAMED[::-1]})
    ends = (Ends(0.0, 1.0, "by nothing"),) * MANY
    sides = [
        Side(report.model_copy(update={"inputs": ports, "outputs": (), "signatures": (own,)}), ends)
        for ports, own in ((PORTS, way), (PORTS[::-1], turned))
    ]
    found = paired(*sides)
    assert isinstance(found, Paired)
    assert [each.second for each in found.inputs] == list(range(MANY))[::-1]


def test_whole_numbers_that_look_up() -> None:
    tensors = (*[flat("INT32")] * MANY, *[replace(flat("FLOAT32", constant=True), shape=(rows, 2)) for rows in (9, 5)])
    handed = tuple(op("RESHAPE", (at,), (at + 1,)) for at in range(MANY - 1))
    lookups = tuple(op("GATHER", (MANY + table, MANY - 1), ()) for table in (0, 1))
    found = rows_of_tables(Graph("", tensors, (*handed, *lookups), tuple(range(MANY)), ()))
    assert found == dict.fromkeys(range(MANY), 5)


def test_signatures_of_two_files(report: FileReport) -> None:
    named = tuple(NamedPort(name=f"{at}", port=report.inputs[0]) for at in range(2))
    ways = tuple(
        FileSignature(name=f"{at}", subgraph=0, macs=0, uncounted=(), inputs=named[at % 2 :][:1], outputs=())
        for at in range(MANY // 4)
    )
    file = report.model_copy(update={"signatures": ways, "outputs": ()})
    assert isinstance(paired(*[Side(file, (Ends(0.0, 1.0, ""),))] * 2), Paired)


def test_subgraphs_on_the_terminal(report: FileReport) -> None:
    graph = report.subgraphs[0]
    several = report.model_copy(
        update={
            "operators": tuple(report.operators[0].model_copy(update={"subgraph": at}) for at in range(MANY // 2)),
            "subgraphs": tuple(graph.model_copy(update={"index": at}) for at in range(MANY // 2)),
        }
    )
    shown = list(tables(InspectReport(files=(several,), comparison=None)))
    assert [table.caption for table in shown if table.title == "Subgraphs"] == ["and 9940 more; --json lists all"]


def test_operators_of_the_subgraphs_that_are_reached(report: FileReport) -> None:
    first, last = (report.operators[0].model_copy(update={"subgraph": at}) for at in (0, MANY - 1))
    assert of((first, last) * MANY, tuple(range(1, MANY))) == (last,) * MANY


def test_kinds_that_cannot_be_counted_are_named_up_to_a_number() -> None:
    unknown = tuple(op(f"CUSTOM:{at}", (), ()) for at in range(MANY // 2))
    calls = (op("CALL", (), (), Called(1)),) * (MANY // 4)
    inner = Graph("", (), unknown, (), ())
    found = Counting(FlatFile((replace(inner, operators=calls), inner), ())).graph(0).uncounted
    assert len(found) == MOST_KINDS + 1
    assert found[OTHERS] == (len(unknown) - MOST_KINDS) * len(calls)
    assert found.total() == len(unknown) * len(calls)


class Called:
    """Options of a CALL."""

    def __init__(self, subgraph: int) -> None:
        self.subgraph = subgraph
