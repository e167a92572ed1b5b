"""What a search looks through is valid, named apart, and says what it is."""

import json

import pytest
from pydantic import ValidationError

from common.schema.convert import Format
from common.schema.experiment import Experiment
from common.schema.recipe import Factorize, Recipe
from common.schema.search import Search
from jobs.search import space
from jobs.search.runs import recipe_table
from tests.unit.search.ways import recipe

BASE = space.Base(space.MERGED.passes)


def test_every_candidate_is_a_recipe_of_its_own_in_its_format() -> None:
    settings = Search(sparsities=(0.8,))
    found = space.enumerated(settings, dict.fromkeys(settings.formats, BASE), settings.formats)
    assert len({one.name for one in found}) == len(found)
    assert len({one.recipe.model_dump_json() for one in found}) == len(found)
    for one in found:
        assert one.name == f"{one.structure}_{one.recipe.convert.format}"
        assert recipe(one).convert.integer_io == (one.recipe.convert.format == "static_wi8_ai8")
        assert recipe(one).convert.sparse == (one.kind == "sparse")
        assert one.same_network == (one.kind != "student")
        assert one.trains
    # Zeros that are not stored are for float kernels alone.
    assert {one.recipe.convert.format for one in found if one.kind == "sparse"} == {"float32", "float16"}
    kinds = [one.kind for one in found if one.recipe.convert.format == "static_wi8_ai8"]
    assert (kinds.count("factorized"), kinds.count("student")) == (9, 6)


def test_rewrites_need_no_training_and_can_be_left_out() -> None:
    assert [one.name for one in space.rewrites(Search())] == ["plain", "folded", "merged_few", "merged"]
    assert [one.name for one in space.rewrites(Search(rewrites=False))] == ["plain"]
    assert not any(one.candidate("int8").trains for one in space.rewrites(Search()))


def test_each_layer_is_rewritten_alone() -> None:
    found = space.single_rewrites(("a", "b"), ("n", "m"))
    assert [one.name for one in found] == ["merged_0", "merged_1", "folded_but_0", "folded_but_1"]
    assert [one.passes[0].layers for one in found if hasattr(one.passes[0], "layers")] == [
        ("a",),
        ("b",),
        ("m",),
        ("n",),
    ]
    # One layer alone is the whole, which is measured anyway.
    assert space.single_rewrites(("a",), ("n",)) == ()
    many = tuple(f"layer{number}" for number in range(100))
    assert len(space.single_rewrites(many, many)) == 2 * space.MOST_ALONE


def test_only_what_is_faster_stands_in_the_recipe() -> None:
    assert space.chosen_rewrite((), ()).passes == ()
    passes = space.chosen_rewrite(("a",), ("n",)).passes
    assert [one.name for one in passes] == ["merge_separable", "fold_batch_norm"]


@pytest.mark.parametrize("count", [0, 1, 12, 13, 60])
def test_neighbours_share_a_rank_where_there_are_many_layers(count: int) -> None:
    layers = [f"layer{number}" for number in range(count)]
    parts = space.groups(layers)
    assert len(parts) <= space.MOST_GROUPS
    assert [name for part in parts for name in part] == layers


def test_a_candidate_with_layers_left_in_float_is_the_same_recipe_else() -> None:
    base = space.FOLDED.candidate("static_wi8_ai8")
    found = space.left_in_float(base, "float_3", ("a", "odd[1]"))
    assert (found.name, found.structure, found.kind) == ("float_3_static_wi8_ai8", "float_3", "mixed")
    assert found.recipe.convert.layers == {"a": "float32", "odd[[]1]": "float32"}
    assert recipe(found).passes == recipe(base).passes and recipe(found).convert.integer_io and not found.trains
    assert Recipe.model_validate_json(json.dumps(recipe_table(found.recipe))) == found.recipe


def test_further_structures_keep_the_layers_that_are_left_in_float() -> None:
    mixed = space.left_in_float(space.MERGED.candidate("static_wi8_ai8"), "mixed", ("a",))
    base = space.Base.of(mixed.recipe)
    settings = Search(formats=("float32", "static_wi8_ai8"))
    bases: dict[Format, space.Base] = {"float32": BASE, "static_wi8_ai8": base}
    found = space.enumerated(settings, bases, settings.formats)
    drawn = space.drawn(1, settings, base, {"a": 4}, "static_wi8_ai8")
    assert drawn is not None
    for one in (*found, drawn):
        whole = one.kind == "student" or one.recipe.convert.format == "float32"
        assert one.recipe.convert.layers == ({} if whole else {"a": "float32"})
        assert Recipe.model_validate_json(json.dumps(recipe_table(one.recipe))) == one.recipe


def test_a_drawn_structure_has_a_rank_by_layer() -> None:
    made = space.drawn(7, Search(), BASE, {"a": 4, "b": 0}, "int8")
    assert made is not None and made.name == "drawn07_int8" and made.kind == "drawn"
    last = recipe(made).passes[-1]
    assert isinstance(last, Factorize) and last.ranks == {"a": 4, "b": 0} and last.layers == ()
    assert space.drawn(7, Search(), BASE, {"a": 0, "b": 0}, "int8") is None


@pytest.mark.parametrize(("share", "found"), [(0.25, 2), (0.5, 4), (1.0, 8), (0.01, 1)])
def test_a_rung_trains_a_share_of_the_epochs(share: float, found: int) -> None:
    made = space.drawn(0, Search(), BASE, {"a": 4}, "int8")
    assert made is not None
    shorter = space.with_epochs(made.recipe, share)
    assert space.epochs(shorter) == found
    assert space.passes(shorter)[:-1] == recipe(made).passes[:-1]


def test_untrained_is_the_same_structure() -> None:
    made = space.drawn(0, Search(), BASE, {"a": 4}, "int8")
    assert made is not None
    bare = space.untrained(made.recipe)
    assert isinstance(bare, Recipe) and not bare.trains and bare.passes == recipe(made).passes
    plain = space.PLAIN.candidate("float32").recipe
    assert space.untrained(plain) == plain


def test_a_space_without_formats_is_none() -> None:
    with pytest.raises(ValidationError):
        Search(formats=())


def test_the_defaults_stand_in_every_experiment() -> None:
    given = {"title": "t", "variants": {"baseline": {"convert": {"format": "float32"}}}}
    assert Experiment.model_validate_json(json.dumps(given)).search == Search()


def test_recipes_read_back_from_the_table_that_is_written() -> None:
    settings = Search(sparsities=(0.8,), fine_tune=Search().fine_tune.model_copy(update={"epochs": 3}))
    for one in space.enumerated(settings, dict.fromkeys(settings.formats, BASE), settings.formats):
        for way in (one.recipe, space.untrained(one.recipe), space.with_epochs(one.recipe, 0.5)):
            assert Recipe.model_validate_json(json.dumps(recipe_table(way))) == way
