"""Which latencies decide, and what a candidate takes from the artifacts."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from common.schema.experiment import Choose, Experiment
from common.schema.outcome import Unsupported
from common.schema.recipe import Convert, FoldBatchNorm, Recipe
from jobs.choose.candidates import candidates, deciding_setting, has_other_network
from tests.unit.report import factories as f

CPU = f.row("baseline", f.summary(100, None))
XNNPACK = f.row("baseline", f.summary(50, None), "xnnpack")


def test_xnnpack_decides_where_it_was_measured() -> None:
    setting = deciding_setting(f.benchmark([CPU, XNNPACK]), Choose())
    assert setting is not None and (setting.backend, setting.threads) == ("xnnpack", 1)


def test_the_first_backend_decides_where_xnnpack_could_not_run() -> None:
    rows = [CPU, f.row("baseline", Unsupported(reason="no"), "xnnpack")]
    setting = deciding_setting(f.benchmark(rows), Choose())
    assert setting is not None and setting.backend == "cpu"


def test_the_experiment_may_name_the_backend() -> None:
    setting = deciding_setting(f.benchmark([CPU, XNNPACK]), Choose(backend="cpu"))
    assert setting is not None and setting.backend == "cpu"
    assert deciding_setting(f.benchmark([CPU]), Choose(backend="xnnpack")) is None


def test_an_emulator_decides_nothing() -> None:
    assert deciding_setting(f.benchmark([CPU], f.host(functional_only=True)), Choose()) is None


@pytest.mark.parametrize(("key", "value"), [("backend", "gpu"), ("threads", 9)])
def test_an_experiment_cannot_decide_by_what_it_does_not_measure(key: str, value: object) -> None:
    table = {"title": "x", "variants": {"baseline": {"convert": {"format": "float32"}}}, "choose": {key: value}}
    with pytest.raises(ValueError, match=f"choose.{key} {value} is not among the benchmark's {key}"):
        Experiment.model_validate(table)


def test_a_candidate_that_could_not_run_has_no_latency() -> None:
    recipe = Recipe(convert=Convert(format="float16"))
    variants = [f.variant("baseline", Recipe(convert=Convert(format="float32"))), f.variant("float16", recipe)]
    evaluations = [f.evaluation("baseline", 290), f.evaluation("float16", 289)]
    benchmark = f.benchmark([CPU, f.row("float16", Unsupported(reason="no"))])
    own, other = candidates(variants, evaluations, benchmark, deciding_setting(benchmark, Choose()))
    assert (own.latency_us, own.mcnemar, own.quantised) == (100, None, False)
    assert (other.latency_us, other.ratio, other.quantised, other.other_network) == (None, None, True, False)


def test_only_distillation_changes_the_network() -> None:
    plain = Recipe(passes=(FoldBatchNorm.model_validate({"pass": "fold_batch_norm"}),), convert=Convert(format="int8"))
    assert not has_other_network(plain)
    distilled: Any = SimpleNamespace(passes=(SimpleNamespace(name="distill"),))
    assert has_other_network(cast("Recipe", distilled))
