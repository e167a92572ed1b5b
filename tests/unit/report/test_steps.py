"""Every recipe that an experiment may hold has words in the report."""

from typing import get_args

import pytest

from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.tflite import DomainTotal
from jobs.report.steps import steps
from tests.proofs import proof

PASSES = [
    {"pass": "distill", "width": 0.5, "epochs": 7},
    {"pass": "merge_separable"},
    {"pass": "fold_batch_norm"},
    {"pass": "factorize", "rank": 16},
    {"pass": "prune"},
    {"pass": "cluster", "preserve_sparsity": True},
    {"pass": "quantize_aware", "preserve": "sparsity_and_clusters"},
]


@pytest.mark.parametrize("name", get_args(Convert.model_fields["format"].annotation))
def test_every_format_has_words(name: str) -> None:
    (words,) = steps(Recipe(convert=Convert.model_validate({"format": name})))
    assert words


def test_every_pass_has_words_of_its_own() -> None:
    recipe = Recipe.model_validate({"passes": tuple(PASSES), "convert": {"format": "int8", "integer_io": True}})
    words = list(steps(recipe))
    assert len(set(words)) == len(PASSES) + 1
    assert words[0] == "distilled into CompactNet of width 0.5, trained for 7 epochs"
    assert words[-1].endswith("integers in and out")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pass": "merge_separable"}, "separable convolutions of few channels merged into one"),
        (
            {"pass": "merge_separable", "max_input_channels": 512, "layers": ("a",)},
            "separable convolutions merged into one (only a)",
        ),
        (
            {"pass": "fold_batch_norm", "layers": tuple("abcde")},
            "BatchNormalization folded into its neighbours (only a, b, c and 2 more)",
        ),
        (
            {"pass": "factorize", "ranks": {"a": 2, "b": 0, "c": 16}, "epochs": 1},
            "2 layers factorised to ranks of 2 to 16, fine-tuned for 1 epoch",
        ),
        ({"pass": "distill", "stride": 2, "epochs": 1}, "distilled into CompactNet of stride 2, trained for 1 epoch"),
    ],
)
def test_which_layers_are_meant_is_said(settings: dict[str, object], said: str) -> None:
    words, _ = steps(Recipe.model_validate({"passes": (settings,), "convert": {"format": "float32"}}))
    assert words == said


def test_layers_of_another_format_are_named() -> None:
    layers = {**dict.fromkeys("abcd", "float32"), "e": "dynamic_wi8_afp32"}
    (words,) = steps(Recipe.model_validate({"convert": {"format": "static_wi8_ai8", "layers": layers}}))
    assert words == (
        "all in int8, calibrated (litert-quantizer), float32 (only a, b, c and 1 more), dynamic_wi8_afp32 (only e)"
    )


def test_what_a_file_does_not_compute_in_int8_is_in_its_recipe_words() -> None:
    recipe = Recipe.model_validate({"passes": ({"pass": "quantize_aware"},), "convert": {"format": "int8"}})
    whole = DomainTotal(domain="int8", operators=9, macs=300)
    *_, words = steps(recipe, proof(whole, DomainTotal(domain="conversion", operators=2, macs=0)))
    assert words == "all in int8"
    *_, words = steps(recipe, proof(whole, DomainTotal(domain="hybrid", operators=1, macs=100)))
    assert words == "in int8 but for 25 % of the multiply-accumulates"
    *_, words = steps(recipe, proof(whole, DomainTotal(domain="float32", operators=2, macs=0)))
    assert words == "in int8 but for 2 operators"
