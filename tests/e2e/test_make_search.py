"""`make search` from an experiment to recipes that anybody can run again, also after it was killed."""

from pathlib import Path

import pytest

from common.artifact import read
from common.experiment import load
from common.schema.search_result import SearchResult
from common.schema.variant import Variant
from tests.e2e.conftest import Make, kill_search
from tests.unit.search.test_stage import SEARCHED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "small.toml"
    path.write_text(SEARCHED, encoding="utf-8")
    return path


def test_a_search_that_is_killed_goes_on_and_finds_what_can_be_run_again(make: Make, experiment: Path) -> None:
    run = experiment.parent / "run"
    home = run / "search"
    kill_search(experiment, run, "structures")
    before = {
        step: (home / step / "benchmark" / "host" / "ledger.jsonl").read_bytes() for step in ("rewrites", "layers")
    }

    said = make("search", EXPERIMENT=experiment, RUN=run).stdout
    found = read(home / "search.json", SearchResult)
    # What was measured before is not measured again.
    for step, ledger in before.items():
        assert (home / step / "benchmark" / "host" / "ledger.jsonl").read_bytes() == ledger
    names = [step.name for step in found.steps]
    assert names[:4] == ["rewrites", "layers", "rewritten", "structures"] and "trained-3" in names
    assert "drawn-1" in names
    assert found.found and {one.candidate.name for one in found.outcomes if one.fate == "finalist"} == set(found.found)
    assert {one.candidate.kind for one in found.outcomes} >= {"rewrite", "factorized", "student", "drawn"}
    assert 0 < found.never_trained < 1 and found.costs is not None and found.costs.n >= 4
    for one in found.outcomes:
        if one.fate == "finalist":
            assert one.confirmed is not None and one.screened is not None and one.screened.time is not None
            # The test images, and no others.
            assert one.confirmed.accuracy is not None and one.confirmed.accuracy.total == 64
            assert f"{one.candidate.name} (" in said
    assert f"how they were found: {home / 'report.html'}" in said
    page = (home / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in found.found) and str(home / "found.toml") in page

    # The same measurements, the same decisions; and nothing is made again.
    stamps = {path: path.stat().st_mtime_ns for path in home.rglob("*.tflite")}
    make("search", EXPERIMENT=experiment, RUN=run)
    again = read(home / "search.json", SearchResult)
    assert again.outcomes == found.outcomes and again.found == found.found
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*.tflite")} == stamps

    # What was found are ordinary recipes: as they stand in the file, and made of the same run.
    recipes = load(home / "found.toml").settings.recipes
    assert set(recipes) == {"baseline", *found.found}
    assert {name: recipes[name] for name in found.found} == {
        one.candidate.name: one.candidate.recipe for one in found.outcomes if one.fate == "finalist"
    }
    done = make("all", EXPERIMENT=home / "found.toml", RUN=home / "found")
    assert "Nothing to do" in done.stdout
    assert (home / "found" / "report" / "report.html").is_file()


# As little as can be besides: two steps of a small network in one format.
MIXED = (
    SEARCHED.replace('formats = ["float32"]', 'formats = ["static_wi8_ai8"]\nrewrites = false')
    .replace("batch_norm_momentum = 0.9", 'architecture = "CompactNet"\nwidth = 0.25')
    .replace("energies = [0.7]", "energies = []")
    .replace("widths = [0.25]", "widths = []")
    .replace("drawn = 2", "drawn = 0")
)


def test_groups_of_layers_are_left_in_float_where_that_is_better(make: Make, tmp_path: Path) -> None:
    experiment = tmp_path / "mixed.toml"
    experiment.write_text(MIXED, encoding="utf-8")
    home = tmp_path / "run" / "search"
    make("search", EXPERIMENT=experiment, RUN=tmp_path / "run")
    found = read(home / "search.json", SearchResult)
    assert found.mixed is not None and found.mixed.base == "plain_static_wi8_ai8"
    groups = [*found.mixed.in_float, *found.mixed.not_in_float]
    assert len(groups) == 11 and all(len(group) == 1 for group in groups)  # its convolutions, pooling and classifier
    alone = {one.candidate.name: one for one in found.outcomes if one.candidate.structure.startswith("float_")}
    assert len(alone) == 11 and all(one.screened is not None and one.screened.time for one in alone.values())
    # What was measured is what the recipe says.
    for name, one in alone.items():
        (layer,) = one.candidate.recipe.convert.layers
        made = read(home / "groups" / "variants" / name / "variant.json", Variant)
        notes = {note.layer: note for note in made.passes[-1].layers}
        assert not notes.pop(layer).changed and all(note.changed for note in notes.values())
    if len(found.mixed.in_float) > 1:
        together = next(one for one in found.outcomes if one.candidate.structure == "mixed")
        named = {layer for group in found.mixed.in_float for layer in group}
        assert set(together.candidate.recipe.convert.layers) == named and together.screened is not None
    assert "Number formats by layer" in (home / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_searched_is_refused_before_anything_is_made(
    make: Make, experiment: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat.toml"
    flat.write_text(SEARCHED.replace("test_share = 0.4", "test_share = 0.0"), encoding="utf-8")
    refused = make("search", check=False, EXPERIMENT=flat, RUN=tmp_path / "run")
    assert refused.returncode == 2 and "a search needs test images that it never sees" in refused.stdout
    refused = make("search", check=False, EXPERIMENT=experiment, RUN=tmp_path / "run", BUDGET="soon")
    assert refused.returncode == 2 and "BUDGET=soon is no time of at most 24h" in refused.stdout
    assert not (tmp_path / "run").exists()
