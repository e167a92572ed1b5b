"""The cost table: what is known is added up, what is not is fitted, and the table says how well."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.artifact import read, write_model
from common.errors import EdgeproofError
from common.schema.benchmark import Cell
from common.schema.costs import CostTable, Kernel, Observation, Target
from common.schema.examination import LayerTime
from jobs.benchmark.targets.host_profile import profile
from jobs.search.costs import for_target, held_out, merged, predict
from jobs.search.shapes import kernels
from tests.devices import tiny_model
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

HERE = Target(device="here", fingerprint="1" * 64, backend="xnnpack", threads=1, tool="1.0")
OVERHEAD_US = 5.0


def chain(*sides: int, last: str = "TANH") -> bytes:
    """Dense layers in a row, of these sides, and an operator of one input."""
    tensors, steps, buffers = [tensor("x", (1, sides[0]), "FLOAT32")], [], []
    for number, (columns, rows) in enumerate(zip(sides, sides[1:], strict=False), start=1):
        buffers.append(bytes(4 * rows * columns))
        tensors.append(tensor(f"w{number}", (rows, columns), "FLOAT32", number))
        tensors.append(tensor(f"y{number}", (1, rows), "FLOAT32"))
        steps.append(operator(0, (2 * number - 2, 2 * number - 1, -1), (2 * number,)))
    tensors.append(tensor("out", (1, sides[-1]), "FLOAT32"))
    steps.append(operator(1, (len(tensors) - 2,), (len(tensors) - 1,)))
    return packed(model([graph(tensors, steps, (0,), (len(tensors) - 1,))], ["FULLY_CONNECTED", last], buffers))


def linear(kernel: Kernel) -> float:
    """Microseconds on a machine whose costs are as the model has them."""
    return 3.0 + (kernel.macs or 0) / 1000 + kernel.bytes / 2000


def observed(content: bytes, cost: Callable[[Kernel], float] = linear, name: str = "file") -> Observation:
    times = [cost(kernel) for kernel in kernels(content)]
    layers = tuple(
        LayerTime(index=index, kind="K", name="", mean_us=us, delegated=True) for index, us in enumerate(times)
    )
    return Observation(name=name, content=content, layers=layers, latency_us=sum(times) + OVERHEAD_US)


def table(*observations: Observation) -> CostTable:
    return merged(CostTable(target=HERE), observations)


FILES = (chain(8, 16, 4), chain(16, 16, 16), chain(4, 64, 8), chain(32, 8), chain(128, 64, 32, 2))
NOISY = st.lists(st.tuples(st.sampled_from(FILES), st.floats(0.5, 2.0)), min_size=1, max_size=8)


@settings(deadline=None)
@given(NOISY, st.randoms(use_true_random=False), st.integers(0, 8))
def test_the_order_of_observations_does_not_matter(drawn: list[tuple[bytes, float]], random: object, cut: int) -> None:
    found = [observed(content, lambda kernel, by=by: by * linear(kernel)) for content, by in drawn]  # type: ignore[misc]
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    in_parts = merged(table(*shuffled[:cut]), shuffled[cut:])
    assert in_parts == table(*found)


@settings(deadline=None)
@given(NOISY)
def test_a_file_of_known_kernels_takes_their_medians_and_the_overhead(drawn: list[tuple[bytes, float]]) -> None:
    found = [observed(content, lambda kernel, by=by: by * linear(kernel)) for content, by in drawn]  # type: ignore[misc]
    seen = [(kernel.key, layer.mean_us) for one in found for kernel, layer in zip(kernels(one.content), one.layers)]
    for content, _ in drawn:
        medians = [median(us for key, us in seen if key == kernel.key) for kernel in kernels(content)]
        told = predict(table(*found), content)
        assert told.us == pytest.approx(sum(medians) + OVERHEAD_US)
        assert told.known_share == pytest.approx(1.0)


def test_a_kernel_that_was_not_measured_is_fitted_on_those_of_its_kind() -> None:
    known, asked = table(*map(observed, FILES[:4])), chain(48, 24)
    [dense, tanh] = kernels(asked)
    told = predict(known, asked)
    # TANHs and dense layers of other sides: nothing of this file was measured.
    assert told.us == pytest.approx(linear(dense) + linear(tanh) + OVERHEAD_US, rel=1e-6)
    assert told.known_share == 0.0


def test_the_known_share_is_that_of_the_time() -> None:
    asked = chain(48, 16, 4)
    new, *old = kernels(asked)
    told = predict(table(*map(observed, FILES)), asked)
    share = sum(map(linear, old)) / sum(map(linear, (new, *old)))
    assert 0.2 < share < 0.8
    assert told.known_share == pytest.approx(share, rel=1e-6)


def test_an_operator_that_was_never_measured_takes_what_others_of_its_numbers_do() -> None:
    asked = chain(8, 16, 4, last="LOGISTIC")
    told = predict(table(*map(observed, FILES)), asked)
    assert told.us == pytest.approx(sum(map(linear, kernels(asked))) + OVERHEAD_US, rel=1e-6)
    assert 0 < told.known_share < 1


def test_nothing_is_said_where_nothing_was_measured() -> None:
    told = predict(CostTable(target=HERE), FILES[0])
    assert (told.us, told.known_share) == (None, 0.0)


@pytest.mark.parametrize(
    "change",
    [{"device": "there"}, {"fingerprint": "2" * 64}, {"backend": "cpu"}, {"threads": 2}, {"tool": "1.1"}],
)
def test_times_of_another_target_are_not_mixed_in(change: dict[str, object]) -> None:
    kept, there = table(observed(FILES[0])), HERE.model_copy(update=change)
    assert for_target(kept, HERE) == kept
    assert for_target(kept, there) == for_target(None, there) == CostTable(target=there)


def test_a_table_is_kept_in_a_file(tmp_path: Path) -> None:
    known = table(*map(observed, FILES))
    write_model(tmp_path / "costs.json", known)
    kept = read(tmp_path / "costs.json", CostTable)
    assert kept == known
    assert predict(kept, chain(48, 24)) == predict(known, chain(48, 24))


def test_files_are_predicted_by_those_that_they_are_not() -> None:
    told = held_out([*map(observed, FILES)])
    assert told.spearman == pytest.approx(1.0)
    assert told.median_error == pytest.approx(0.0, abs=0.01)
    assert told.n == len(FILES)


def test_a_file_does_not_predict_its_own_copy() -> None:
    # Nothing of the slow one is seen in the others: only its copy would tell.
    copies = [observed(chain(48, 24), lambda kernel: 100 * linear(kernel), name) for name in "abc"]
    told = held_out([*map(observed, FILES[:2]), *copies])
    assert told.median_error is not None
    assert told.median_error > 0.9


def test_of_three_files_nothing_is_said() -> None:
    told = held_out([observed(content) for content in FILES[:3]])
    assert (told.spearman, told.median_error, told.n) == (None, None, 3)


def test_files_that_take_the_same_have_no_ranks() -> None:
    told = held_out([observed(FILES[0], lambda _: 1.0, name) for name in "abcd"] + [observed(FILES[1], lambda _: 1.0)])
    assert told.spearman is None
