"""The recommended variant beside the reference, in the report."""

from common.numbers import ABSENT
from common.schema.examination import LayerTime
from common.schema.results import Results
from jobs.report.why import tables
from tests.unit.report.factories import NAMES, choice, latency, measurement, results


def layer(kind: str, us: float, *, delegated: bool = True) -> LayerTime:
    return LayerTime(index=0, kind=kind, name="conv2d/BiasAdd", mean_us=us, delegated=delegated)


def timed(**layers: tuple[LayerTime, ...]) -> Results:
    found = [
        measurement(name, latency(100.0, None).model_copy(update={"layers": layers.get(role, ())}), "xnnpack")
        for name, role in ((choice().reference, "reference"), (NAMES[-1], "best"))
    ]
    return results(choice=choice(), measurements=found)


def test_layers_of_both_stand_in_one_folded_table() -> None:
    found = timed(
        reference=(layer("CONV_2D", 90.0), layer("MUL", 10.0)),
        best=(layer("CONV_2D", 30.0), layer("DEQUANTIZE", 10.0, delegated=False)),
    )
    (table,) = tables(found)
    assert table.folded
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["CONV_2D", "90.0", "30.0"],
        ["MUL", "10.0", ABSENT],
        ["DEQUANTIZE", ABSENT, "10.0"],
    ]
    assert any("25% of the time" in note and "quantize and dequantize" in note for note in table.notes)


def test_without_both_there_is_no_table() -> None:
    assert list(tables(timed(best=(layer("CONV_2D", 30.0),)))) == []
    assert list(tables(results())) == []
