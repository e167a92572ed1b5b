"""The decision card, the chips and what is wrong, whatever the results hold."""

import base64

import pytest

from common.numbers import DASH, TIMES
from common.proportion import wilson
from common.schema.answers import Answers, OutputAgreement
from common.schema.choice import Winner
from common.schema.judgement import Obstacle
from common.schema.results import Flips, Results
from jobs.report.blocks import Card, Chips, Prose
from jobs.report.names import Grid
from jobs.report.page import build
from jobs.report.sections.card import card, class_changes
from jobs.report.sections.flips import galleries, thumbnail
from jobs.report.sections.places import section
from jobs.report.sections.problems import problems
from tests.unit.report import factories as f
from tests.unit.report.rich import BEST, evaluation, rich
from tests.unit.report.rich import thumbnail as picture


def tiles(found: Card) -> dict[str, tuple[str, str, str]]:
    return {tile.label: (tile.value, tile.note, tile.beside) for tile in found.tiles}


def test_four_figures_stand_beside_the_references() -> None:
    assert tiles(card(rich())) == {
        "Speed-up": (f"1.34{TIMES}", f"1.32{DASH}1.36 · faster", "baseline is 1"),
        "Latency": ("1.56 ms", "p95 1.87 ms", "baseline 2.08 ms"),
        "Download": ("1.07 MB", "2.14 MB unpacked", "baseline 4.25 MB"),
        "Accuracy": ("96 %", "0 won, 2 lost of 300", "baseline 96.67 %"),
    }


def test_a_tiny_file_beside_a_large_one_is_told_in_kb() -> None:
    results = rich()
    small = tuple(
        v.model_copy(update={"size_bytes": 17_000, "deflated_bytes": 7_912}) if v.name == BEST else v
        for v in results.variants
    )
    told = tiles(card(results.model_copy(update={"variants": small})))
    assert told["Download"] == ("7.91 kB", "17 kB unpacked", "baseline 4.25 MB")


def test_how_sure_it_is_and_what_else_there_is() -> None:
    found = card(rich())
    assert (found.chip, found.reason) == (
        ("tentative", "problem"),
        "Its speed is shown, its accuracy is not yet.",
    )
    assert dict(found.points)["Runner-up"] == "float16: 0.3 points of accuracy for twice the size"


def test_what_changes_is_told_by_class() -> None:
    assert dict(card(rich()).points)["What changes"] == (
        "Fire: misses 6 of 150 instead of 5, 6 false alarms instead of 5"
    )
    three = ("a", "b", "c")
    before = evaluation("baseline", 290, f.CLASSES).model_copy(
        update={"classes": three, "confusion": ((90, 5, 5), (0, 100, 0), (1, 1, 98))}
    )
    now = before.model_copy(update={"variant": BEST, "confusion": ((99, 1, 0), (0, 100, 0), (1, 1, 98))})
    told = list(class_changes(f.results(evaluations=(before, now)), BEST))
    assert told[0] == "a: misses 1 of 100 instead of 10, 1 false alarm instead of 1"
    assert [line[0] for line in told] == ["a", "c", "b"]
    same = before.model_copy(update={"variant": BEST})
    assert list(class_changes(f.results(evaluations=(before, same)), BEST)) == [
        "as many right and wrong in every class"
    ]


def chosen(**changes: object) -> Results:
    return f.results(choice=f.choice().model_copy(update=changes))


def test_the_reference_and_nothing_can_be_shipped_too() -> None:
    own = card(chosen(best="baseline"))
    assert (own.name, tiles(own)["Speed-up"][:2]) == ("baseline", ("1", "it is the reference"))
    assert tiles(own)["Accuracy"] == ("96.67 %", "290 of 300 right", "")
    none = card(chosen(best=None, model=None, card=None, recommendation=("Nothing is fit.",)))
    assert (none.lead, none.reason, none.tiles, none.file) == ("Nothing to ship", "Nothing is fit.", (), "")


def test_an_older_choice_says_no_word_of_how_sure_it_is() -> None:
    found = card(chosen(judgement=None))
    assert found.chip == ("", "plain")
    assert tiles(found)["Speed-up"][:2] == (f"1.34{TIMES}", f"1.31{DASH}1.38")


def test_a_speed_up_that_is_not_compared_is_no_figure() -> None:
    judgement = f.judgement()
    barred = Obstacle(cause="too busy", text="the machine was too busy")
    speeds = tuple(
        s.model_copy(update={"obstacle": barred, "ratio": None, "verdict": "not compared"}) for s in judgement.speeds
    )
    found = card(chosen(judgement=judgement.model_copy(update={"speeds": speeds})))
    assert tiles(found)["Speed-up"][:2] == ("not compared", "too busy on XNNPACK")
    assert "too busy to compare: 5 variants on CPU and XNNPACK" in found.problems


def test_a_setting_without_a_winner_says_why_as_it_was_decided() -> None:
    judgement = f.choice().judgement
    assert judgement is not None and judgement.deciding is not None
    busy = Winner(setting=judgement.deciding, best=None, reason="the machine was too busy")
    results = f.results(choice=f.choice().model_copy(update={"winners": (busy,), "confidence": None}))
    found = section(results)
    assert found is not None and isinstance(found.blocks[0], Chips)
    assert (found.blocks[0].chips[0].winner, found.blocks[0].chips[0].note.split(" · ")[0]) == (
        "no winner",
        "the machine was too busy",
    )


def test_the_deciding_setting_is_shown_even_where_nothing_could_be_ranked() -> None:
    choice = f.choice().model_copy(update={"setting": None})
    first = Grid(f.results(choice=choice)).first
    assert choice.judgement is not None and choice.judgement.deciding is not None and first is not None
    assert Grid.place(first) == choice.judgement.deciding


def test_a_setting_without_speed_ups_says_so_beside_those_that_have_some() -> None:
    judgement = f.judgement()
    barred = {"obstacle": Obstacle(cause="too busy", text="busy"), "ratio": None, "verdict": "not compared"}
    speeds = tuple(s.model_copy(update=barred) if s.setting == judgement.deciding else s for s in judgement.speeds)
    results = chosen(judgement=judgement.model_copy(update={"speeds": speeds}))
    found = next(section for section in build(results, None).sections if section.anchor == "speedups")
    told = [block.text for block in found.blocks if isinstance(block, Prose)]
    assert told == ["host · XNNPACK · 1 thread: no speed-up is told."] and len(found.blocks) == 2


def test_files_without_labels_have_their_answers_in_the_card() -> None:
    standings = tuple(
        s.model_copy(
            update={"candidate": s.candidate.model_copy(update={"accuracy": None, "keeping": "shown to keep"})}
        )
        for s in f.choice().standings
    )
    row = OutputAgreement(
        name="out", dtype="float32", shape=(1, 2), max_abs=0.25, mean_abs=0.1, snr_db=30.0, cosine=0.99, top1=None
    )
    answers = Answers(
        provenance=f.provenance("evaluate"),
        variant=BEST,
        model_sha256=f.SHA,
        reference="baseline",
        count=100,
        drawn=False,
        agreement=(row,),
        score=None,
        finite=True,
        constant=False,
        outputs=f.file("outputs.npz"),
    )
    given = chosen(standings=standings).model_copy(update={"evaluations": (), "answers": (answers,)})
    assert tiles(card(given))["Answers"] == ("0.25", "at most off baseline", "")
    named = answers.model_copy(update={"agreement": (row.model_copy(update={"top1": wilson(99, 100)}),)})
    agreed = tiles(card(given.model_copy(update={"answers": (named,)})))["Top-1 agreement"]
    assert agreed == ("99 %", "with baseline", "")


def test_what_is_wrong_is_counted() -> None:
    assert problems(rich()) == (
        "failed: baseline on GPU",
        "not supported: dynamic range on GPU",
        "2 of 50 processes discarded",
        "2 processes failed",
        "3 cells not measured",
        "1 warning",
    )
    assert problems(f.results(warnings=())) == ()


def test_every_setting_is_a_chip_with_its_own_winner_the_deciding_one_first() -> None:
    found = section(rich())
    assert found is not None
    (chips,) = found.blocks
    assert isinstance(chips, Chips)
    assert [(chip.label, chip.winner) for chip in chips.chips] == [
        ("host · XNNPACK · 1 thread", "pruned dynamic range"),
        ("host · CPU · 1 thread", "no winner"),
        ("host · GPU · 1 thread", "no winner"),
    ]
    assert [chip.bar for chip in chips.chips[:2]] == ["80.0", "0.0"]
    everywhere = "One file for all: pruned dynamic range, the least loss beside the own winner of each."
    assert found.paragraphs[0] == everywhere
    assert section(f.results(measurements=())) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        base64.b64encode(b"<svg onload=alert(1)>").decode(),
        base64.b64encode(b"\xff\xd8\xffhalf").decode(),
        f"{picture()}\n",
        f'{picture()}" onerror="x',
        "data:text/html;base64,PHNjcmlwdD4=",
    ],
)
def test_only_a_whole_jpeg_is_shown(text: str) -> None:
    assert thumbnail(text) == ""
    assert thumbnail(picture()) == f"data:image/jpeg;base64,{picture()}"


def test_the_recommended_ones_images_are_open_and_classes_are_named() -> None:
    first, second = galleries(rich())
    assert (first.folded, second.folded) == (False, True)
    assert first.caption == "pruned dynamic range: 3 won, 5 lost; 8 images, 6 of them here"
    assert [(shot.text, shot.tone) for shot in first.shots[:2]] == [
        ("Fire → Non-Fire", "worse"),
        ("Non-Fire → Fire", "better"),
    ]
    assert all(shot.uri for gallery in (first, second) for shot in gallery.shots)
    third = rich().model_copy(update={"flips": (rich().flips[0].model_copy(update={"variant": "dynamic_range"}),)})
    (named,) = galleries(third)
    assert named.folded and not any(shot.uri for shot in named.shots)
    assert list(galleries(f.results(flips=(Flips(variant=BEST, won=1, lost=1),)))) == []
