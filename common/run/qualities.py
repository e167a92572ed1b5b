"""What may be said of a file's right answers, score or agreement in two runs. Pure."""

from common.numbers import percent
from common.run.keeping import PairedTest
from common.run.setup import Side
from common.schema.comparison import QualityChange, QualityWord
from common.schema.evaluation import Evaluation
from common.schema.judgement import Kept

DIGITS = 12
ALONE = "the answers image by image are not at hand: compare the folders of the runs"
WITHIN = {"shown to keep": "within the tolerance", "shown to lose": "beyond the tolerance", "reference": "reference"}


def same_images(base: Side, head: Side) -> str:
    """Nothing where the reported images of both runs are the same, else what differs, with both values."""
    told = []
    for side in (base, head):
        card = side.results.dataset
        split = None if card is None else dict(card.splits)[card.reported]
        told.append(None if split is None else (split.images.sha256, split.labels.sha256))
    if told[0] is not None and told[0] == told[1]:
        return ""
    shown = ["none" if one is None else one[0][:DIGITS] for one in told]
    return f"the reported images are {shown[0]} in the base and {shown[1]} in the head"


def quality(
    base: Side, head: Side, name: str, *, same: bool | None, test: PairedTest | None, kept: Kept | None
) -> QualityChange:
    """The verdict on a variant; `same` file, and `kept` what the paired counts of `test` say."""
    before, now = (_evaluated(side, name) for side in (base, head))
    if before is not None and now is not None:
        return _shares(before, now, same_images(base, head), same=same, test=test, kept=kept)
    scores = [
        next((a.score.value for a in side.results.answers if a.variant == name and a.score is not None), None)
        for side in (base, head)
    ]
    if scores[0] is not None and scores[1] is not None:
        return QualityChange(
            verdict="same file" if same else "not shown",
            base=f"score {scores[0]:.4g}",
            head=f"score {scores[1]:.4g}",
            change=scores[1] - scores[0],
            reason="" if same else "scores of two runs are not paired",
        )
    return _agreement(base, head, name, same=same)


def _evaluated(side: Side, name: str) -> Evaluation | None:
    return next((e for e in side.results.evaluations if e.variant == name), None)


def _shares(
    before: Evaluation,
    now: Evaluation,
    differs: str,
    *,
    same: bool | None,
    test: PairedTest | None,
    kept: Kept | None,
) -> QualityChange:
    shares = before.accuracy.value, now.accuracy.value
    found = QualityChange(verdict="not compared", base=percent(shares[0]), head=percent(shares[1]))
    if differs:
        return found.model_copy(update={"reason": differs})
    changes: dict[str, object] = {"verdict": "same file" if same else "not shown", "change": shares[1] - shares[0]}
    if test is not None and kept is not None and not same:
        word: QualityWord = "not shown"
        if kept.verdict in ("shown to keep", "shown to lose"):
            word = kept.verdict
        changes = {"verdict": word, "change": kept.difference, "kept": kept}
        changes |= {"only_base_right": round(test.pairs.only_reference)}
        changes |= {"only_head_right": round(test.pairs.only_variant)}
    elif not same:
        changes["reason"] = ALONE
    return found.model_copy(update=changes)


def _agreement(base: Side, head: Side, name: str, *, same: bool | None) -> QualityChange:
    """Of answers that only a tolerance judges, beside the reference in each run."""
    before, now = (_judged(side, name) for side in (base, head))
    found = QualityChange(verdict="not compared", base=WITHIN.get(before or ""), head=WITHIN.get(now or ""))
    if same:
        return found.model_copy(update={"verdict": "same file"})
    if found.base is None or found.head is None:
        return found.model_copy(update={"reason": "nothing judges the answers of both"})
    ours, theirs = (side.hashes.get(side.results.reference) for side in (base, head))
    if ours is None or ours != theirs:
        text = f"the reference is {_short(ours)} in the base and {_short(theirs)} in the head"
        return found.model_copy(update={"reason": text})
    word: QualityWord = "shown to keep"
    if now == "shown to lose":
        word = "not shown" if before == "shown to lose" else "shown to lose"
    return found.model_copy(update={"verdict": word})


def _judged(side: Side, name: str) -> str | None:
    judgement = None if side.results.choice is None else side.results.choice.judgement
    if judgement is None or judgement.basis != "agreement":
        return None
    return next((found.accuracy for found in judgement.variants if found.variant == name), None)


def _short(digest: str | None) -> str:
    return "not told" if digest is None else digest[:DIGITS]
