"""Who goes on in a search, from figures alone."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.search import Search
from common.schema.search_result import Candidate, Compared, Screened
from common.schema.variant import Validation
from jobs.search import judge
from jobs.search.judge import Standing
from jobs.search.space import Base, drawn, fold
from jobs.search.space import structures as enumerated

SETTINGS = Search()
STUDENT = next(one for one in enumerated(SETTINGS, Base()) if one.kind == "student")


def candidate(name: str, *, kind: str = "drawn") -> Candidate:
    """One that trains, but for a rewrite."""
    if kind == "rewrite":
        recipe = Recipe(passes=(fold(),), convert=Convert(format="float32"))
        return Candidate(name=name, structure=name, kind="rewrite", recipe=recipe)
    made = STUDENT.candidate("float32") if kind == "student" else drawn(0, SETTINGS, Base(), {"a": 2}, "float32")
    assert made is not None
    return made.model_copy(update={"name": name})


def standing(name: str, time: float, size: int = 100, loss: float = 0.0, kind: str = "drawn") -> Standing:
    return Standing(candidate(name, kind=kind), time, size, loss)


def validation(lost: int, won: int = 0) -> Validation:
    return Validation(images=100, right=90, lost=lost, won=won)


def names(found: list[Standing]) -> list[str]:
    return [one.candidate.name for one in found]


def test_losses_are_beside_the_reference() -> None:
    assert validation(7, 2).loss(validation(0)) == 0.05
    assert validation(0).loss(validation(3)) == -0.03


def test_what_was_not_measured_has_no_standing() -> None:
    found = {
        "a": Screened(time=0.5, size_bytes=3, validation=validation(1)),
        "b": Screened(time=None, size_bytes=3, validation=validation(1)),
    }
    every = [candidate("a"), candidate("b"), candidate("c")]
    assert names(judge.standings(every, found, validation(0))) == ["a"]


def test_nothing_is_trained_that_an_untrained_one_beats() -> None:
    ready = standing("ready", 0.5, 100, 0.0, "rewrite")
    slow, thin, small = standing("slow", 0.6, 200, 0.1), standing("thin", 0.4, 90, 0.2), standing("small", 0.6, 50, 0.2)
    assert names(judge.worth_training([ready, slow, thin, small], 0.02, 8)) == ["thin", "small"]
    # One that does not keep the margin beats nobody.
    broken = standing("ready", 0.5, 100, 0.5, "rewrite")
    assert "slow" in names(judge.worth_training([broken, slow, thin, small], 0.02, 8))


def test_a_loss_before_training_counts_for_the_trained_network_and_not_for_students() -> None:
    own = [standing("better", 0.4, 90, 0.1), standing("worse", 0.5, 95, 0.2)]
    taught = [standing("one", 0.3, 80, 0.5, "student"), standing("two", 0.35, 85, 0.6, "student")]
    assert names(judge.worth_training([*own, *taught], 0.02, 8)) == ["one", "two", "better"]


def test_few_places_are_spread_over_the_latencies_and_shared_by_both_kinds() -> None:
    own = [standing(f"own{number}", 0.1 * 2**number, 1000 - number, 0.5 - number / 20) for number in range(6)]
    taught = [standing(f"taught{number}", 0.1 * 2**number, 1000 - number, 0, "student") for number in range(6)]
    found = names(judge.worth_training([*own, *taught], 0.02, 4))
    assert sorted(found) == ["own0", "own5", "taught0", "taught5"]


@given(
    st.lists(
        st.tuples(st.floats(0.01, 10), st.integers(1, 1000), st.floats(0, 1), st.sampled_from(["drawn", "student"])),
        max_size=20,
    ),
    st.integers(1, 8),
)
def test_never_more_than_allowed_and_each_once(rows: list[tuple[float, int, float, str]], most: int) -> None:
    found = [standing(f"n{number}", *row) for number, row in enumerate(rows)]
    chosen = judge.worth_training(found, 0.02, most)
    assert len(chosen) <= most and len(set(names(chosen))) == len(chosen)
    assert judge.worth_training(list(reversed(found)), 0.02, most) == chosen


def test_a_rung_takes_half_of_each_kind_and_is_lenient_first() -> None:
    found = [
        standing("fast", 0.2, loss=0.07),
        standing("middle", 0.3, loss=0.03),
        standing("slow", 0.4, loss=0.0),
        standing("lost", 0.1, loss=0.3),
    ]
    # 0.02 x 4 is allowed after a quarter of the epochs: of those within, the fast ones.
    assert names(judge.promoted(found, 0, 0.02, "latency", 1)) == ["fast", "middle"]
    assert names(judge.promoted(found, 2, 0.02, "latency", 1)) == ["slow", "middle"]
    taught = [standing("one", 0.3, loss=0.9, kind="student"), standing("two", 0.2, loss=0.95, kind="student")]
    assert names(judge.promoted([*found, *taught], 0, 0.02, "latency", 2))[2:] == ["one", "two"]


def test_finalists_keep_the_margin_and_are_the_best_of_their_kind() -> None:
    found = [
        standing("a", 0.2, 50, 0.03),
        standing("b", 0.3, 40, 0.02),
        standing("c", 0.4, 30, 0.0),
        standing("d", 0.5, 20, 0.0),
    ]
    taught = [standing("s", 0.1, 10, 0.0, "student")]
    assert names(judge.finalists([*found, *taught], 0.02, "latency", 2)) == ["b", "c", "s"]
    assert names(judge.finalists(found, 0.02, "size", 1)) == ["d"]


def test_one_that_is_sure_goes_on_where_none_of_the_best_is() -> None:
    lucky = [standing("a", 0.2), standing("b", 0.3)]
    sure = [replace(standing("c", 0.4), worst=0.02), replace(standing("d", 0.5), worst=0.0)]
    every = [*sure, standing("lossy", 0.1, loss=0.1), *lucky]
    assert names(judge.finalists(every, 0.02, "latency", 2)) == ["a", "b", "c"]
    assert names(judge.finalists(every, 0.02, "latency", 3)) == ["a", "b", "c"]
    assert names(judge.finalists(lucky, 0.02, "latency", 1)) == ["a"]
    assert names(judge.promoted([*sure, *lucky], 0, 0.02, "latency", 1)) == ["a", "b", "c"]
    assert names(judge.promoted([*sure, *lucky], 0, 0.02, "latency", 3)) == ["a", "b", "c"]


def test_one_finalist_was_not_trained_where_one_is_sure_to_keep_the_margin() -> None:
    trained = [standing("a", 0.2), replace(standing("b", 0.3), worst=0.01)]
    ready = [standing("c", 0.4, kind="rewrite"), replace(standing("d", 0.5, kind="rewrite"), worst=0.01)]
    assert names(judge.finalists([*ready, *trained], 0.02, "latency", 1)) == ["a", "b", "d"]
    assert names(judge.finalists([*ready, *trained], 0.02, "latency", 2)) == ["a", "b", "d"]
    assert names(judge.finalists([*ready, *trained], 0.02, "latency", 3)) == ["a", "b", "c"]


def test_the_worst_loss_is_what_the_images_leave_possible() -> None:
    few, many = Validation(images=370, right=333, lost=6, won=5), Validation(images=370, right=333, lost=13, won=13)
    assert 0.015 < judge.worst(few) < 0.02 < judge.worst(many) < 0.025
    assert 0 < judge.worst(Validation(images=370, right=333, lost=0, won=0)) < 0.01
    assert judge.worst(Compared(samples=50, lost=0.3)) == 0.3
