"""The images whose answer changed beside the reference's. Pure: results to galleries."""

import base64
import binascii
from collections.abc import Iterator

from common.numbers import count
from common.schema.results import Flip, Flips, Results
from jobs.report.blocks import Gallery, Shot
from jobs.report.names import variant_labels

JPEG_BEGIN, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def galleries(results: Results) -> Iterator[Gallery]:
    """A gallery per variant with images that one of the two alone gets right; the recommended one's is open. Pictures
    are shown of that one and of the runner-up alone: those of twenty variants would be half of the page."""
    classes = next((evaluation.classes for evaluation in results.evaluations), ())
    choice = results.choice
    best = None if choice is None else choice.best
    second = None if choice is None or choice.runner_up is None else choice.runner_up.name
    for flips in sorted(results.flips, key=lambda found: found.variant != best):
        if flips.shown:
            pictures = choice is None or flips.variant in (best, second)
            yield _gallery(results, flips, classes, folded=flips.variant != best, pictures=pictures)


def _gallery(results: Results, flips: Flips, classes: tuple[str, ...], *, folded: bool, pictures: bool) -> Gallery:
    label = variant_labels(results).get(flips.variant, flips.variant)
    whole = flips.won + flips.lost
    shown = "" if len(flips.shown) == whole else f", {len(flips.shown)} of them here"
    caption = f"{label}: {flips.won} won, {flips.lost} lost; {count(whole, 'image')}{shown}"
    return Gallery(caption, tuple(_shot(flip, classes, pictures=pictures) for flip in flips.shown), folded)


def _shot(flip: Flip, classes: tuple[str, ...], *, pictures: bool) -> Shot:
    won = flip.variant_answer == flip.label
    before, now = (_name(classes, answer) for answer in (flip.reference_answer, flip.variant_answer))
    return Shot(
        uri="" if flip.thumbnail is None or not pictures else thumbnail(flip.thumbnail),
        name=flip.file,
        text=f"{before} → {now}",
        tone="better" if won else "worse",
    )


def _name(classes: tuple[str, ...], answer: int) -> str:
    return classes[answer] if answer < len(classes) else f"class {answer}"


def thumbnail(text: str) -> str:
    """A data: URI of a JPEG in base64; empty where the text is anything else."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    whole = content.startswith(JPEG_BEGIN) and content.endswith(JPEG_END)
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}" if whole else ""
