"""The measure by which draws are compared is the volume that it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.search_random import hypervolume

UNIT = (1.0, 1.0, 1.0)


def test_volumes_of_boxes() -> None:
    assert hypervolume([], UNIT) == 0
    assert hypervolume([(0.5, 0.5, 0.5)], UNIT) == pytest.approx(0.125)
    assert hypervolume([(0.5, 0.5, 0.5), (0.6, 0.7, 0.8)], UNIT) == pytest.approx(0.125)
    assert hypervolume([(0.5, 0.0, 0.0), (0.0, 0.5, 0.0)], UNIT) == pytest.approx(0.75)
    assert hypervolume([(2.0, 0.0, 0.0)], UNIT) == 0


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), max_size=8))
def test_it_counts_the_cells_that_some_point_is_before(cells: list[tuple[int, int, int]]) -> None:
    grid = np.zeros((10, 10, 10), bool)
    for x, y, z in cells:
        grid[x:, y:, z:] = True
    points = [(x / 10, y / 10, z / 10) for x, y, z in cells]
    assert hypervolume(points, UNIT) == pytest.approx(grid.mean())
