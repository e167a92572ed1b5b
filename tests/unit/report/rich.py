"""Results with every part that a report can have, of version 5; the same again with hostile words in every field."""

import base64
import io

from PIL import Image

from common.schema.benchmark import SessionFacts
from common.schema.choice import Confidence, Overall, RunnerUp, Winner
from common.schema.evaluation import Evaluation
from common.schema.examination import LayerTime, Operator
from common.schema.judgement import Setting
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Flip, Flips, Latency, Measurement, Process, Results, Trace
from tests.unit.report import factories as f

SCRIPT = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
QUOTES = "\"'><svg onload=window.hacked=1> {{7*7}} javascript:window.hacked=1 \u202e\x1b[31m"
BEST = f.NAMES[-1]
BACKENDS = (("xnnpack", 0.31), ("cpu", 1.0))


def thumbnail(shade: int = 90) -> str:
    """A small JPEG in base64."""
    buffer = io.BytesIO()
    Image.new("RGB", (56, 40), (200, shade, 20)).save(buffer, "JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def timed(made: Measurement, kind: str = "CONV_2D", name: str = "conv2d/BiasAdd") -> Measurement:
    """The measurement with a tail, operators and layers."""
    found = made.result
    assert isinstance(found, Latency)
    us = found.latency_us
    delegated = made.backend == "xnnpack"
    operators = (
        Operator(kind=kind, count=4, mean_us=0.8 * us, share=0.8, delegated=delegated),
        Operator(kind="SOFTMAX", count=1, mean_us=0.2 * us, share=0.2, delegated=False),
    )
    layers = (
        LayerTime(index=0, kind=kind, name=name, mean_us=0.8 * us, delegated=delegated),
        LayerTime(index=1, kind="SOFTMAX", name="softmax", mean_us=0.2 * us, delegated=False),
    )
    more = {"p95_us": 1.2 * us, "operators": operators, "layers": layers, "memory_peak_mb": 51.0, "memory_processes": 3}
    return made.model_copy(update={"result": found.model_copy(update=more)})


def evaluation(name: str, right: int, classes: tuple[str, ...]) -> Evaluation:
    """An evaluation whose images are missed and wrongly taken for the first class."""
    made = f.evaluation(name, right, classes=classes)
    wrong = f.IMAGES - right
    missed = wrong // 2
    confusion = ((150 - missed, missed), (wrong - missed, 150 - wrong + missed))
    return made.model_copy(update={"confusion": confusion})


def trace(backend: str, scale: float, target: str) -> Trace:
    """Five rounds of every variant between references, with a discarded process and a failed one."""
    processes: list[Process] = []
    for round_ in range(5):
        for index, (name, us) in enumerate(zip(f.NAMES, f.TIMES, strict=True)):
            place = len(processes)
            processes.append(
                Process(
                    variant=name,
                    round=round_,
                    start_s=2.5 * place,
                    latency_us=None if place == 7 else us * scale * (1 + 0.01 * ((place * 7) % 5)),
                    load=0.2 + 0.05 * (place % 4),
                    reference=index == 0,
                    discarded="run again" if place == 11 else None,
                )
            )
    facts = SessionFacts(
        session=0, rounds=5, processes=25, took_s=61.0, ratios=4, wide=0, width=0.03, again=1, stopped="narrow"
    )
    return Trace(
        target=target, backend=backend, threads=1, session=0, floor=0.021, facts=facts, processes=tuple(processes)
    )


def _flip(number: int, words: str) -> Flip:
    before, name = number % 2, f"fire/{number:03}{words}.jpg"
    return Flip(file=name, label=0, reference_answer=before, variant_answer=1 - before, thumbnail=thumbnail(number))


def rich(words: str = "", classes: tuple[str, ...] = f.CLASSES) -> Results:
    """The results; `words` stand in every field that can hold some."""
    target = f"host{words}"
    settings = [Setting(target=target, backend=backend, threads=1) for backend, _ in BACKENDS]
    chosen = f.choice(f"the smallest that keeps the accuracy{words}", f"The network mattered less{words}.")
    judgement = f.judgement(target=f.host(target))
    won = zip(settings, (BEST, None), strict=True)
    winners = tuple(Winner(setting=setting, best=name, reason=f"it gains most{words}") for setting, name in won)
    chosen = chosen.model_copy(
        update={
            "judgement": judgement,
            "setting": settings[0],
            "confidence": Confidence(word="tentative", reason=f"Its speed is shown, its accuracy is not yet{words}."),
            "runner_up": RunnerUp(name="float16", buys=f"0.3 points of accuracy for twice the size{words}"),
            "winners": winners,
            "overall": Overall(best=BEST, rule=f"the least loss beside the own winner of each{words}"),
            "recommendation": (f"Recommended: this one{words}.", f"The accuracy budget is two points{words}."),
        }
    )
    cells = [
        timed(made, kind=f"CONV_2D{words}"[:64] or "CONV_2D", name=f"conv2d{words}")
        for backend, scale in BACKENDS
        for made in f.measurements(backend, scale, target=target)
    ]
    failed = Failed(reason=f"killed by SIGSEGV{words}", log=f"logs/7{words}.log")
    cells += [
        f.measurement(f.NAMES[0], failed, "gpu", target=target),
        f.measurement(f.NAMES[1], Unsupported(reason=f"no such operator{words}"), "gpu", target=target),
    ]
    shown = tuple(_flip(number, words) for number in range(6))
    variants = tuple(
        f.variant_result(name, size).model_copy(
            update={
                "label": f"{name.replace('_', ' ')}{words}",
                "steps": (f"weights stored as float16{words}",),
                "waived": (f"a fold{words}",) if words else (),
            }
        )
        for name, size in zip(f.NAMES, f.SIZES, strict=True)
    )
    return f.results(
        schema_version=5,
        title=f"Demo: synthetic flames{words}",
        source=f"Measured by edgeproof 0.1.0 on host{words}",
        variants=variants,
        measurements=cells,
        targets=(f.host(target, fact=f"AMD EPYC{words}"),),
        dataset=f.dataset(classes, f"photos{words}", [(f"broken{words}.jpg", f"not a picture{words}")]),
        training=f.training(classes),
        evaluations=tuple(evaluation(name, right, classes) for name, right in zip(f.NAMES, f.ACCURACIES, strict=True)),
        choice=chosen,
        traces=tuple(trace(backend, scale, target) for backend, scale in BACKENDS),
        flips=tuple(Flips(variant=name, won=3, lost=5, shown=shown) for name in (BEST, "float16")),
        warnings=(f"Fewer than 6 rounds: the intervals are wide; raise [benchmark] rounds{words}.",),
        missing=(f"Inference time and run-time memory on NNAPI were not measured{words}.",),
        reproduce=(f"make all EXPERIMENT=experiments/demo.toml{words}",),
    )


def hostile() -> Results:
    """The same with markup, quotes and hidden characters in every field."""
    return rich(f" {SCRIPT} {QUOTES}", (f"Fire{SCRIPT}", f"Non-Fire{QUOTES}"))
