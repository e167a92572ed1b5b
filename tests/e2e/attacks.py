"""What somebody may have done to a run before it is passed on, and what comes of it."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from common.artifact import MOST_JSON_BYTES
from tests.e2e.theirs import EVIL, MARKUP, Outside, Theirs
from tests.unit.common.test_saved import planting

FLOAT16, EVALUATION, LEDGER = "variants/float16", "evaluation/float16/evaluation.json", "benchmark/host/ledger.jsonl"
CHOICE, REPORT, BENCHMARK = "best/choice.json", "report/results.json", "benchmark/host/benchmark.json"


def makefiles(theirs: Theirs, outside: Outside) -> None:
    evil = f"$(shell touch {outside.mark})\nVARIANTS := $(shell touch {outside.mark})\nall: ; touch {outside.mark}\n"
    for folder in ("", "plan", "report", "best"):
        for name in ("plan.mk", "Makefile", "GNUmakefile", "graph.mk"):
            (theirs.run / folder / name).write_text(evil, encoding="utf-8")


def code_in_the_model(theirs: Theirs, outside: Outside) -> None:
    theirs.replace("train/model.h5", planting(outside.mark).save)
    outside.mark.unlink(missing_ok=True)
    theirs.seal()


def a_linked_ledger(theirs: Theirs, outside: Outside) -> None:
    theirs.replace(LEDGER, lambda path: path.symlink_to(outside.secret))


def linked_logs(theirs: Theirs, outside: Outside) -> None:
    (theirs.run / LEDGER).unlink()
    shutil.rmtree(theirs.run / "benchmark/host/logs")
    (theirs.run / "benchmark/host/logs").symlink_to(outside.folder)


def a_linked_stage(theirs: Theirs, outside: Outside) -> None:
    shutil.rmtree(theirs.run / "best")
    (theirs.run / "best").symlink_to(outside.folder)


def linked_checkpoints(theirs: Theirs, outside: Outside) -> None:
    shutil.rmtree(theirs.run / "train/checkpoints")
    (theirs.run / "train/checkpoints").symlink_to(outside.folder)


def linked_outputs(theirs: Theirs, outside: Outside) -> None:
    for folder in ("best", "report"):
        for path in (theirs.run / folder).iterdir():
            if path.is_file() and path.name not in {"choice.json", "results.json", ".lock"}:
                theirs.replace(f"{folder}/{path.name}", lambda path: path.symlink_to(outside.secret))


def a_linked_picture(theirs: Theirs, outside: Outside) -> None:
    sheet = json.loads((theirs.run / "dataset/dataset.json").read_text(encoding="utf-8"))["contact_sheet"]["path"]
    theirs.replace(f"dataset/{sheet}", lambda path: path.symlink_to(outside.secret))
    theirs.seal()


def answers_above(theirs: Theirs, _: Outside) -> None:
    theirs.change(EVALUATION, lambda table: table["outputs"].update(path="../../../../outside/secret"))


def answers_elsewhere(theirs: Theirs, outside: Outside) -> None:
    theirs.change(EVALUATION, lambda table: table["outputs"].update(path=str(outside.secret)))


def pickled_answers(theirs: Theirs, outside: Outside) -> None:
    class Touch:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mknod, (str(outside.mark),)

    def write(path: Path) -> None:
        with path.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
            pickle.dump(np.array([Touch()], dtype=object), stream)

    theirs.replace("evaluation/float16/outputs.npy", write)
    theirs.seal()


def a_commit_of_markup(theirs: Theirs, _: Outside) -> None:
    theirs.change("train/training.json", lambda table: table["provenance"]["code"].update(commit=MARKUP))
    theirs.seal()


def a_huge_document(theirs: Theirs, _: Outside) -> None:
    theirs.replace(EVALUATION, lambda path: path.write_bytes(b"[" + b" " * MOST_JSON_BYTES))


def a_deep_document(theirs: Theirs, _: Outside) -> None:
    theirs.replace(EVALUATION, lambda path: path.write_bytes(b"[" * 200_000))


def a_number_of_5000_digits(theirs: Theirs, _: Outside) -> None:
    text = (theirs.run / EVALUATION).read_text(encoding="utf-8")
    theirs.replace(EVALUATION, lambda path: path.write_text(text.replace('"count": ', '"count": ' + "9" * 5000, 1)))


def a_ragged_table(theirs: Theirs, _: Outside) -> None:
    theirs.change(EVALUATION, lambda table: table.update(confusion=[[1], [2, 3]]))
    theirs.seal()


def no_inputs(theirs: Theirs, _: Outside) -> None:
    theirs.change(f"{FLOAT16}/variant.json", lambda table: table["provenance"].update(inputs=[]))


def no_dataset(theirs: Theirs, _: Outside) -> None:
    theirs.change("train/training.json", lambda table: table["provenance"].update(inputs=[]))


def a_pipe(theirs: Theirs, _: Outside) -> None:
    theirs.replace(f"{FLOAT16}/variant.json", os.mkfifo)


def pipes_in_the_plan(theirs: Theirs, _: Outside) -> None:
    # Those of the stages that take no time: what is changed in the plan is made anew.
    for name in (CHOICE, REPORT):
        theirs.replace(f"plan/{name}", os.mkfifo)


def words(theirs: Theirs, _: Outside) -> None:
    """Every place where anybody's words may stand."""
    classes: dict[str, str] = {}

    def rename(table: dict[str, object]) -> None:
        assert isinstance(table["classes"], list)
        classes.update({name: name + EVIL for name in table["classes"]} if not classes else {})
        table["classes"] = [classes[name] for name in table["classes"]]

    def rescore(table: dict[str, object]) -> None:
        rename(table)
        assert isinstance(table["per_class"], list)
        for score in table["per_class"]:
            score["name"] = classes[score["name"]]

    def retell(table: dict[str, object]) -> None:
        rename(table)
        table["source"] = f"x{EVIL}"
        table["quarantine"] = [{"file": EVIL, "reason": EVIL}]

    def remeasure(table: dict[str, object]) -> None:
        target = table["target"]
        assert isinstance(target, dict)
        target["name"] = EVIL
        target["facts"] = [[EVIL, EVIL], *target["facts"]]

    theirs.change("dataset/dataset.json", retell)
    theirs.change("train/training.json", rename)
    for name in ("baseline", "float16", "pruned"):
        theirs.change(f"variants/{name}/variant.json", rename)
        theirs.change(f"evaluation/{name}/evaluation.json", rescore)
    theirs.change(BENCHMARK, remeasure)
    theirs.seal()


Attack = tuple[Callable[[Theirs, Outside], None], str, str | None, str | None]
# What is changed, the artifact that is made anew from it, and what the error says, here and in a container; None where
# it is made.
INSIDE = "must be a path inside the artifact's folder"
ATTACKS: dict[str, Attack] = {
    "makefiles": (makefiles, REPORT, None, None),
    "code in the model": (code_in_the_model, f"{FLOAT16}/variant.json", "may run code", "error: "),
    "a linked ledger": (a_linked_ledger, BENCHMARK, "is a link", "is a link"),
    "linked logs": (linked_logs, BENCHMARK, "is a link", "is a link"),
    "a linked stage": (a_linked_stage, CHOICE, "through a symbolic link", "through a symbolic link"),
    "linked checkpoints": (linked_checkpoints, "train/training.json", "is a link", "is a link"),
    "linked outputs": (linked_outputs, CHOICE, None, None),
    "a linked picture": (a_linked_picture, REPORT, "leads out of", "leads out of"),
    "answers above": (answers_above, CHOICE, INSIDE, INSIDE),
    "answers elsewhere": (answers_elsewhere, CHOICE, INSIDE, INSIDE),
    "pickled answers": (pickled_answers, CHOICE, "is damaged", "is damaged"),
    "a commit of markup": (a_commit_of_markup, CHOICE, "not a valid Training", "not a valid Training"),
    "a huge document": (a_huge_document, CHOICE, "more than the 32 MiB allowed", "more than the 32 MiB allowed"),
    "a deep document": (a_deep_document, CHOICE, "not a valid Evaluation", "not a valid Evaluation"),
    "a number of 5,000 digits": (a_number_of_5000_digits, CHOICE, "not a valid Evaluation", "not a valid Evaluation"),
    "a ragged table": (a_ragged_table, CHOICE, "error: ", "error: "),
    "no inputs": (no_inputs, EVALUATION, "was made from dataset unknown", "was made from dataset unknown"),
    "no dataset": (no_dataset, f"{FLOAT16}/variant.json", "on another dataset", "on another dataset"),
    "a pipe": (a_pipe, EVALUATION, "is no plain file", "is no plain file"),
    "pipes in the plan": (pipes_in_the_plan, REPORT, None, None),
    "words": (words, CHOICE, None, None),
}
