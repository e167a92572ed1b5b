"""The judge's words as cells. Pure; nothing is decided here."""

from common.numbers import ABSENT, count, p_value, percent, speedup
from common.run.keeping import whole
from common.schema.base import Interval
from common.schema.evaluation import McNemar
from common.schema.judgement import Judgement, Keeping, Kept, Speed
from common.schema.results import Results
from jobs.report.blocks import Tone
from jobs.report.document import Cell
from jobs.report.names import Grid, Setting

SIGNS = {"faster": "▲", "slower": "▼", "as fast": "≈", "not resolved": "?"}
KEPT_SIGNS: dict[Keeping, str] = {"shown to keep": "✓", "shown to lose": "▼", "not shown": "?", "reference": ""}
SPEED_TONES: dict[str, Tone] = {"faster": "better", "slower": "worse"}
KEPT_TONES: dict[str, Tone] = {"shown to keep": "better", "shown to lose": "worse"}


def spoken(results: Results) -> Judgement | None:
    """What the judge said; None in results that nobody judged, of which nothing is claimed."""
    return None if results.choice is None else results.choice.judgement


def winner(results: Results, setting: Setting) -> str | None:
    """What to ship where only this setting counts, as it was decided; in choices of before, what gains most."""
    choice, place = results.choice, Grid.place(setting)
    if choice is None:
        return None
    if choice.winners:
        return next((found.best for found in choice.winners if found.setting == place), None)
    if setting == Grid(results).first:
        return choice.best
    judgement = spoken(results)
    gains = () if judgement is None else judgement.gains
    return next((gain.best for gain in gains if gain.setting == place), None)


def speed(found: Speed | None, bare: Interval | None) -> Cell:
    """A cell's ratio with the judge's word; the bare ratio, if any, where nobody judged."""
    if found is None:
        return Cell(ABSENT if bare is None else speedup(bare))
    if found.verdict == "reference":
        return Cell("reference")
    if found.obstacle is not None or found.ratio is None:
        return Cell("not compared", "" if found.obstacle is None else found.obstacle.text, "problem")
    return Cell(speedup(found.ratio), ", ".join(_notes(found)), SPEED_TONES.get(found.verdict, "plain"))


def _notes(found: Speed) -> list[str]:
    needed = "" if found.rounds_needed is None else f" (needs about {count(whole(found.rounds_needed), 'round')})"
    notes = [f"{SIGNS[found.verdict]} {found.verdict}{needed}"]
    notes += ["only a part ran on it"] if found.partial else []
    return notes + (["from CPU time"] if found.from_cpu else [])


def sign(found: Speed | None) -> str:
    """The word as a sign."""
    return "" if found is None else SIGNS.get(found.verdict, "")


def keeping(found: Kept | None, test: McNemar | None) -> Cell:
    """Whether a share of right answers is kept, with the counts that it rests on."""
    if test is None:
        return Cell("reference")
    counts = f"only this one right: {test.only_variant_right}, only the other: {test.only_reference_right}"
    if found is None:
        return Cell(ABSENT, counts)
    return Cell(f"{KEPT_SIGNS[found.verdict]} {found.verdict}", f"{_grounds(found)}; {counts}", _tone(found))


def recall(share: float | None, found: Kept | None) -> Cell:
    """A class's recall, with the judge's word where it has a margin of its own."""
    text = ABSENT if share is None else percent(share)
    if found is None or found.verdict == "reference":
        return Cell(text)
    return Cell(text, f"{KEPT_SIGNS[found.verdict]} {found.verdict}, {_grounds(found)}", _tone(found))


def _tone(found: Kept) -> Tone:
    return KEPT_TONES.get(found.verdict, "plain")


def _grounds(found: Kept) -> str:
    if found.lower is None or found.level is None or found.p_lose is None:
        return "no paired counts; evaluate again"
    if found.verdict == "shown to lose":
        return f"any loss: {p_value(found.p_lose)}"
    lost = f"may lose up to {percent(max(0.0, -found.lower))} (margin {percent(found.margin)})"
    if found.images_needed is None or found.images_needed <= found.images:
        return lost
    return f"{lost}; about {whole(found.images_needed)} images would do"
