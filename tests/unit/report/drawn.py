"""Results for the charts' tests: any number of variants with everything that a chart shows, and SVG read back."""

import random
from collections.abc import Sequence

from common.proportion import wilson
from common.schema.base import Interval
from common.schema.benchmark import Cell, RoundRatio, Sustained, SustainedPoint
from common.schema.choice import Candidate, Choice, Standing, Verdict
from common.schema.evaluation import ClassScore, Evaluation, McNemar
from common.schema.examination import LayerTime, Operator
from common.schema.experiment import Choose
from common.schema.judgement import Difference, Judgement, Keeping, Kept, Obstacle, Setting, Speed, VariantJudgement
from common.schema.power import NoEnergy
from common.schema.results import (
    Discarded,
    Endured,
    Flips,
    Latency,
    Measurement,
    Process,
    Results,
    Trace,
    VariantResult,
)
from common.schema.tflite import Domain, DomainTotal
from tests.unit.report import factories as f

IMAGES = 300
CLASSES = ("Fire", "Non-Fire", "Smoke")
PLACE = Setting(target="host", backend="xnnpack", threads=1)
VERDICTS: tuple[Verdict, ...] = ("dominated", "on the front", "not shown", "shown to lose", "ruled out", "dominated")
DIFFERENCES: tuple[Difference, ...] = ("faster", "faster", "as fast", "not resolved", "slower", "not compared")
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "MAX_POOL_2D", "ADD", "QUANTIZE", "MEAN")


def names(count: int) -> list[str]:
    """The reference, then the others."""
    return ["baseline", *(f"variant_{number}" for number in range(1, count))]


def results(count: int = 7, seed: int = 0, labels: Sequence[str] = (), places: Sequence[Setting] = (PLACE,)) -> Results:
    """A run of so many variants, of which the second is recommended; everything but the seed is fixed."""
    drawn = random.Random(seed)  # noqa: S311
    every = names(count)
    called = [*labels, *(f"{name} label" for name in every[len(labels) :])]
    variants = [_variant(name, label, drawn) for name, label in zip(every, called, strict=True)]
    times = {name: 900.0 * drawn.uniform(0.8, 8) if number else 6700.0 for number, name in enumerate(every)}
    cells = [_cell(place, name, times, drawn) for place in places for name in every]
    evaluations = [_evaluation(name, number, drawn) for number, name in enumerate(every)]
    return f.results(
        variants=variants,
        measurements=cells,
        evaluations=evaluations,
        targets=[f.host(target) for target in dict.fromkeys(place.target for place in places)],
        choice=_choice(variants, evaluations, cells, places, drawn),
        traces=[_trace(place, every, times, drawn) for place in places],
        flips=[
            Flips(variant=e.variant, won=e.mcnemar.only_variant_right, lost=e.mcnemar.only_reference_right)
            for e in evaluations
            if e.mcnemar is not None
        ],
        sustained=[_endured(name, times[name], drawn) for name in every[:4]],
    )


def _variant(name: str, label: str, drawn: random.Random) -> VariantResult:
    size = int(8.5e6 / drawn.choice((1, 2, 4, 4, 8)))
    made = f.variant_result("baseline", size)
    macs = size * 3
    kinds: tuple[Domain, ...] = (
        ("float32",) if name == "baseline" else drawn.choice((("int8", "float32"), ("hybrid",), ("float32",)))
    )
    proof = f.proof().model_copy(
        update={
            "macs": macs * len(kinds),
            "domains": tuple(DomainTotal(domain=kind, operators=3, macs=macs) for kind in kinds),
        }
    )
    changes = {"name": name, "label": label, "deflated_bytes": int(size * drawn.uniform(0.7, 0.95)), "proof": proof}
    return made.model_copy(update=changes)


def _cell(place: Setting, name: str, times: dict[str, float], drawn: random.Random) -> Measurement:
    us = times[name]
    kinds = [
        (kind, us * share) for kind, share in zip(KINDS, (0.5, 0.2, 0.1, 0.05, 0.05, 0.04, 0.03, 0.03), strict=True)
    ]
    found = f.latency(us, None if name == "baseline" else times["baseline"]).model_copy(
        update={
            "memory_mb": drawn.uniform(4, 40),
            "operators": tuple(
                Operator(kind=kind, count=2, mean_us=took, share=took / us, delegated=place.backend != "cpu")
                for kind, took in kinds
            ),
            "layers": tuple(
                LayerTime(index=i, kind=kind, name=f"l{i}", mean_us=took * drawn.uniform(0.5, 1.5), delegated=True)
                for i, (kind, took) in enumerate(kinds)
            ),
        }
    )
    return Measurement(variant=name, target=place.target, backend=place.backend, threads=place.threads, result=found)


def _evaluation(name: str, number: int, drawn: random.Random) -> Evaluation:
    right = 288 if number == 0 else drawn.randint(262, 292)
    lost = drawn.randint(max(0, 288 - right), max(0, 288 - right) + 9)
    test = McNemar(reference="baseline", only_reference_right=lost, only_variant_right=lost + right - 288, p_value=0.5)
    wrong = IMAGES - right
    rest = ((100 - wrong // 2, wrong // 2, 0), (wrong - wrong // 2, 100 - wrong + wrong // 2, 0), (0, 0, 100))
    scores = tuple(
        ClassScore(name=c, support=100, precision=0.9, recall=rest[i][i] / 100, f1=0.9) for i, c in enumerate(CLASSES)
    )
    return f.evaluation("baseline", 290).model_copy(
        update={
            "variant": name,
            "classes": CLASSES,
            "count": IMAGES,
            "accuracy": wilson(right, IMAGES),
            "per_class": scores,
            "confusion": rest,
            "mcnemar": None if number == 0 else test,
        }
    )


def _verdict(number: int) -> Verdict:
    return "best" if number == 1 else VERDICTS[number % len(VERDICTS)]


def _choice(
    variants: Sequence[VariantResult],
    evaluations: Sequence[Evaluation],
    cells: Sequence[Measurement],
    places: Sequence[Setting],
    drawn: random.Random,
) -> Choice:
    standings = tuple(
        Standing(
            candidate=Candidate(
                name=v.name,
                model_sha256=f.SHA,
                size_bytes=v.size_bytes,
                accuracy=e.accuracy,
                mcnemar=e.mcnemar,
                latency_us=1.0,
                ratio=None,
                other_network=False,
                quantised=False,
            ),
            eligible=_verdict(number) in {"best", "on the front", "dominated"},
            on_front=number < 2,
            dominated_by=None,
            verdict=_verdict(number),
            reason="for the test",
        )
        for number, (v, e) in enumerate(zip(variants, evaluations, strict=True))
    )
    speeds = tuple(_speed(cell, place, number, drawn) for place in places for number, cell in _of(cells, place))
    kept = Kept(verdict="shown to keep", margin=0.02, images=IMAGES)
    word: Keeping = "shown to keep"
    judgement = Judgement(
        alpha=0.05,
        margin=0.02,
        deciding=places[0],
        ranked=True,
        speeds=speeds,
        variants=tuple(VariantJudgement(variant=v.name, accuracy=word, overall=kept) for v in variants),
        gains=(),
    )
    return f.choice().model_copy(
        update={
            "rules": Choose(),
            "setting": places[0],
            "standings": standings,
            "best": variants[min(1, len(variants) - 1)].name,
            "smallest": variants[0].name,
            "fastest": variants[0].name,
            "judgement": judgement,
        }
    )


def _of(cells: Sequence[Measurement], place: Setting) -> list[tuple[int, Measurement]]:
    mine = [
        cell
        for cell in cells
        if (cell.target, cell.backend, cell.threads) == (place.target, place.backend, place.threads)
    ]
    return list(enumerate(mine))


def _speed(cell: Measurement, place: Setting, number: int, drawn: random.Random) -> Speed:
    latency = cell.result
    assert isinstance(latency, Latency)
    told = {"variant": cell.variant, "setting": place, "session": 0, "floor": 0.03}
    if latency.ratio is None:
        return Speed.model_validate({**told, "verdict": "reference"})
    if DIFFERENCES[number % 6] == "not compared":
        obstacle = Obstacle(cause="too busy", text="the machine was too busy: its references differed too often")
        return Speed.model_validate({**told, "verdict": "not compared", "obstacle": obstacle})
    value, spread = latency.ratio.value, 1.5 if number % 7 == 3 else 1.06
    rounds = tuple(RoundRatio(round=i, value=value * drawn.uniform(1 / spread, spread)) for i in range(5))
    ratio = Interval(value=value, low=value / spread, high=value * spread)
    return Speed.model_validate({**told, "verdict": DIFFERENCES[number % 6], "ratio": ratio, "ratios": rounds})


def _trace(place: Setting, every: Sequence[str], times: dict[str, float], drawn: random.Random) -> Trace:
    at, processes = 0.0, []
    for round_ in range(5):
        for name in drawn.sample(list(every), len(every)):
            for one in ("baseline", name):
                at += drawn.uniform(1, 3)
                fate: tuple[Discarded | None, ...] = ("segment again", "run again", *((None,) * 28))
                redone = drawn.choice(fate)
                us = (
                    None
                    if drawn.random() < 0.01
                    else times[one] * drawn.lognormvariate(0.0, 0.03) * (1.3 if redone else 1)
                )
                processes.append(
                    Process(
                        variant=one,
                        round=round_,
                        start_s=at,
                        latency_us=us,
                        load=0.6 + 0.4 * drawn.random(),
                        reference=one == "baseline",
                        discarded=redone,
                    )
                )
    return Trace(
        target=place.target,
        backend=place.backend,
        threads=place.threads,
        session=0,
        floor=0.03,
        facts=None,
        processes=tuple(processes),
    )


def _endured(name: str, us: float, drawn: random.Random) -> Endured:
    points = tuple(
        SustainedPoint(
            at_s=5 + 10 * i, latency_us=us * (1 + 0.01 * i) * drawn.uniform(0.98, 1.02), celsius=30 + 0.2 * i
        )
        for i in range(30)
    )
    cell = Cell(variant=name, model_sha256=f.SHA, backend=PLACE.backend, threads=PLACE.threads)
    return Endured(
        target=PLACE.target,
        floor=0.03,
        result=Sustained(
            cell=cell,
            session=0,
            duration_s=300,
            window_s=60,
            points=points,
            first_us=us,
            last_us=us * 1.2,
            throttled_s=None,
            energy=NoEnergy(reason="no battery"),
        ),
    )
