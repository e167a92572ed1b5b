"""Labels and points of the size-accuracy chart do not hide each other."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jobs.report.placement import LABEL_GAP, Point, apart, place, spread

POSITIVE = st.floats(min_value=0.01, max_value=1000)


@given(st.lists(st.floats(min_value=0, max_value=600), min_size=1, max_size=30))
def test_labels_keep_their_order_their_gap_and_the_chart(wanted: list[float]) -> None:
    placed = spread(wanted, 16, 600)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    ordered = [placed[i] for i in order]
    assert all(later - earlier >= 16 - 1e-6 for earlier, later in pairwise(ordered))
    assert min(placed) >= -1e-6 and max(placed) <= 600 + 1e-6


def test_labels_with_room_stay_where_they_are_wanted() -> None:
    assert spread([300.0, 10.0, 100.0], 16, 600) == [300.0, 10.0, 100.0]


@given(st.lists(POSITIVE, min_size=1, max_size=30))
def test_moved_points_are_distinct_and_stay_in_order(sizes: list[float]) -> None:
    moved = apart(sizes)
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    if max(sizes) <= 1.04 * min(sizes):
        assert len(set(moved)) == len(sizes)
        assert max(moved) / min(moved) <= 1.2 + 1e-9
        assert [moved[i] for i in order] == sorted(moved)


def test_sizes_that_differ_stay() -> None:
    assert apart([8.5, 2.14, 4.26]) == [8.5, 2.14, 4.26]


def test_a_chart_of_thirty_equal_points_has_room_for_all_labels() -> None:
    plan = place([Point(2.14, 96.0, 94.0, 98.0)] * 30)
    pixels = sorted((plan.top - spot.label_y) / (plan.top - plan.bottom) * plan.height for spot in plan.spots)
    assert all(later - earlier >= LABEL_GAP - 1e-6 for earlier, later in pairwise(pixels))
