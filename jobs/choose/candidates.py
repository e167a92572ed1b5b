"""Artifacts of the other stages to candidates. Pure."""

from collections.abc import Sequence

from common.schema.benchmark import Benchmark, Summary
from common.schema.choice import Candidate, Setting
from common.schema.evaluation import Evaluation
from common.schema.experiment import Choose
from common.schema.recipe import Recipe
from common.schema.variant import Variant

# What most apps run a file with.
PREFERRED_BACKEND = "xnnpack"
# The pass that trains another, smaller network from the trained one.
NEW_NETWORK = "distill"


def deciding_setting(benchmark: Benchmark, rules: Choose) -> Setting | None:
    """Where latencies count: the rules' backend and threads; xnnpack and the first thread count unless
    they say otherwise, the first measured backend where xnnpack was not. None where nothing was measured
    there or the target's latencies must not be ranked."""
    if benchmark.target.functional_only:
        return None
    threads = rules.threads or benchmark.settings.threads[0]
    measured = [
        row.cell.backend for row in benchmark.rows if isinstance(row.result, Summary) and row.cell.threads == threads
    ]
    for backend in (rules.backend,) if rules.backend else (PREFERRED_BACKEND, *measured):
        if backend in measured:
            return Setting(target=benchmark.target.name, backend=backend, threads=threads)
    return None


def candidates(
    variants: Sequence[Variant], evaluations: Sequence[Evaluation], benchmark: Benchmark, setting: Setting | None
) -> tuple[Candidate, ...]:
    """A candidate per variant; `evaluations` are in the order of `variants`."""
    return tuple(
        _candidate(variant, evaluation, _summary(variant.name, benchmark, setting))
        for variant, evaluation in zip(variants, evaluations, strict=True)
    )


def _summary(variant: str, benchmark: Benchmark, setting: Setting | None) -> Summary | None:
    if setting is None:
        return None
    for row in benchmark.rows:
        if (row.cell.variant, row.cell.backend, row.cell.threads) == (variant, setting.backend, setting.threads):
            return row.result if isinstance(row.result, Summary) else None
    return None


def _candidate(variant: Variant, evaluation: Evaluation, summary: Summary | None) -> Candidate:
    return Candidate(
        name=variant.name,
        model_sha256=variant.model.sha256,
        size_bytes=variant.model.size_bytes,
        accuracy=evaluation.accuracy,
        mcnemar=evaluation.mcnemar,
        latency_us=None if summary is None else summary.latency_us,
        ratio=None if summary is None else summary.ratio,
        other_network=has_other_network(variant.recipe),
        quantised=variant.recipe.convert.format != "float32",
    )


def has_other_network(recipe: Recipe) -> bool:
    """Whether the recipe's file holds another network than the one that was trained."""
    names: set[str] = {settings.name for settings in recipe.passes}
    return NEW_NETWORK in names
