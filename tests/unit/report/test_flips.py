"""The images whose answer changed, from the arrays of a run; and its processes, from the ledger."""

import base64
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from common.artifact import file_ref
from common.errors import UsageError
from common.run.judge import Subject
from common.run.read import Run, read_run
from common.run.speed import Target
from common.schema.benchmark import RunLine
from jobs.report.flips import MOST_SHOWN, flips
from jobs.report.traces import traces
from tests.unit.report import factories as f
from tests.unit.report.conftest import Run as Written


def answered(given: Written, lost: int, won: int) -> Run:
    """The run with other answers of float16: it loses the first `lost` images and wins the last `won`, which the
    reference gets wrong."""
    read = read_run(given.experiment, given.folders)
    subjects = []
    for subject in read.subjects:
        folder, evaluation = given.folders.evaluations / subject.variant.name, subject.evaluation
        assert evaluation is not None and read.dataset is not None and given.folders.dataset is not None
        answers = np.load(given.folders.dataset / "labels.npy")
        wrong = slice(len(answers) - won, None) if evaluation.mcnemar is None else slice(0, lost)
        answers[wrong] = 1 - answers[wrong]
        np.save(folder / "outputs.npy", np.eye(len(evaluation.classes), dtype=np.float32)[answers])
        changes: dict[str, object] = {"outputs": file_ref(folder / "outputs.npy", folder)}
        if evaluation.mcnemar is not None:
            counts = {"only_reference_right": lost, "only_variant_right": won}
            changes["mcnemar"] = evaluation.mcnemar.model_copy(update=counts)
        subjects.append(Subject(subject.variant, evaluation.model_copy(update=changes)))
    return replace(read, subjects=tuple(subjects))


def test_images_of_both_kinds_with_names_and_pictures(run: Written) -> None:
    (found,) = flips(answered(run, 3, 1), run.folders, "float16")
    assert (found.variant, found.won, found.lost) == ("float16", 1, 3)
    assert [flip.file for flip in found.shown] == ["0<b>.png", "1<b>.png", "2<b>.png", "299<b>.png"]
    assert all(flip.reference_answer == flip.label != flip.variant_answer for flip in found.shown[:3])
    assert found.shown[3].variant_answer == found.shown[3].label != found.shown[3].reference_answer
    assert all(base64.b64decode(flip.thumbnail or "").startswith(b"\xff\xd8\xff") for flip in found.shown)


def test_only_counts_of_what_is_not_recommended(run: Written) -> None:
    (found,) = flips(answered(run, 3, 1), run.folders, "baseline")
    assert (found.won, found.lost, found.shown) == (1, 3, ())


def test_many_changes_are_bounded(run: Written) -> None:
    (found,) = flips(answered(run, 100, 5), run.folders, "float16")
    assert (found.lost, len(found.shown)) == (100, MOST_SHOWN + 5)


def test_items_that_are_none_are_refused(run: Written) -> None:
    given, folder = answered(run, 3, 1), run.folders.dataset
    assert folder is not None and given.dataset is not None
    (folder / "items.jsonl").write_text("[[[\n", encoding="utf-8")
    card = given.dataset.model_copy(update={"items": file_ref(folder / "items.jsonl", folder)})
    with pytest.raises(UsageError, match="a line that is no item"):
        list(flips(replace(given, dataset=card), run.folders, "float16"))


def line(order: int, variant: str, **changes: object) -> RunLine:
    """A process of a session, a second after the one before and a microsecond slower."""
    told = f.summary(100.0 + order, None)
    own = {"order": order, "started_at": f.WHEN + timedelta(seconds=order), "load_1min": 0.5 * order}
    return f.run_line(f.row(variant, told), told, 0).model_copy(update=own | changes)


def test_every_process_of_the_shown_session_with_what_became_of_it(run: Written) -> None:
    read = read_run(run.experiment, run.folders)
    benchmark = read.targets[0].benchmark
    lines = (
        line(0, "baseline", place="before"),
        line(1, "float16", attempt=0, retry=0),
        line(2, "float16", attempt=0, retry=1),
        line(3, "baseline", place="after"),
        line(4, "float16", attempt=1),
        line(5, "baseline", place="after", attempt=1),
        line(6, "float16", session=99),
    )
    given = replace(read, targets=(Target(benchmark, frozenset(), lines),))
    (found,) = traces(given)
    assert [p.variant for p in found.processes] == ["baseline", "float16", "float16", "baseline", "float16", "baseline"]
    assert [p.discarded for p in found.processes] == [None, "run again", "segment again", None, None, None]
    assert [p.reference for p in found.processes] == [True, False, False, True, False, True]
    assert [p.start_s for p in found.processes] == [0, 1, 2, 3, 4, 5]
    assert [p.latency_us for p in found.processes] == [100, 101, 102, 103, 104, 105]
    assert found.processes[4].load == 2.0


def test_a_session_may_have_had_variants_that_are_gone(run: Written) -> None:
    read = read_run(run.experiment, run.folders)
    benchmark = read.targets[0].benchmark
    lines = (line(0, "baseline", place="before"), line(1, "taken_out"), line(2, "float16"))
    (found,) = traces(replace(read, targets=(Target(benchmark, frozenset(), lines),)))
    assert [p.variant for p in found.processes] == ["baseline", "float16"]
