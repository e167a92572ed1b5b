"""What a search needs, the experiments that it writes, and what it draws."""

import os
from pathlib import Path

import pytest

from common.errors import UsageError
from common.experiment import LoadedExperiment, load, parsed
from common.schema.search import Search
from jobs.search import space
from jobs.search.draws import Drawing
from jobs.search.networks import Networks
from jobs.search.runs import SCREENING, Runs
from jobs.search.searching import where
from jobs.search.told import with_budget

SEARCHED = """
title = "Small"
seed = 3
[data]
source = "synthetic-flames"
synthetic_images = 160
height = 32
width = 32
test_share = 0.4
[model]
batch_norm_momentum = 0.9
[train]
epochs = 2
batch_size = 16
learning_rate = 1e-3
[benchmark]
backends = ["xnnpack"]
rounds = 2
most_rounds = 2
num_runs = 5
min_secs = 0.02
warmup_min_secs = 0.02
app = true
[choose]
margin = 0.5
[search]
formats = ["float32"]
energies = [0.7]
spatial_ranks = []
widths = [0.25]
strides = [2]
drawn = 2
trained = 3
finalists = 1
student_epochs = 4
fine_tune = { epochs = 4, learning_rate = 1e-4 }
[variants.baseline]
convert = { format = "float32" }
[variants.float16]
convert = { format = "float16" }
"""
# Little more than a search has to do.
LEAST = (
    SEARCHED.replace('formats = ["float32"]', 'formats = ["float32", "float16"]\nrewrites = false')
    .replace("widths = [0.25]", "widths = []")
    .replace("drawn = 2", "drawn = 0")
    .replace("app = true\n", "")
)


def experiment(text: str = SEARCHED, path: Path = Path("small.toml")) -> LoadedExperiment:
    return parsed(text.encode(), path)


def test_a_search_needs_images_that_it_never_sees() -> None:
    Networks.require(experiment())
    with pytest.raises(UsageError, match="test images that it never sees"):
        Networks.require(experiment(SEARCHED.replace("test_share = 0.4", "test_share = 0.0")))


@pytest.mark.parametrize(
    ("more", "backend", "threads"),
    [
        ('backends = ["cpu", "xnnpack"]\nthreads = [2, 4]', "xnnpack", 2),
        ('backends = ["gpu", "cpu"]', "gpu", 1),
    ],
)
def test_it_looks_where_the_judge_looks(more: str, backend: str, threads: int) -> None:
    found = where(experiment(SEARCHED.replace('backends = ["xnnpack"]', more)).settings)
    assert (found.backend, found.threads) == (backend, threads)


def test_a_budget_of_the_command_line_goes_before_the_experiments() -> None:
    assert with_budget(experiment(), "").settings.search.budget == "30m"
    assert with_budget(experiment(), "90s").settings.search.budget_s == 90


def test_a_steps_experiment_is_the_users_with_other_variants(tmp_path: Path) -> None:
    text = SEARCHED.replace("[model]", '[model]\narchitecture = "nets/own.py"').replace(
        "batch_norm_momentum = 0.9\n", ""
    )
    given = experiment(text, tmp_path / "mine" / "small.toml")
    runs = Runs(["make"], given, text.encode(), tmp_path / "run")
    recipes = {"thin_float32": next(space.structures(Search(), space.Base())).candidate("float32").recipe}
    settings = SCREENING | {"backends": ["xnnpack"], "threads": [1], "rounds": 2, "most_rounds": 2}
    written = parsed(runs.text(recipes, "a step", settings), tmp_path / "run" / "search" / "step.toml").settings
    assert written.recipes == {"baseline": given.settings.recipes["baseline"], **recipes}
    assert (written.data, written.train, written.choose) == (
        given.settings.data,
        given.settings.train,
        given.settings.choose,
    )
    # Paths of models start at the experiment's folder.
    place = os.path.normpath(tmp_path / "run" / "search" / written.model.architecture)
    assert place == str(tmp_path / "mine" / "nets" / "own.py")
    # A screening measures one cell each, and never the app.
    assert written.benchmark.rounds == 2 and not written.benchmark.app
    found = parsed(runs.text(recipes, "found"), tmp_path / "run" / "search" / "found.toml").settings
    assert found.benchmark == given.settings.benchmark and found.search == Search()


def test_data_of_the_command_line_stands_in_what_is_found(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SEARCHED, encoding="utf-8")
    given = load(path, data="photos")
    runs = Runs(["make"], given, path.read_bytes(), tmp_path / "run")
    assert parsed(runs.text({}, "found"), tmp_path / "found.toml").settings.data.source == "photos"


LAYERS = ("first", "second", "third")


def drawing(folder: Path, seed: int = 3, space_of: str = "a") -> Drawing:
    return Drawing(folder, LAYERS, ("float32", "int8"), seed, space=space_of)


def told(draws: Drawing, first: int, count: int = 10) -> list[object]:
    found = draws.draw(first, count)
    for one in found:
        total = sum(one.ranks.values())
        draws.tell(one.number, (1 / (1 + total), float(total), 1 / (2 + total)) if total else None)
    return list(found)


def test_a_drawing_that_goes_on_draws_as_one_that_was_never_killed(tmp_path: Path) -> None:
    whole = drawing(tmp_path / "whole")
    expected = [told(whole, batch) for batch in (0, 10, 20)]
    first = drawing(tmp_path / "killed")
    assert told(first, 0) == expected[0]
    # Killed after it had drawn a batch, and before anything was told of it.
    assert list(first.draw(10, 10)) == expected[1]
    again = drawing(tmp_path / "killed")
    assert [told(again, batch) for batch in (0, 10, 20)] == expected
    numbers = [one.number for batch in expected for one in batch]  # type: ignore[attr-defined]
    assert numbers == list(range(30))


def test_another_seed_or_space_draws_otherwise(tmp_path: Path) -> None:
    assert told(drawing(tmp_path, 3), 0) != told(drawing(tmp_path, 4), 0)
    learned = drawing(tmp_path, 3, "b")
    assert told(learned, 0) == told(drawing(tmp_path / "fresh", 3), 0)  # and begins with nothing known


def test_ranks_and_formats_are_those_of_the_space(tmp_path: Path) -> None:
    for one in drawing(tmp_path).draw(0, 20):
        assert set(one.ranks) == set(LAYERS) and set(one.ranks.values()) <= set(space.RANKS)
        assert one.form in ("float32", "int8")
