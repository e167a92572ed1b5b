"""Artifacts of all stages to one results file. Pure: models in, a model out."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from common.experiment import LoadedExperiment
from common.numbers import listed
from common.schema.base import Interval
from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.outcome import Failed, Unsupported
from common.schema.provenance import Artifact, Provenance
from common.schema.results import Latency, Measurement, Results, VariantResult
from common.schema.training import Training
from common.schema.variant import Variant
from jobs.report import checks
from jobs.report.names import BACKENDS
from jobs.report.steps import steps

# Those of the published table that need a device.
DEVICE_BACKENDS = ("gpu", "nnapi")


@dataclass(frozen=True)
class Artifacts:
    """All inputs. `variants` and `evaluations` are in the experiment's order."""

    experiment: LoadedExperiment
    experiment_path: str
    dataset: Dataset
    dataset_sha256: str
    training: Training
    training_sha256: str
    variants: tuple[Variant, ...]
    evaluations: tuple[Evaluation, ...]
    benchmarks: tuple[Benchmark, ...]
    choice: Choice | None = None

    @property
    def all(self) -> tuple[Artifact, ...]:
        """Every artifact, in the order of the stages."""
        chosen = () if self.choice is None else (self.choice,)
        return (self.dataset, self.training, *self.variants, *self.evaluations, *self.benchmarks, *chosen)


def check(given: Artifacts) -> None:
    """Raise UsageError when the artifacts are not of one run."""
    settings = given.experiment.settings
    checks.check_training(given.training, given.dataset, given.dataset_sha256)
    for name, variant in zip(settings.variants, given.variants, strict=True):
        checks.check_variant(name, variant, settings, given.dataset_sha256, given.training_sha256)
    for evaluation, variant in zip(given.evaluations, given.variants, strict=True):
        checks.check_evaluation(evaluation, variant, settings.reference, given.dataset_sha256)
    checks.check_targets(given.benchmarks)
    for benchmark in given.benchmarks:
        checks.check_benchmark(benchmark, given.variants, settings.reference)


def collect(given: Artifacts, own: Provenance) -> Results:
    """The results file; `own` is the manifest of the report itself. Raises UsageError as `check` does."""
    check(given)
    settings = given.experiment.settings
    targets = tuple(benchmark.target for benchmark in given.benchmarks)
    return Results(
        title=settings.title,
        source=f"Measured by edgeproof {own.code.version} on {listed(tuple(target.name for target in targets))}",
        reference=settings.reference,
        reproduce=tuple(_reproduce(given, own)),
        variants=tuple(_variant(variant) for variant in given.variants),
        measurements=tuple(_measurements(given)),
        targets=targets,
        dataset=given.dataset,
        training=given.training,
        evaluations=given.evaluations,
        choice=given.choice,
        warnings=tuple(_warnings(given, own)),
        missing=tuple(_missing(given.benchmarks)),
        provenance=(*(artifact.provenance for artifact in given.all), own),
    )


def _variant(variant: Variant) -> VariantResult:
    broken = [promise.waived for promise in variant.promises if not promise.kept]
    return VariantResult(
        name=variant.name,
        label=variant.name.replace("_", " "),
        steps=tuple(steps(variant.recipe)),
        size_bytes=variant.model.size_bytes,
        deflated_bytes=variant.deflated_bytes,
        promises_kept=sum(promise.kept for promise in variant.promises),
        promises_total=len(variant.promises),
        waived=tuple(dict.fromkeys(reason for reason in broken if reason is not None)),
        proof=variant.proof,
    )


def _measurements(given: Artifacts) -> Iterator[Measurement]:
    listed_variants = given.experiment.settings.variants
    for benchmark in given.benchmarks:
        for row in benchmark.rows:
            if row.cell.variant in listed_variants:
                yield Measurement(
                    variant=row.cell.variant,
                    target=benchmark.target.name,
                    backend=row.cell.backend,
                    threads=row.cell.threads,
                    runner=row.cell.runner,
                    result=_result(row, compared=not benchmark.target.functional_only),
                )


def _result(row: Row, *, compared: bool) -> Latency | Unsupported | Failed:
    result = row.result
    if not isinstance(result, Summary):
        return result
    several = result.rounds > 1
    looked = row.examination
    answers = None if looked is None else looked.outputs
    # A fast wrong model is compared with nothing.
    right = answers is None or answers.wrong is None
    ratio: Interval | None = result.ratio if compared and right else None
    return Latency(
        latency_us=result.latency_us,
        low_us=result.latency_low_us if several else None,
        high_us=result.latency_high_us if several else None,
        rounds=result.rounds,
        interval=result.interval,
        ratio=ratio,
        init_us=result.init_us,
        first_us=result.first_us,
        memory_mb=result.memory_overall_mib,
        delegation=result.delegation,
        app_ratio=result.app_ratio if compared else None,
        answers=answers,
        operators=() if looked is None else looked.operators,
    )


def _missing(benchmarks: tuple[Benchmark, ...]) -> Iterator[str]:
    """What the published table has and these benchmarks have not."""
    measured = {row.cell.backend for benchmark in benchmarks for row in benchmark.rows}
    if "cpu" not in measured:
        yield "Inference time and run-time memory on CPU were not measured: the experiment does not list this backend."
    absent = tuple(BACKENDS[backend] for backend in DEVICE_BACKENDS if backend not in measured)
    if not absent:
        return
    names = listed(tuple(benchmark.target.name for benchmark in benchmarks))
    if any(benchmark.target.kind == "android" for benchmark in benchmarks):
        why = f"the benchmark on {names} did not include {'them' if len(absent) > 1 else 'it'}"
    else:
        need = "they need" if len(absent) > 1 else "it needs"
        why = f"{need} an Android device, and this run measured on {names}"
    yield f"Inference time and run-time memory on {listed(absent)} were not measured: {why}."


def _warnings(given: Artifacts, own: Provenance) -> Iterator[str]:
    for benchmark in given.benchmarks:
        prefix = f"{benchmark.target.name}: " if len(given.benchmarks) > 1 else ""
        yield from (prefix + warning for warning in benchmark.warnings)
    provenance = [*(artifact.provenance for artifact in given.all), own]
    changed = tuple(dict.fromkeys(item.stage for item in provenance if item.code.dirty))
    if changed:
        yield f"The code had changes that no commit holds ({listed(changed)}); commit them and run make again."
    commits = dict.fromkeys((item.stage, item.code.commit[:12]) for item in provenance if item.code.commit)
    if len({commit for _, commit in commits}) > 1:
        stages = ", ".join(f"{stage} {commit}" for stage, commit in commits)
        yield f"The stages ran at different commits ({stages}); run make clean all for a run of one commit."


def _reproduce(given: Artifacts, own: Provenance) -> Iterator[str]:
    if own.code.commit is not None:
        yield f"git checkout {shlex.quote(own.code.commit)}"
    settings, used = given.experiment.settings.data, given.dataset
    data = []
    if used.source != settings.source:
        data.append(f"DATA={used.source}")
        if used.source_kind == "url" and (digest := checks.used(used, "data")) is not None:
            data.append(f"DATA_SHA256={digest}")
    for benchmark in given.benchmarks:
        target = benchmark.target
        device = [] if target.kind == "host" else [f"DEVICE={target.serial or target.name}"]
        yield shlex.join(["make", "all", f"EXPERIMENT={given.experiment_path}", *data, *device])
