"""The benchmark stage: all variants of an experiment on one target."""

import os
from pathlib import Path

from common.artifact import file_ref, read, verified, write_model, writing
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.provenance import Recorder
from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.inputs import Samples
from common.schema.outcome import Failed
from common.schema.variant import Variant
from jobs.benchmark import memory, protocol, sustained
from jobs.benchmark.cautions import cautions
from jobs.benchmark.clock import Clock, SystemClock
from jobs.benchmark.host_facts import busy_cores
from jobs.benchmark.ledger import Ledger, check
from jobs.benchmark.rows import noises, rows, sessions
from jobs.benchmark.targets import Target
from jobs.benchmark.wanted import want_on

ARTIFACT = "benchmark.json"
LEDGER = "ledger.jsonl"
PACKAGES = ("ai-edge-litert", "numpy")


def benchmark(
    experiment: LoadedExperiment,
    variants: Path,
    target: Target,
    output: Path,
    *,
    samples: Path | None = None,
    named: bool = False,
    clock: Clock | None = None,
) -> Benchmark:
    """Measure every variant below folder `variants` on `target` and write `output`; with `named` every line of the
    progress begins with the target's name. `samples` is the folder of what they are fed with; what was measured with
    others is not mixed in.

    Goes on from the ledger in `output`. Raises UsageError when a variant is missing or was changed,
    EdgeproofError when nothing could be measured.
    """
    recorder = Recorder("benchmark", experiment)
    reference = experiment.settings.reference
    made = {name: read(variants / name / "variant.json", Variant) for name in experiment.settings.variants}
    models = {name: verified(variants / name, variant.model) for name, variant in made.items()}
    npu = {name: variant.compiled.model for name, variant in made.items() if variant.compiled is not None}
    compiled = {name: verified(variants / name, model) for name, model in npu.items()}
    environment = target.environment()
    settings = experiment.settings.benchmark.on(environment.kind)
    fed = None if samples is None else read(samples / "inputs.json", Samples).arrays.sha256
    # The load average still counts the stages before this one.
    busy = busy_cores() if environment.kind == "host" else 0.0
    wanted = want_on(
        environment,
        made,
        settings,
        reference=reference,
        seed=experiment.settings.seed,
        runners={backend: target.runners(backend) for backend in settings.backends},
        samples_sha256=fed,
    )
    # Before the old result is taken away; the ledger is read for good when no one else can write it.
    check(output / LEDGER)
    with writing(output, ARTIFACT, variants):
        ledger = Ledger(output / LEDGER)
        prefix = f"{environment.name}  " if named else ""
        bench = protocol.Bench(
            target, models, settings, output / "logs", prefix, clock or SystemClock(), compiled=compiled
        )
        protocol.run(bench, ledger, wanted)
        memory.run(bench, ledger, wanted)
        results = rows(ledger.index, wanted)
        _require_some(results)
        found, told = noises(ledger.index, wanted), sessions(ledger.index, wanted)
        loaded = sustained.chosen(results, settings, experiment.settings.choose, reference)
        endured = sustained.run(bench, ledger, loaded)
        states = [line for one in told for line in ledger.index.states(one.session)]
        unfed = {cell: why for cell in wanted.cells if (why := target.unfed(cell)) is not None}
        inputs = {f"variant {name}": variant.model.sha256 for name, variant in made.items()}
        inputs |= {f"variant {name} for the NPU": model.sha256 for name, model in npu.items()}
        inputs |= {} if fed is None else {"samples": fed}
        result = Benchmark(
            provenance=recorder.finish(inputs, PACKAGES),
            target=environment,
            reference=reference,
            settings=settings,
            rows=results,
            ledger=file_ref(output / LEDGER, output),
            warnings=cautions(
                results,
                environment,
                found,
                told,
                cores=os.cpu_count() or 1,
                busy=busy,
                unfed=unfed,
                states=states,
            ),
            noise=found,
            sessions=told,
            sustained=endured,
        )
        write_model(output / ARTIFACT, result)
    return result


def _require_some(results: tuple[Row, ...]) -> None:
    if any(isinstance(row.result, Summary) for row in results):
        return
    found = [row.result for row in results if not isinstance(row.result, Summary)]
    first = next((result for result in found if isinstance(result, Failed)), found[0])
    hint: str | None = "list a backend that this target has"
    if isinstance(first, Failed):
        # What has no log says itself what to do.
        hint = f"see {first.log}" if first.log else None
    raise EdgeproofError(f"no variant could be measured: {first.reason}", hint=hint)
