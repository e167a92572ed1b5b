"""Judged variants to candidates. Pure."""

from common.run.judge import Subject
from common.run.read import Run
from common.schema.benchmark import Benchmark, Summary
from common.schema.choice import Candidate
from common.schema.judgement import Judgement, Setting, Speed
from common.schema.recipe import Recipe
from common.schema.variant import Variant

# The pass that trains another, smaller network from the trained one.
NEW_NETWORK = "distill"
# Nothing in these speaks against the latency itself.
STILL_A_LATENCY = ("too busy", "too few rounds", "reference")


def candidates(run: Run, judgement: Judgement) -> tuple[Candidate, ...]:
    """A candidate per variant, in the run's order."""
    return tuple(candidate(subject, judgement, run.benchmarks) for subject in run.subjects)


def candidate(subject: Subject, judgement: Judgement, benchmarks: tuple[Benchmark, ...]) -> Candidate:
    """What a variant is judged by."""
    variant, evaluation, answers = subject.variant, subject.evaluation, subject.answers
    place = judgement.deciding
    speed = None if place is None else judgement.speed(variant.name, place)
    return Candidate(
        name=variant.name,
        model_sha256=variant.model.sha256,
        size_bytes=variant.model.size_bytes,
        accuracy=None if evaluation is None else evaluation.accuracy,
        mcnemar=None if evaluation is None else evaluation.mcnemar,
        latency_us=None if place is None else _latency_us(variant.name, place, speed, benchmarks),
        ratio=None if speed is None else speed.ratio,
        other_network=variant.recipe is not None and has_other_network(variant.recipe),
        quantised=is_quantised(variant),
        difference=None if speed is None else speed.verdict,
        keeping=judgement.of(variant.name).accuracy,
        score=None if answers is None or answers.score is None else answers.score.value,
    )


def is_quantised(variant: Variant) -> bool:
    """Whether its numbers are not stored in float32; of a given file, whether any of its weights are not."""
    if variant.recipe is not None:
        return variant.recipe.convert.format != "float32"
    return any(tensor.quantization is not None or tensor.dtype == "float16" for tensor in variant.tensors)


def _latency_us(name: str, place: Setting, speed: Speed | None, benchmarks: tuple[Benchmark, ...]) -> float | None:
    """The latency in the deciding setting, where it is a result of it."""
    if speed is None or (speed.obstacle is not None and speed.obstacle.cause not in STILL_A_LATENCY):
        return None
    wanted = (name, place.target, place.backend, place.threads, place.runner)
    for benchmark in benchmarks:
        for row in benchmark.rows:
            cell = row.cell
            found = (cell.variant, benchmark.target.name, cell.backend, cell.threads, cell.runner)
            if found == wanted and isinstance(row.result, Summary):
                return row.result.latency_us
    return None


def has_other_network(recipe: Recipe) -> bool:
    """Whether the recipe's file holds another network than the one that was trained."""
    names: set[str] = {settings.name for settings in recipe.passes}
    return NEW_NETWORK in names
