"""Two variants side by side, on values."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from common.schema.examination import LayerTime
from common.schema.processor import Processor
from common.schema.tflite import DomainTotal, Proof, Uncounted
from common.why import Side, align, conversion_share, outside_share, why
from tests import proofs


def layers(*given: tuple[str, float, bool]) -> tuple[LayerTime, ...]:
    return tuple(
        LayerTime(index=i, kind=kind, name=f"t{i}", mean_us=us, delegated=inside)
        for i, (kind, us, inside) in enumerate(given)
    )


def proof(**macs: int) -> Proof:
    totals = ({"domain": domain, "operators": 1, "macs": count} for domain, count in macs.items())
    return proofs.proof(*map(DomainTotal.model_validate, totals))


FLOAT = Side("baseline", layers(("CONV_2D", 90, True), ("MUL", 5, True), ("SOFTMAX", 5, True)), proof(float32=330))
INT8 = Side(
    "int8",
    layers(("QUANTIZE", 6, True), ("CONV_2D", 30, True), ("SOFTMAX", 4, False), ("DEQUANTIZE", 10, True)),
    proof(int8=100),
)


def cpu(*sets: str) -> Processor:
    return Processor(name=None, vendor=None, family=None, model=None, stepping=None, instruction_sets=sets)


def test_layers_of_one_kind_stand_beside_each_other() -> None:
    found = why(FLOAT, INT8).layers
    pairs = [(a.first and a.first.kind, a.second and a.second.kind, a.gained_us) for a in found]
    assert pairs == [
        (None, "QUANTIZE", -6),
        ("CONV_2D", "CONV_2D", 60),
        ("MUL", None, 5),
        ("SOFTMAX", "SOFTMAX", 1),
        (None, "DEQUANTIZE", -10),
    ]


def test_the_reasons_are_named() -> None:
    assert why(FLOAT, INT8, cpu("avx2")).reasons == (
        "baseline has 3.3 times the multiply-accumulates of int8",
        "int8 computes 100% of them in int8, on a processor without dot products of int8",
        "32% of the time of int8 is quantize and dequantize",
        "8% of the time of int8 is outside of the delegate",
    )
    assert "on a processor with avx512_vnni" in why(FLOAT, INT8, cpu("avx2", "avx512_vnni")).reasons[1]
    assert why(FLOAT, FLOAT, cpu("avx2")).reasons == ()


def test_work_that_cannot_be_counted_is_no_reason() -> None:
    unknown = Uncounted(operator="CUSTOM:x", reason="only its author knows what it computes", count=1)
    partly = replace(INT8, proof=INT8.proof.model_copy(update={"uncounted": (unknown,)}))
    assert not [reason for reason in why(FLOAT, partly).reasons if "multiply-accumulates" in reason]


def test_nothing_timed_has_no_shares() -> None:
    assert conversion_share(()) is None
    assert outside_share(layers(("CONV_2D", 1, False))) is None


KINDS = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.floats(0, 100), st.booleans()), max_size=8)


@given(KINDS, KINDS)
def test_every_layer_appears_once_and_in_order(
    first: list[tuple[str, float, bool]], second: list[tuple[str, float, bool]]
) -> None:
    one, other = layers(*first), layers(*second)
    found = list(align(one, other))
    assert tuple(pair.first for pair in found if pair.first) == one
    assert tuple(pair.second for pair in found if pair.second) == other
    assert all(pair.first.kind == pair.second.kind for pair in found if pair.first and pair.second)
