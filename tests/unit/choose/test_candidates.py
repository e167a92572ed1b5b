"""What a candidate takes from the artifacts."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from common.schema.convert import Convert
from common.schema.experiment import Experiment
from common.schema.recipe import FoldBatchNorm, Recipe
from jobs.choose.candidates import has_other_network
from tests.unit.choose.factories import candidate, case


@pytest.mark.parametrize(("key", "value"), [("backend", "gpu"), ("threads", 9)])
def test_an_experiment_cannot_decide_by_what_it_does_not_measure(key: str, value: object) -> None:
    table = {"title": "x", "variants": {"baseline": {"convert": {"format": "float32"}}}, "choose": {key: value}}
    with pytest.raises(ValueError, match=f"choose.{key} {value} is not among the benchmark's {key}"):
        Experiment.model_validate(table)


def test_a_candidate_that_could_not_run_has_no_latency() -> None:
    own, other = case(candidate("baseline"), candidate("float16", speed=None)).candidates
    assert (own.latency_us, own.mcnemar, own.quantised, own.difference) == (1000, None, False, "reference")
    assert (other.latency_us, other.ratio, other.quantised, other.difference) == (None, None, True, "not compared")


def test_only_distillation_changes_the_network() -> None:
    plain = Recipe(passes=(FoldBatchNorm.model_validate({"pass": "fold_batch_norm"}),), convert=Convert(format="int8"))
    assert not has_other_network(plain)
    distilled: Any = SimpleNamespace(passes=(SimpleNamespace(name="distill"),))
    assert has_other_network(cast("Recipe", distilled))
