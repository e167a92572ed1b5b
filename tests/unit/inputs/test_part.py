"""Which samples a search chooses on and which it never sees."""

from dataclasses import replace

import numpy as np
import pytest

from common.errors import UsageError
from common.run.quality import FEWEST_SAMPLES as FEWEST
from jobs.inputs.files import Found
from jobs.inputs.part import MOST_CALIBRATING, parted


def samples(count: int, *, names: str = "a") -> Found:
    arrays = (np.arange(count, dtype=np.float32).reshape(count, 1, 1), np.ones((count, 1, 2), np.float32))
    targets = {place: place for place in range(count)}
    return Found(tuple(f"{names}{place}" for place in range(count)), arrays, (), targets)


def values(found: Found) -> set[float]:
    return {float(value) for value in found.arrays[0].ravel()}


@pytest.mark.parametrize(("count", "calibrating"), [(60, 20), (61, 20), (90, 30), (1000, MOST_CALIBRATING)])
def test_many_samples_are_three_parts(count: int, calibrating: int) -> None:
    chosen, judged = (parted(samples(count), part, "there") for part in ("choose", "judge"))
    assert chosen.apart and judged.apart
    # What calibrates is the same for both, so that the files are.
    assert np.array_equal(chosen.calibrating[0], judged.calibrating[0])
    own = {float(value) for value in chosen.calibrating[0].ravel()}
    assert len(own) == calibrating
    parts = [own, values(chosen.found), values(judged.found)]
    assert sum(map(len, parts)) == count and set.union(*parts) == set(map(float, range(count)))
    assert all(len(part) >= FEWEST for part in parts)


def test_few_samples_calibrate_and_choose_and_never_judge() -> None:
    chosen, judged = (parted(samples(41), part, "there") for part in ("choose", "judge"))
    assert not chosen.apart and len(chosen.found.names) == 20 and len(judged.found.names) == 21
    assert np.array_equal(chosen.calibrating[0], chosen.found.arrays[0])
    assert np.array_equal(judged.calibrating[0], chosen.found.arrays[0])


def test_too_few_are_refused() -> None:
    with pytest.raises(UsageError, match="there holds 39 different samples, and a search needs 40"):
        parted(samples(39), "choose", "there")
    # Copies are no more samples.
    many = samples(80)
    arrays = tuple(np.concatenate([array[:39], array[:39]]) for array in many.arrays)
    with pytest.raises(UsageError, match="39 different"):
        parted(replace(many, names=many.names[:78], arrays=arrays), "choose", "there")


def test_targets_stay_with_their_samples_and_names_decide_nothing() -> None:
    found = parted(samples(60), "judge", "there").found
    assert [found.targets[place] for place in range(len(found.names))] == [
        int(value) for value in found.arrays[0].ravel()
    ]
    assert [name.removeprefix("a") for name in found.names] == [str(found.targets[p]) for p in range(len(found.names))]
    other = parted(samples(60, names="b"), "judge", "there").found
    assert np.array_equal(other.arrays[0], found.arrays[0])
