"""The judge: the one place that says faster, keeps, wrong, eligible. `choose` decides by it, `report` shows what it
said. Pure: artifacts in, verdicts out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.numbers import listed
from common.run.keeping import PairedTest, Pairs, all_kept, judged
from common.run.quality import answers_kept, basis, same_file, scores_kept
from common.run.speed import Target, apart, own_obstacle, speeds
from common.schema.answers import Answers, Tolerance
from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.evaluation import Evaluation, McNemar
from common.schema.experiment import Choose
from common.schema.judgement import (
    Basis,
    ClassKept,
    Gain,
    Judgement,
    Keeping,
    Kept,
    Reason,
    Setting,
    Speed,
    VariantJudgement,
)
from common.schema.variant import Variant

# What most apps run a file with.
PREFERRED_BACKEND = "xnnpack"


@dataclass(frozen=True)
class Subject:
    """A variant as the judge sees it. `evaluation` is None where its accuracy was not measured, `answers` where it was;
    `constant`: it answers the same whatever it is asked; `finite`: all of its answers are numbers."""

    variant: Variant
    evaluation: Evaluation | None
    answers: Answers | None = None
    finite: bool = True
    constant: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that is judged. The first target decides."""

    reference: str
    subjects: tuple[Subject, ...]
    targets: tuple[Target, ...]
    rules: Choose
    tolerance: Tolerance | None = None

    @property
    def basis(self) -> Basis:
        """What stands for quality."""
        answers = [subject.answers for subject in self.subjects if subject.answers is not None]
        return basis(answers, self.tolerance) if answers else "accuracy"

    @property
    def own(self) -> Subject | None:
        """The reference."""
        return next((subject for subject in self.subjects if subject.variant.name == self.reference), None)


def judge(evidence: Evidence) -> Judgement:
    """Every verdict on a run."""
    found = tuple(speed for target in evidence.targets for speed in speeds(target))
    first = evidence.targets[0] if evidence.targets else None
    deciding = None if first is None else deciding_setting(first.benchmark, evidence.rules)
    ranked = any(s.setting == deciding and s.verdict not in ("not compared", "reference") for s in found)
    accuracies = _qualities(evidence)
    variants = tuple(
        _variant(evidence, subject, accuracy, deciding, found, ranked=ranked)
        for subject, accuracy in zip(evidence.subjects, accuracies, strict=True)
    )
    eligible = {variant.variant for variant in variants if variant.eligible}
    return Judgement(
        alpha=evidence.rules.alpha,
        margin=evidence.rules.margin,
        deciding=deciding,
        ranked=ranked,
        speeds=found,
        variants=variants,
        gains=tuple(_gains(found, {v.variant for v in variants if v.may_ship_elsewhere}, eligible, deciding)),
        basis=evidence.basis,
    )


def deciding_setting(benchmark: Benchmark, rules: Choose) -> Setting | None:
    """Where latencies count: the rules' backend and threads; xnnpack and the first thread count unless they say
    otherwise, the first measured backend where xnnpack was not. None where nothing was measured there."""
    threads = rules.threads or benchmark.settings.threads[0]
    measured = [row.cell for row in benchmark.rows if isinstance(row.result, Summary) and row.cell.threads == threads]
    # An executable's before the app's; of two that measure a backend, the first.
    measured.sort(key=lambda cell: cell.runner == "app")
    backends = [cell.backend for cell in measured]
    for backend in (rules.backend,) if rules.backend else (PREFERRED_BACKEND, *backends):
        if backend in backends:
            cell = measured[backends.index(backend)]
            return Setting(target=benchmark.target.name, backend=cell.backend, threads=threads, runner=cell.runner)
    return None


@dataclass(frozen=True)
class _Accuracy:
    """A variant's quality; `missed` says which bound of the tolerance its answers miss."""

    overall: Kept
    classes: tuple[ClassKept, ...] = ()
    missed: str | None = None


def _qualities(evidence: Evidence) -> tuple[_Accuracy, ...]:
    """Each variant's quality by what there is to judge it by, in their order."""
    if evidence.basis == "accuracy":
        return _accuracies(evidence)
    judged_by = {"score": _by_score, "agreement": _by_agreement, "cost": _by_cost}[evidence.basis]
    return tuple(judged_by(evidence))


def _by_score(evidence: Evidence) -> Iterator[_Accuracy]:
    answers = [subject.answers for subject in evidence.subjects]
    scores = [found.score for found in answers if found and found.score and found.reference is not None]
    rules, samples = evidence.rules, max((found.count for found in answers if found), default=0)
    kept = iter(scores_kept(scores, rules.margin, rules.alpha, samples))
    for subject, found in zip(evidence.subjects, answers, strict=True):
        own = subject.variant.name == evidence.reference
        told = found is not None and found.score is not None and not own
        word: Keeping = "reference" if own else "not shown"
        yield _Accuracy(next(kept) if told else Kept(verdict=word, margin=rules.margin, images=samples))


def _by_agreement(evidence: Evidence) -> Iterator[_Accuracy]:
    for subject in evidence.subjects:
        margin, found = evidence.rules.margin, subject.answers
        if subject.variant.name == evidence.reference or found is None or evidence.tolerance is None:
            yield _Accuracy(Kept(verdict="reference" if found else "not shown", margin=margin, images=0))
        else:
            kept, missed = answers_kept(found, evidence.tolerance, margin)
            yield _Accuracy(kept, missed=missed)


def _by_cost(evidence: Evidence) -> Iterator[_Accuracy]:
    for subject in evidence.subjects:
        own = subject.variant.name == evidence.reference
        count = 0 if subject.answers is None else subject.answers.count
        word: Keeping = "reference" if own else "not judged"
        yield _Accuracy(Kept(verdict=word, margin=evidence.rules.margin, images=count))


def _accuracies(evidence: Evidence) -> tuple[_Accuracy, ...]:
    """Each variant's shares, in their order."""
    rules = evidence.rules
    tests = [_test(subject.evaluation) for subject in evidence.subjects]
    overall = _family(evidence, tests, rules.margin)
    classes: list[list[ClassKept]] = [[] for _ in evidence.subjects]
    for name, margin in rules.classes.items():
        tests = [_class_test(subject.evaluation, name) for subject in evidence.subjects]
        for collected, kept in zip(classes, _family(evidence, tests, margin), strict=True):
            collected.append(ClassKept(name=name, kept=kept))
    return tuple(_Accuracy(kept, tuple(own)) for kept, own in zip(overall, classes, strict=True))


def _family(evidence: Evidence, tests: Sequence[PairedTest | None], margin: float) -> tuple[Kept, ...]:
    """Verdicts on one share: of the reference by definition, of those without counts that nothing is shown."""
    verdicts = iter(judged([test for test in tests if test is not None], margin, evidence.rules.alpha))
    found = []
    for subject, test in zip(evidence.subjects, tests, strict=True):
        if test is not None:
            found.append(next(verdicts))
            continue
        images = 0 if subject.evaluation is None else subject.evaluation.count
        own = subject.variant.name == evidence.reference
        found.append(Kept(verdict="reference" if own else "not shown", margin=margin, images=images))
    return tuple(found)


def _test(evaluation: Evaluation | None) -> PairedTest | None:
    if evaluation is None or evaluation.mcnemar is None or not evaluation.count:
        return None
    return _counted(evaluation.mcnemar, evaluation.count)


def _class_test(evaluation: Evaluation | None, name: str) -> PairedTest | None:
    if evaluation is None:
        return None
    score = next((score for score in evaluation.per_class if score.name == name), None)
    return (
        None if score is None or score.mcnemar is None or not score.support else _counted(score.mcnemar, score.support)
    )


def _counted(test: McNemar, images: int) -> PairedTest:
    return PairedTest(Pairs(test.only_reference_right, test.only_variant_right, images), test.p_value)


def _variant(
    evidence: Evidence,
    subject: Subject,
    accuracy: _Accuracy,
    deciding: Setting | None,
    found: Sequence[Speed],
    *,
    ranked: bool,
) -> VariantJudgement:
    name = subject.variant.name
    own = name == evidence.reference
    shares = [accuracy.overall.verdict, *(item.kept.verdict for item in accuracy.classes)]
    word = "reference" if own else all_kept(shares) if evidence.basis == "accuracy" else accuracy.overall.verdict
    same = not own and evidence.own is not None and same_file(subject.variant, evidence.own.variant)
    if same:
        # It keeps all that the reference has, whatever the number of images.
        own, word = True, "shown to keep"
    reasons = [*_quality_reasons(evidence.basis, accuracy, own=own), *_file_reasons(subject, evidence.own)]
    if deciding is not None:
        reasons += _measured_reasons(evidence, name, deciding, found, ranked=ranked)
    return VariantJudgement(
        variant=name,
        accuracy=word,
        overall=accuracy.overall,
        classes=accuracy.classes,
        reasons=tuple(reasons),
        same_file=same,
    )


def _quality_reasons(judged_by: Basis, accuracy: _Accuracy, *, own: bool) -> Iterator[Reason]:
    if own or judged_by == "cost":
        return
    if judged_by == "agreement":
        if accuracy.missed is not None:
            yield Reason(fault="accuracy", text=f"its answers lie beyond the tolerance: {accuracy.missed}")
        return
    if judged_by == "score":
        if accuracy.overall.verdict != "shown to keep":
            verb = "shown to lose" if accuracy.overall.verdict == "shown to lose" else "not shown to keep"
            yield Reason(fault="accuracy", text=f"{verb} the score")
        return
    shares = [("accuracy", accuracy.overall), *((f"recall of {item.name}", item.kept) for item in accuracy.classes)]
    for word in ("shown to lose", "not shown"):
        parts = tuple(what for what, kept in shares if kept.verdict == word)
        if parts:
            verb = "shown to lose" if word == "shown to lose" else "not shown to keep"
            yield Reason(fault="accuracy", text=f"{verb} the {listed(parts)}")


def _file_reasons(subject: Subject, own: Subject | None) -> Iterator[Reason]:
    broken = [promise for promise in subject.variant.promises if not promise.kept and promise.waived is None]
    if broken:
        yield Reason(fault="promises", text=f"its file breaks a promise: {broken[0].claim} of {broken[0].subject}")
    # Drawn samples may well be outside of what a model was made for; then the reference answers no better.
    drawn = subject.answers is not None and own is not None
    asked = "image" if subject.answers is None else "sample"
    if not subject.finite and not (drawn and own is not None and not own.finite):
        yield Reason(fault="answers", text=f"some of its answers to the {asked}s are no numbers")
    elif subject.constant and not (drawn and own is not None and own.constant):
        yield Reason(fault="answers", text=f"it answers the same whatever the {asked}")


def _measured_reasons(
    evidence: Evidence, name: str, deciding: Setting, found: Sequence[Speed], *, ranked: bool
) -> Iterator[Reason]:
    target = evidence.targets[0]
    row = _row(target, name, deciding)
    if row is None:
        yield Reason(fault="measurement", text="it was not measured")
        return
    own = own_obstacle(target, row)
    if own is not None:
        yield Reason(fault="answers" if "answers" in own.cause else "measurement", text=own.text)
        return
    speed = next(s for s in found if (s.variant, s.setting) == (name, deciding))
    # Where nothing can be ranked size and accuracy decide; where others can, what cannot is left behind.
    if ranked and speed.obstacle is not None:
        yield Reason(fault="measurement", text=speed.obstacle.text)


def _row(target: Target, name: str, setting: Setting) -> Row | None:
    return next((r for r in target.benchmark.rows if r.cell.variant == name and target.setting(r) == setting), None)


def _gains(found: Sequence[Speed], sound: set[str], eligible: set[str], deciding: Setting | None) -> Iterator[Gain]:
    """The largest gain of every setting in which anything is compared."""
    for setting in dict.fromkeys(speed.setting for speed in found):
        allowed = eligible if setting == deciding else sound
        here = [s for s in found if s.setting == setting and s.verdict != "not compared" and s.variant in allowed]
        if not any(s.setting == setting and s.ratio is not None for s in found):
            continue
        faster = [speed for speed in here if speed.verdict == "faster" and speed.ratio is not None]
        if not faster:
            yield Gain(setting=setting, best=None, ratio=None)
            continue
        best = max(faster, key=lambda speed: speed.ratio.value if speed.ratio else 0.0)
        others = [speed for speed in here if speed.variant != best.variant]
        yield Gain(setting=setting, best=best.variant, ratio=best.ratio, rivals=apart(best, others))
