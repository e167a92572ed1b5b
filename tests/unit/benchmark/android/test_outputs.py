"""What a device is asked, and how its answers are compared with this machine's."""

from collections.abc import Sequence

import numpy as np
import pytest

from common.proportion import wilson
from common.schema.examination import OutputCheck
from common.tflite.ask import AskedPort
from common.tflite.predict import predict
from jobs.benchmark.android.outputs import MOST_ERROR, compare, decode, errors_of
from jobs.benchmark.android.questions import Questions, of_images
from tests.devices import tiny_model


def test_images_are_answered_over_the_pixels_of_the_file() -> None:
    images = np.random.default_rng(1).integers(0, 255, (4, *tiny_model.SHAPE[1:]), dtype=np.uint8)
    found = of_images(tiny_model.PATH, images, (-1.0, 1.0))
    values = np.frombuffer(found.samples[0][0], np.float32)
    assert values.min() < -0.9 and values.max() > 0.9
    np.testing.assert_array_equal(found.expected[0], predict(tiny_model.PATH, images, pixels=(-1.0, 1.0)))
    assert np.abs(found.expected[0] - predict(tiny_model.PATH, images)).max() > 1e-3


def port(dtype: str = "float32", scale: float = 0.0) -> AskedPort:
    return AskedPort(name="out", dtype=dtype, shape=(1, 4), scale=scale, zero_point=0)


def questions(expected: object, kind: AskedPort, again: tuple[object, ...] = ()) -> Questions:
    array = np.asarray(expected)
    return Questions((), ((b"",),) * len(array), (kind,), (array,), images=False, again=again)


@pytest.mark.parametrize(
    ("kind", "found", "expected", "error"),
    [
        (port(), [[3.0, 4.1]], [[3.0, 4.0]], 0.02),
        (port(), [[0.0, 0.0]], [[3.0, 4.0]], 1.0),
        # A small answer among large ones is as wrong as its difference is beside those.
        (port(), [[10.0], [0.1]], [[10.0], [0.0]], 0.1 / np.sqrt(50)),
        (port(), [[0.0]], [[0.0]], 0.0),
        (port(), [[0.1]], [[0.0]], 1.0),
        # One step is rounding, the second is not.
        (port("int8", 0.5), [[1.5, 2.5]], [[1.0, 2.0]], 0.0),
        (port("int8", 0.5), [[2.0, 0.0]], [[1.0, 0.0]], 0.5),
        # One of four classes is another one, whatever its number is; and an image of whole numbers, off by one.
        (port("int64"), [[9, 2, 1, 4]], [[1, 2, 1, 4]], 0.25),
        (port("uint8"), [[101, 101]], [[100, 100]], 0.01),
        (port("bool"), [[True, False]], [[False, False]], 0.5),
    ],
)
def test_how_far_an_answer_is_off(
    kind: AskedPort, found: Sequence[object], expected: Sequence[object], error: float
) -> None:
    errors = errors_of(np.asarray(found, float), np.asarray(expected, float), kind)
    assert errors.max() == pytest.approx(error, rel=1e-3)


def test_a_device_may_differ_by_twice_what_this_machines_own_kernels_do() -> None:
    expected = np.array([[1.0, 0.0], [0.0, 1.0]])
    near, far = expected * 1.05, expected * 1.3
    assert compare([(near,)], questions(expected, port())).wrong is None
    refused = compare([(far,)], questions(expected, port()))
    assert refused.allowed_error == MOST_ERROR
    assert "output out is off by 30% of its size, allowed 10%" in (refused.wrong or "")
    allowed = compare([(far,)], questions(expected, port(), (expected * 1.2,)))
    assert allowed.wrong is None and allowed.allowed_error == pytest.approx(0.4)
    # What no kernel of this machine tells excuses nothing.
    lost = questions(expected, port(), (np.full_like(expected, np.nan),))
    assert compare([(far,)], lost).allowed_error == MOST_ERROR


def test_one_of_twenty_samples_may_be_another_answer_but_not_two() -> None:
    expected = np.eye(20)
    one, two = expected.copy(), expected.copy()
    one[:1] = two[:2] = 0.5
    assert compare([(one,)], questions(expected, port())).wrong is None
    assert "2 of 20 samples" in (compare([(two,)], questions(expected, port())).wrong or "")


def test_the_same_answer_to_every_sample_is_wrong_where_this_machines_differ() -> None:
    expected = np.array([[100.0, 1.0], [100.0, 1.1]])
    assert compare([(np.full((2, 2), 100.0),)], questions(expected, port())).wrong == (
        "the answers are the same for every sample"
    )
    same = np.ones((2, 2))
    assert compare([(same,)], questions(same, port())).wrong is None


def test_outputs_of_several_types_are_taken_apart() -> None:
    kinds = (port("int8", 0.5), port("int64"))
    two = Questions((), ((b"",),), kinds, (np.zeros((1, 1, 2)), np.zeros((1, 1), np.int64)), images=False)
    written = np.array([2, -2], np.int8).tobytes() + np.array([2**40], np.int64).tobytes()
    first, second = decode(written, two, 1)
    assert (first.tolist(), second.tolist()) == ([[[1.0, -1.0]]], [[2**40]])
    with pytest.raises(ValueError, match="9 bytes of answers instead of 10"):
        decode(written[:-1], two, 1)


def test_what_an_earlier_version_kept_is_read() -> None:
    kept = {"images": 8, "top1_agreement": wilson(8, 8).model_dump(), "largest_difference": 0.1, "wrong": None}
    assert OutputCheck.model_validate(kept).relative_error is None
