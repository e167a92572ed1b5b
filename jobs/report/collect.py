"""Artifacts of all stages to one results file. Pure: models in, a model out."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from common.intervals import LEAST_FLOOR
from common.numbers import listed
from common.printable import clean
from common.run import checks
from common.run.read import Run
from common.schema.benchmark import Benchmark, Cell, Row, Summary
from common.schema.choice import Choice
from common.schema.given import GivenFile
from common.schema.outcome import Failed, Unsupported
from common.schema.provenance import Provenance
from common.schema.results import Endured, Flips, Latency, Measurement, Results, VariantResult
from common.schema.variant import Variant
from jobs.report.caution_words import words
from jobs.report.names import BACKENDS
from jobs.report.steps import making
from jobs.report.traces import traces

# Those of the published table that need a device.
DEVICE_BACKENDS = ("gpu", "nnapi")
# The facts of a device that name what measured.
TOOL = re.compile(r"\b[Tt]ool\b")


def collect(
    run: Run, choice: Choice | None, flipped: Iterable[Flips], experiment_path: str, own: Provenance
) -> Results:
    """The results file of a run and its choice; `own` is the manifest of the report itself."""
    settings = run.experiment.settings
    targets = tuple(benchmark.target for benchmark in run.benchmarks)
    made = (*run.artifacts, *(() if choice is None else (choice,)))
    provenance = (*(artifact.provenance for artifact in made), own)
    return Results(
        title=settings.title,
        source=f"Measured by edgeproof {own.code.version} on {listed(tuple(target.name for target in targets))}",
        reference=settings.reference,
        reproduce=tuple(_reproduce(run, experiment_path, own)),
        variants=tuple(_variant(variant) for variant in run.variants),
        measurements=tuple(_measurements(run)),
        targets=targets,
        dataset=run.dataset,
        training=run.training,
        evaluations=run.evaluations,
        samples=run.samples,
        answers=run.answers,
        choice=choice,
        sustained=tuple(_endured(run)),
        traces=tuple(traces(run)),
        flips=tuple(flipped),
        warnings=tuple(_warnings(run.benchmarks, provenance)),
        missing=tuple(_missing(run.benchmarks)),
        provenance=provenance,
    )


def _variant(variant: Variant) -> VariantResult:
    broken = [promise.waived for promise in variant.promises if not promise.kept]
    return VariantResult(
        name=variant.name,
        label=variant.name.replace("_", " "),
        steps=tuple(making(variant)),
        size_bytes=variant.model.size_bytes,
        deflated_bytes=variant.deflated_bytes,
        promises_kept=sum(promise.kept for promise in variant.promises),
        promises_total=len(variant.promises),
        waived=tuple(dict.fromkeys(reason for reason in broken if reason is not None)),
        proof=variant.proof,
    )


def _measurements(run: Run) -> Iterator[Measurement]:
    listed_variants = run.experiment.settings.variants
    for benchmark in run.benchmarks:
        for row in benchmark.rows:
            if row.cell.variant in listed_variants:
                yield Measurement(
                    variant=row.cell.variant,
                    target=benchmark.target.name,
                    backend=row.cell.backend,
                    threads=row.cell.threads,
                    runner=row.cell.runner,
                    result=_result(row),
                )


def _endured(run: Run) -> Iterator[Endured]:
    for benchmark in run.benchmarks:
        for one in benchmark.sustained:
            cell = one.cell
            noise = [x for x in benchmark.noise if (x.session, x.backend, x.threads) == (one.session, *_place(cell))]
            floors = [x.floor for x in noise if x.floor is not None]
            if cell.variant in run.experiment.settings.variants:
                yield Endured(target=benchmark.target.name, floor=max([LEAST_FLOOR, *floors]), result=one)


def _place(cell: Cell) -> tuple[str, int]:
    return cell.backend, cell.threads


def _result(row: Row) -> Latency | Unsupported | Failed:
    """What was measured, as it is; what may be said of it stands in the choice."""
    result = row.result
    if not isinstance(result, Summary):
        return result
    several = result.rounds > 1
    looked = row.examination
    return Latency(
        latency_us=result.latency_us,
        low_us=result.latency_low_us if several else None,
        high_us=result.latency_high_us if several else None,
        rounds=result.rounds,
        interval=result.interval,
        ratio=result.ratio,
        init_us=result.init_us,
        first_us=result.first_us,
        p95_us=result.p95_us,
        failed_rounds=row.failed_rounds,
        memory_mb=result.memory_overall_mib,
        memory_peak_mb=result.memory_peak_mib,
        memory_processes=result.memory_processes,
        delegation=result.delegation,
        app_ratio=result.app_ratio,
        answers=None if looked is None else looked.outputs,
        operators=() if looked is None else looked.operators,
        layers=() if looked is None else looked.layers,
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


def _warnings(benchmarks: Sequence[Benchmark], provenance: Sequence[Provenance]) -> Iterator[str]:
    for benchmark in benchmarks:
        prefix = f"{benchmark.target.name}: " if len(benchmarks) > 1 else ""
        yield from (prefix + words(caution) for caution in benchmark.warnings)
    changed = tuple(dict.fromkeys(item.stage for item in provenance if item.code.dirty))
    if changed:
        yield f"The code had changes that no commit holds ({listed(changed)}); commit them and run make again."
    commits = dict.fromkeys((item.stage, item.code.commit[:12]) for item in provenance if item.code.commit)
    if len({commit for _, commit in commits}) > 1:
        stages = ", ".join(f"{stage} {commit}" for stage, commit in commits)
        yield f"The stages ran at different commits ({stages}); run make clean all for a run of one commit."


def _reproduce(run: Run, experiment_path: str, own: Provenance) -> Iterator[str]:
    if own.code.commit is not None:
        yield f"git checkout {shlex.quote(own.code.commit)}"
    settings, used = run.experiment.settings.data, run.dataset
    data = []
    if used is not None and used.source != settings.source:
        data.append(f"DATA={used.source}")
        if used.source_kind == "url" and (digest := checks.used(used, "data")) is not None:
            data.append(f"DATA_SHA256={digest}")
    for benchmark in run.benchmarks:
        target = benchmark.target
        device = [] if target.kind == "host" else [f"DEVICE={target.serial or target.name}"]
        yield shlex.join(["make", "all", *_what(run, experiment_path), *data, *device])
        programs = [f"{label}: {value}" for label, value in target.facts if TOOL.search(label)]
        if target.kind == "android" and programs:
            yield clean(f"# with {'; '.join(programs)}; a build of your own goes into BENCHMARK_BINARY")


def _what(run: Run, experiment_path: str) -> list[str]:
    """The experiment, or the files that make's MODELS named: their experiment is made from them."""
    making = run.experiment.settings.variants
    if Path(experiment_path).name != "models.toml" or not all(isinstance(m, GivenFile) for m in making.values()):
        return [f"EXPERIMENT={experiment_path}"]
    files = [Path(made.file).name for made in making.values() if isinstance(made, GivenFile)]
    first = making[run.experiment.settings.reference]
    reference = Path(first.file).name if isinstance(first, GivenFile) else ""
    named = [] if reference == files[0] else [f"REFERENCE={reference}"]
    source = run.experiment.settings.inputs.source
    return [f"MODELS={shlex.join(files)}", *named, *([f"INPUTS={source}"] if source else [])]
