"""The cost table: what is known is added up, what is not is fitted, and the table says how well."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.artifact import read, write_model
from common.schema.benchmark import Cell
from common.schema.costs import CostTable, Kernel, Observation, Target
from common.schema.examination import LayerTime
from jobs.benchmark.targets.host_profile import profile
from jobs.search.costs import held_out, merged, predict
from jobs.search.shapes import kernels
from tests.devices import tiny_model
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

HERE = Target(device="here", fingerprint="1" * 64, backend="xnnpack", threads=1, tool="1.0")
Cost = Callable[[Kernel], float]


def chain(*sides: int, last: str = "TANH") -> bytes:
    """Dense layers in a row, of these sides, and an operator of one input."""
    tensors, steps, buffers = [tensor("x", (1, sides[0]), "FLOAT32")], [], []
    for number, (columns, rows) in enumerate(pairwise(sides), start=1):
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


def times(by: float) -> Cost:
    return lambda kernel: by * linear(kernel)


def observed(content: bytes, cost: Cost = linear, *, disturbed: float = 1.0, name: str = "file") -> Observation:
    """A file that takes what its kernels do; while it was profiled the machine was so many times slower."""
    spent = [cost(kernel) for kernel in kernels(content)]
    layers = tuple(
        LayerTime(index=index, kind="", name="", mean_us=us * disturbed, delegated=True)
        for index, us in enumerate(spent)
    )
    return Observation(name=name, content=content, layers=layers, latency_us=sum(spent))


def table(*observations: Observation) -> CostTable:
    return merged(CostTable(target=HERE), observations)


FILES = (chain(8, 16, 4), chain(16, 16, 16), chain(4, 64, 8), chain(32, 8), chain(128, 64, 32, 2))
NOISY = st.lists(st.tuples(st.sampled_from(FILES), st.floats(0.5, 2.0)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=25)
@given(NOISY, st.integers(0, 99), st.integers(0, 6))
def test_the_order_of_observations_does_not_matter(drawn: list[tuple[bytes, float]], seed: int, cut: int) -> None:
    found = [observed(content, times(by)) for content, by in drawn]
    shuffled = random.Random(seed).sample(found, len(found))  # noqa: S311
    assert merged(table(*shuffled[:cut]), shuffled[cut:]) == table(*found)


@settings(deadline=None, max_examples=25)
@given(NOISY)
def test_a_file_of_known_kernels_takes_the_sum_of_their_medians(drawn: list[tuple[bytes, float]]) -> None:
    found = [observed(content, times(by)) for content, by in drawn]
    known, seen = table(*found), [(each.key, times(by)(each)) for content, by in drawn for each in kernels(content)]
    for content, _ in drawn:
        medians = [median(us for key, us in seen if key == kernel.key) for kernel in kernels(content)]
        told = predict(known, content)
        assert told.us == pytest.approx(sum(medians))
        assert told.known_share == 1.0


def test_a_profile_tells_shares_and_the_latency_how_long_they_are() -> None:
    quiet, busy = table(observed(FILES[4])).entries, table(observed(FILES[4], disturbed=6.0)).entries
    assert [one.kernel for one in busy] == [one.kernel for one in quiet]
    assert [one.samples_us for one in busy] == [pytest.approx(one.samples_us) for one in quiet]


def test_a_kernel_that_was_not_measured_is_fitted_on_those_of_its_kind() -> None:
    known, asked = table(*map(observed, FILES[:4])), chain(48, 24)
    told = predict(known, asked)
    # Dense layers and TANHs of other sides: nothing of this file was measured.
    assert told.us == pytest.approx(sum(map(linear, kernels(asked))), rel=1e-6)
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
    assert told.us == pytest.approx(sum(map(linear, kernels(asked))), rel=1e-6)
    assert 0 < told.known_share < 1


def images(channels: int, side: int) -> bytes:
    """One convolution with a window of 3 x 3."""
    tensors = (
        tensor("x", (1, side, side, channels), "FLOAT32"),
        tensor("weights", (4, 3, 3, channels), "FLOAT32", 1),
        tensor("y", (1, side, side, 4), "FLOAT32"),
    )
    parts = graph(tensors, [operator(0, (0, 1, -1), (2,), "Conv2D", strideH=1, strideW=1)], (0,), (2,))
    return packed(model([parts], ["CONV_2D"], [bytes(4 * 4 * 9 * channels)]))


def test_channels_that_fill_no_tile_cost_as_much_as_those_that_do() -> None:
    def tiled(kernel: Kernel) -> float:
        return kernel.outputs[0].shape[1] ** 2 * 9 / 100

    known = table(*(observed(images(channels, side), tiled) for channels in (3, 8, 16) for side in (8, 16)))
    asked = images(5, 32)
    assert predict(known, asked).us == pytest.approx(tiled(kernels(asked)[0]), rel=0.01)


def delegated(content: bytes, us: float, *, alone: int = 1) -> Observation:
    """A delegate took all but the last operators as one."""
    count = len(kernels(content))
    layers = [
        LayerTime(index=index, kind="", name="", mean_us=4.0, delegated=False) for index in range(count - alone, count)
    ]
    layers.append(LayerTime(index=count, kind="Delegate", name="", mean_us=us, delegated=True))
    return Observation(name="file", content=content, layers=tuple(layers), latency_us=us + 4.0 * alone)


def test_what_a_delegate_takes_as_one_is_predicted_as_one() -> None:
    def inside(content: bytes) -> float:
        return 40.0 + sum((kernel.macs or 0) / 100 for kernel in kernels(content)[:-1])

    known = table(*(delegated(content, inside(content)) for content in FILES))
    assert predict(known, FILES[4]).us == pytest.approx(inside(FILES[4]) + 4.0)
    assert predict(known, FILES[4]).known_share == 1.0
    told = predict(known, chain(96, 64, 16))
    assert told.us == pytest.approx(inside(chain(96, 64, 16)) + 4.0, rel=0.02)


def test_files_without_a_profile_are_known_as_a_whole() -> None:
    known = table(*(Observation(name="f", content=content, layers=(), latency_us=50.0) for content in FILES))
    assert predict(known, FILES[1]).us == 50.0
    assert predict(known, chain(24, 24)).us == pytest.approx(50.0, rel=0.01)


def test_nothing_is_said_where_nothing_was_measured() -> None:
    told = predict(CostTable(target=HERE), FILES[0])
    assert (told.us, told.known_share) == (None, 0.0)


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
    copies = [observed(chain(48, 24), times(100.0), name=name) for name in "abc"]
    told = held_out([*map(observed, FILES[:2]), *copies])
    assert told.median_error is not None
    assert told.median_error > 0.9


def test_of_three_files_nothing_is_said() -> None:
    told = held_out([observed(content) for content in FILES[:3]])
    assert (told.spearman, told.median_error, told.n) == (None, None, 3)


def test_files_that_take_the_same_have_no_ranks() -> None:
    told = held_out([observed(content, lambda _: 1.0) for content in (*FILES[:3], chain(12, 12, 12))])
    assert told.spearman is None
    assert told.median_error == pytest.approx(0.0, abs=1e-6)


def test_a_profile_of_this_machine_gives_its_file_back() -> None:
    cell = Cell(variant="tiny", model_sha256="0" * 64, backend="xnnpack", threads=1)
    content = tiny_model.PATH.read_bytes()
    found = profile(tiny_model.PATH, cell)
    assert len(found.layers) == len(kernels(content))
    known = table(Observation(name="tiny", content=content, layers=found.layers, latency_us=12.0))
    assert predict(known, content).us == pytest.approx(12.0)
