"""Results and artifacts for the report's tests, as small as their models allow."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.artifact import file_ref, write_model
from common.intervals import interval
from common.proportion import wilson
from common.run.judge import Evidence, Subject, judge
from common.run.speed import Target
from common.schema.base import FileRef, Interval
from common.schema.benchmark import Benchmark, MemoryLine, Noise, RoundRatio, Row, RunLine, SessionLine, Summary
from common.schema.benchmark import Cell as BenchmarkCell
from common.schema.choice import Candidate, Choice, Standing
from common.schema.convert import Convert
from common.schema.dataset import Dataset, Duplicates, Quarantined, Split
from common.schema.environment import Environment
from common.schema.evaluation import ClassScore, Evaluation, KerasAgreement, McNemar
from common.schema.experiment import Benchmark as Settings
from common.schema.experiment import Choose
from common.schema.judgement import Judgement, Setting
from common.schema.outcome import Failed, Measured, Memory, Stat, Unsupported
from common.schema.provenance import Code, InputRef, Provenance, Runtime
from common.schema.recipe import Recipe
from common.schema.results import Latency, Measurement, Results, VariantResult
from common.schema.tflite import AskedRuntime, DomainTotal, Proof, Refusal
from common.schema.training import Epoch, Training
from common.schema.variant import Promise, Variant

SHA = "0123456789abcdef" * 4
OTHER_SHA = "fedcba9876543210" * 4
CLASSES = ("Fire", "Non-Fire")
NAMES = ("baseline", "dynamic_range", "float16", "clustered_dynamic_range", "pruned_dynamic_range")
SIZES = (8_500_692, 2_139_824, 4_259_900, 2_139_824, 2_139_824)
ACCURACIES = (290, 289, 290, 270, 288)
TIMES = (6719.84, 5375.0, 6703.2, 7401.7, 5032.5)
IMAGES = 300
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def file(path: str, sha256: str = SHA, size: int = 10) -> FileRef:
    """A reference to a file."""
    return FileRef(path=path, sha256=sha256, size_bytes=size)


def provenance(stage: str, commit: str | None = "a" * 40, dirty: bool = False, **inputs: str) -> Provenance:
    """A manifest; `inputs` maps roles to hashes."""
    return Provenance(
        stage=stage,
        experiment="demo",
        experiment_sha256=SHA,
        seed=42,
        inputs=tuple(InputRef(role=role, sha256=sha256) for role, sha256 in inputs.items()),
        code=Code(version="0.1.0", commit=commit, dirty=None if commit is None else dirty, tree_sha256=SHA),
        runtime=Runtime(kind="local", image=None, lock_sha256=SHA),
        versions={"python": "3.11.7", "numpy": "2.4.6"},
        started_at=WHEN,
        finished_at=WHEN,
        duration_s=1.5,
    )


def dataset(
    classes: Sequence[str] = CLASSES, source: str = "photos", quarantine: Sequence[tuple[str, str]] = ()
) -> Dataset:
    """A card of 450 images for training and 150 for validation per class, and of no test images."""
    split = {
        name: Split(
            images=file(f"{name}_images.npy"),
            labels=file(f"{name}_labels.npy"),
            count=count * len(classes),
            per_class=(count,) * len(classes),
        )
        for name, count in (("train", 450), ("validation", 150))
    }
    return Dataset(
        schema_version=1,
        provenance=provenance("dataset", data=SHA),
        source=source,
        source_kind="folder",
        classes=tuple(classes),
        height=128,
        width=128,
        train=split["train"],
        validation=split["validation"],
        items=file("items.jsonl"),
        quarantine=tuple(Quarantined(file=name, reason=reason) for name, reason in quarantine),
        duplicates=Duplicates(exact_dropped=3, near_groups=2, near_images=5, conflicting=("a.jpg = b.jpg",)),
        colour_baseline=wilson(231, IMAGES),
        contact_sheet=file("contact_sheet.jpg"),
        decode_images_per_s=812.4,
        bad_share=0.01,
    )


def training(classes: Sequence[str] = CLASSES, epochs: int = 16) -> Training:
    """A training whose loss falls and whose best epoch is the last but one."""
    course = tuple(
        Epoch(
            epoch=number,
            loss=0.7 / number,
            accuracy=1 - 0.4 / number,
            val_loss=0.8 / number + 0.02 * (number % 3),
            val_accuracy=1 - 0.45 / number,
            learning_rate=1e-3,
            seconds=4.2,
        )
        for number in range(1, epochs + 1)
    )
    return Training(
        provenance=provenance("train", dataset=SHA),
        architecture="FireDetectionNet",
        parameters=2_117_346,
        classes=tuple(classes),
        input_shape=(128, 128, 3),
        model=file("model.h5"),
        curves=file("curves.svg"),
        epochs=course,
        best_epoch=max(1, epochs - 1),
        resumed_at=(3,),
        class_weights=(1.0,) * len(classes),
        imbalance="training images per class Fire: 450, Non-Fire: 450; the largest class has 1.00 times the smallest",
        device="CPU",
        images_per_s=214.5,
    )


def evaluation(name: str, right: int, reference: str = "baseline", classes: Sequence[str] = CLASSES) -> Evaluation:
    """An evaluation in which `right` of 300 images are right; the reference has 290."""
    base = ACCURACIES[0]
    worse, better = max(0, base - right), max(0, right - base)
    p = 1.0 if right == base else 0.42 if abs(base - right) < 10 else 0.00002
    test = McNemar(reference=reference, only_reference_right=worse, only_variant_right=better, p_value=p)
    rest = [[0] * len(classes) for _ in classes]
    rest[0][0], rest[1][1], rest[1][0] = IMAGES // 2, right - IMAGES // 2, IMAGES - right
    scores = tuple(ClassScore(name=c, support=150, precision=0.95, recall=0.9, f1=None) for c in classes)
    return Evaluation(
        provenance=provenance("evaluate", dataset=SHA, model=SHA),
        variant=name,
        model_sha256=SHA,
        classes=tuple(classes),
        count=IMAGES,
        accuracy=wilson(right, IMAGES),
        per_class=scores,
        roc_auc=0.9912,
        confusion=tuple(tuple(row) for row in rest),
        keras=KerasAgreement(top1=wilson(IMAGES - 1, IMAGES), max_abs_difference=0.0031),
        mcnemar=None if name == reference else test,
        outputs=file("outputs.npy"),
    )


def proof(**changes: object) -> Proof:
    """What was read from an int8 file of 1.5 million MACs with a float island."""
    parts: dict[str, object] = {
        "macs": 1_500_000,
        "weight_bytes": 250_000,
        "file_bytes": 260_000,
        "deflated_bytes": 240_000,
        "domains": (
            DomainTotal(domain="int8", operators=5, macs=1_200_000),
            DomainTotal(domain="float32", operators=2, macs=300_000),
        ),
        "float_islands": (("EXP", "LOG"),),
        "quantize": 1,
        "dequantize": 1,
        "pairs": 0,
        "refusals": (Refusal(operator="SOFTMAX", reason="int8 input", count=2, taken=False),),
        "sparse_refusal": "it has no convolution",
        "xnnpack": AskedRuntime(runtime="ai-edge-litert 2.3.0", machine="x86_64", rules="ai-edge-litert 2.3.0"),
        "metadata": (),
    }
    return Proof.model_validate({**parts, **changes})


def variant_result(name: str, size: int) -> VariantResult:
    """A variant's file."""
    return VariantResult(
        name=name,
        label=name.replace("_", " "),
        steps=("weights stored as float16",),
        size_bytes=size,
        deflated_bytes=size // 2,
        promises_kept=11,
        promises_total=11 if "clustered" not in name else 13,
        waived=() if "clustered" not in name else ("a BatchNormalization is in the kernel",),
        proof=proof(),
    )


def latency(us: float, reference_us: float | None, rounds: int = 5) -> Latency:
    """A latency with 5 % of spread, or from one round."""
    several = rounds > 1
    value = None if reference_us is None else reference_us / us
    return Latency(
        latency_us=us,
        low_us=us * 0.97 if several else None,
        high_us=us * 1.05 if several else None,
        rounds=rounds,
        interval=Interval(value=us, low=us * 0.98, high=us * 1.03) if several else None,
        ratio=Interval(value=value, low=value * 0.98, high=value * 1.03) if several and value else None,
        init_us=812.5,
        first_us=us * 1.7,
        memory_mb=11.4,
    )


def host(name: str = "host", *, functional_only: bool = False, fact: str = "AMD EPYC") -> Environment:
    """A target."""
    return Environment(
        kind="android" if functional_only else "host",
        name=name,
        fingerprint=SHA,
        functional_only=functional_only,
        facts=(("CPU", fact), ("Cores usable", "2")),
    )


def measurement(name: str, result: Latency | Unsupported | Failed, backend: str = "cpu", **kwargs: str) -> Measurement:
    """A measurement with one thread on the host, or on `target`."""
    return Measurement(
        variant=name,
        target=kwargs.get("target", "host"),
        backend=backend,
        threads=int(kwargs.get("threads", "1")),
        result=result,
    )


def measurements(backend: str = "cpu", scale: float = 1.0, rounds: int = 5, target: str = "host") -> list[Measurement]:
    """Every variant of NAMES on one backend."""
    made = []
    for name, us in zip(NAMES, TIMES, strict=True):
        reference = None if name == "baseline" else TIMES[0] * scale
        made.append(measurement(name, latency(us * scale, reference, rounds), backend, target=target))
    return made


def results(**changes: object) -> Results:
    """A complete results file with five variants on two backends of the host; `changes` replace parts."""
    parts: dict[str, object] = {
        "title": "Demo: synthetic flames",
        "source": "Measured by edgeproof 0.1.0 on host",
        "reference": "baseline",
        "reproduce": ("git checkout " + "a" * 40, "make all EXPERIMENT=experiments/demo.toml"),
        "variants": tuple(variant_result(name, size) for name, size in zip(NAMES, SIZES, strict=True)),
        "measurements": (*measurements("cpu"), *measurements("xnnpack", 0.31)),
        "targets": (host(),),
        "dataset": dataset(quarantine=[(f"broken/{i}.jpg", "not a picture") for i in range(23)]),
        "training": training(),
        "evaluations": tuple(evaluation(name, right) for name, right in zip(NAMES, ACCURACIES, strict=True)),
        "warnings": ("Fewer than 5 rounds: the intervals are rough; raise [benchmark] rounds.",),
        "missing": ("Inference time and run-time memory on GPU and NNAPI were not measured.",),
        "provenance": (provenance("dataset"), provenance("train"), provenance("report")),
    }
    return Results.model_validate({**parts, **{k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}})


def variant(name: str, recipe: Recipe, sha256: str = SHA) -> Variant:
    """A variant of the dataset and training whose hashes are given in `sha256` of its inputs."""
    return Variant(
        provenance=provenance("optimize", dataset=SHA, training=SHA),
        name=name,
        recipe=recipe,
        classes=CLASSES,
        model=file(f"{name}.tflite", sha256),
        deflated_bytes=5,
        keras_outputs=file("keras_outputs.npy"),
        passes=(),
        inputs=(),
        outputs=(),
        operators={"CONV_2D": 3},
        tensors=(),
        promises=(
            Promise(claim="type", subject="a", expected="int8", observed="int8", kept=True),
            Promise(claim="clusters", subject="b", expected="<= 8", observed="90", kept=False, waived="folded"),
        ),
    )


def summary(us: float, reference_us: float | None, rounds: int = 5) -> Summary:
    """A cell's summary; its rounds differ by 2 %, and from those of another by their ratio alone."""
    shown = latency(us, reference_us, rounds)
    told = [] if shown.ratio is None else [shown.ratio.value * (1 + 0.01 * (-1) ** round_) for round_ in range(rounds)]
    return Summary(
        rounds=rounds,
        latency_us=us,
        latency_low_us=us if shown.low_us is None else shown.low_us,
        latency_high_us=us if shown.high_us is None else shown.high_us,
        interval=shown.interval,
        ratio=interval(told),
        paired_rounds=len(told),
        ratios=tuple(RoundRatio(round=round_, value=value) for round_, value in enumerate(told)),
        equivalence=interval(told, 0.9),
        init_us=1.0,
        first_us=2.0,
        warmup_us=3.0,
        std_us=None,
        p5_us=None,
        p95_us=None,
        memory_init_mib=4.0,
        memory_overall_mib=5.0,
    )


def benchmark(rows: Sequence[Row], target: Environment | None = None) -> Benchmark:
    """A benchmark of rows."""
    return Benchmark(
        provenance=provenance("benchmark"),
        target=target or host(),
        reference="baseline",
        settings=Settings(),
        rows=tuple(rows),
        ledger=file("ledger.jsonl"),
        warnings=("Fewer than 5 rounds.",),
    )


def row(name: str, result: Summary | Unsupported | Failed, backend: str = "cpu", sha256: str = SHA) -> Row:
    """A row of one thread."""
    return Row(
        cell=BenchmarkCell(variant=name, model_sha256=sha256, backend=backend, threads=1),
        session=0,
        result=result,
        failed_rounds=0,
    )


def noise(backend: str = "cpu", floor: float | None = 0.02, *, too_busy: bool = False) -> Noise:
    """What the references of session 0 told."""
    return Noise(
        session=0,
        backend=backend,
        threads=1,
        runner="binary",
        floor=floor,
        pairs=12,
        segments=12,
        redone=0,
        too_busy=too_busy,
    )


def answers(counted: Evaluation) -> npt.NDArray[np.float32]:
    """Outputs that an evaluation would count as it does."""
    taken = [sum(column) for column in zip(*counted.confusion, strict=True)]
    return np.repeat(np.eye(len(taken), dtype=np.float32), taken, axis=0)


def write_benchmark(folder: Path, made: Benchmark) -> None:
    """A benchmark with the ledger that it rests on."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = tuple(row.cell for row in made.rows)
    session = SessionLine(
        session=0, seed=1, cells=cells, rounds=5, fingerprint=SHA, settings_sha256=SHA, started_at=WHEN
    )
    lines = [session.model_dump_json()]
    for row in made.rows:
        if isinstance(row.result, Summary):
            lines += [run_line(row, row.result, number).model_dump_json() for number in range(row.result.rounds)]
            lines += [_remembered(row, row.result).model_dump_json()] * row.result.memory_processes
    ledger = folder / "ledger.jsonl"
    ledger.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    write_model(folder / "benchmark.json", made.model_copy(update={"ledger": file_ref(ledger, folder)}))


def _remembered(row: Row, summary: Summary) -> MemoryLine:
    overall = round(summary.memory_overall_mib * 1024)
    return MemoryLine(
        session=row.session, cell=row.cell, outcome=Memory(init_kib=1, overall_kib=overall, peak_kib=overall + 1)
    )


def run_line(row: Row, summary: Summary, number: int) -> RunLine:
    """A process of round `number` that took what the summary says."""
    us = summary.latency_us
    stat = Stat(count=1, mean_us=us, median_us=us, min_us=us, max_us=us, std_us=None, p5_us=us, p95_us=us)
    outcome = Measured(init_us=1.0, first_us=2.0, warmup=stat, steady=stat, memory_init_kib=4, memory_overall_kib=5)
    return RunLine(
        session=row.session,
        round=number,
        order=0,
        cell=row.cell,
        started_at=WHEN,
        load_1min=None,
        outcome=outcome,
        warmup_samples_us=(us,),
        samples_us=(us,),
    )


def judgement(
    rows: Sequence[Row] | None = None,
    target: Environment | None = None,
    noises: Sequence[Noise] = (),
    rules: Choose | None = None,
) -> Judgement:
    """What the judge says of NAMES with ACCURACIES; measured on two backends of the host unless there are `rows`."""
    if rows is None:
        rows = [
            row(name, summary(us * scale, None if name == NAMES[0] else TIMES[0] * scale), backend)
            for backend, scale in (("cpu", 1.0), ("xnnpack", 0.31))
            for name, us in zip(NAMES, TIMES, strict=True)
        ]
    made = benchmark(rows, target).model_copy(update={"noise": tuple(noises)})
    recipe = Recipe(convert=Convert(format="float16"))
    subjects = tuple(
        Subject(variant(name, recipe), evaluation(name, right)) for name, right in zip(NAMES, ACCURACIES, strict=True)
    )
    return judge(Evidence(NAMES[0], subjects, (Target(made),), rules or Choose()))


def choice(reason: str = "no worse and once better", network: str | None = None) -> Choice:
    """The choice of the last of NAMES; the other verdicts are in the order of NAMES."""
    verdicts = ("dominated", "on the front", "not measured", "shown to lose", "best")
    standings = []
    for name, size, right, us, verdict in zip(NAMES, SIZES, ACCURACIES, TIMES, verdicts, strict=True):
        measured = latency(us, None if name == "baseline" else TIMES[0]) if verdict != "not measured" else None
        candidate = Candidate(
            name=name,
            model_sha256=SHA,
            size_bytes=size,
            accuracy=wilson(right, IMAGES),
            mcnemar=evaluation(name, right).mcnemar,
            latency_us=None if measured is None else us,
            ratio=None if measured is None else measured.ratio,
            other_network=False,
            quantised=name != "baseline",
        )
        on_front = verdict in {"best", "on the front"}
        standings.append(
            Standing.model_validate(
                {
                    "candidate": candidate,
                    "eligible": on_front,
                    "on_front": on_front,
                    "dominated_by": NAMES[-1] if verdict == "dominated" else None,
                    "verdict": verdict,
                    "reason": reason,
                }
            )
        )
    return Choice(
        provenance=provenance("choose"),
        reference="baseline",
        rules=Choose(),
        setting=Setting(target="host", backend="xnnpack", threads=1),
        standings=tuple(standings),
        smallest=NAMES[-1],
        fastest=NAMES[-1],
        best=NAMES[-1],
        recommendation=("Recommended: pruned dynamic range, the smallest.", "To keep the accuracy means this."),
        network=network,
        model=file("pruned_dynamic_range.tflite"),
        card=file("model_card.md"),
        judgement=judgement(),
    )
