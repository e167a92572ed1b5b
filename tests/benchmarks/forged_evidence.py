"""How often a bundle that somebody changed is found out.

    python -m tests.benchmarks.forged_evidence --trials 1000

A run of three variants on two pretended phones is packed. Then, so many times: one byte of a random file is changed, or
one byte anywhere in the archive, one digit of a random figure, one line of a random ledger. First with every hash left
as it was, then by a forger who makes every hash fit, so that only what is derived again can tell. Digits are among the
first twelve: logarithms differ in the last ones between machines. A line of a ledger at another place may leave every
figure as it is; those are named.
"""

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError

from common.artifact import read, verified
from common.errors import EdgeproofError
from common.ledger import kept, read_lines, read_samples
from common.run.layout import run_folders, targets_of
from common.run.read import read_run
from common.schema.base import FileRef
from common.schema.benchmark import Benchmark, LedgerLine
from common.schema.evidence import Finding
from common.schema.results import Results
from common.schema.variant import Variant
from jobs.benchmark.follows.records import Files, Records, derive, unlike_ledger, unlike_records, wanted_of
from jobs.choose.follows import follows as choice_follows
from jobs.dataset.follows import follows as dataset_follows
from jobs.evaluate.follows import follows as evaluation_follows
from jobs.evidence.archive import Unpacker
from jobs.evidence.pack import pack
from jobs.evidence.verify import listed
from jobs.inspect.follows import follows as file_follows
from jobs.report.follows import sources, unlike
from tests import forgery
from tests.whole_run import Whole, whole_run

HOW = ("left out", "doubled", "reordered")
# What a stage's artifact says that its own records do not: taken as it stands, which docs/evidence.md lists.
TAKEN = {
    "benchmark": ("provenance", "schema_version", "target", "settings"),
    "evaluation": ("provenance", "schema_version"),
    "best": ("provenance", "schema_version"),
    "variants": ("provenance", "schema_version", "given", "passes", "promises", "validation", "unasked"),
    "dataset": (
        *("provenance", "schema_version", "height", "width", "colour_baseline", "decode_images_per_s", "bad_share"),
        *("exact_dropped", "images", "train_labels", "validation_labels", "items", "contact_sheet"),
    ),
}


@dataclass
class Trials:
    """A bundle, its run, and chance."""

    whole: Whole
    bundle: Path
    folder: Path
    chance: random.Random

    def caught_by_hashes(self, archive: bytes) -> bool:
        """Whether the archive is refused, or its list does not fit."""
        path = self.folder / "changed.tar"
        path.write_bytes(archive)
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            try:
                unpacker = Unpacker(path, Path(name))
                files = [FileRef(path=p, sha256=digest, size_bytes=size) for p, digest, size in unpacker.unpack()]
                return bool(list(listed(Path(name), files)))
            except EdgeproofError:
                return True


def main(trials: int = 1000, seed: int = 1, only: str = "") -> None:
    """Print a line for every kind of change, or for those whose words hold `only`."""
    with tempfile.TemporaryDirectory(prefix="edgeproof-forged-") as name:
        folder = Path(name)
        whole = whole_run(folder, devices=("one", "two"), backends=("cpu", "xnnpack", "gpu"))
        bundle = folder / "run.tar"
        pack(whole.run, whole.experiment, whole.path, bundle)
        given = Trials(whole, bundle, folder, random.Random(seed))  # noqa: S311
        for what, trial in (*by_hashes(given), *by_figures(given)):
            if only not in what:
                continue
            began, missed = time.monotonic(), Counter[str]()
            for _ in range(trials):
                miss = trial()
                if miss is not None:
                    missed[miss] += 1
            took = time.monotonic() - began
            print(f"{what:<62} {trials - missed.total():>5,} of {trials:,} caught ({took:.0f} s)", flush=True)
            for miss, count in missed.most_common(8):
                print(f"    missed {count}: {miss}")


Trial = Callable[[], str | None]


def by_hashes(given: Trials) -> tuple[tuple[str, Trial], ...]:
    """Changes by somebody who leaves the hashes as they are."""
    files, archive = forgery.unpacked(given.bundle), given.bundle.read_bytes()
    filled = [name for name, content in files.items() if content]
    documents = [name for name in filled if name.endswith(".json")]

    def told(changed: forgery.Files | bytes, what: str) -> str | None:
        content = changed if isinstance(changed, bytes) else forgery.archived(changed)
        return None if given.caught_by_hashes(content) else what

    def byte() -> str | None:
        name = given.chance.choice(filled)
        return told(files | {name: forgery.other_byte(files[name], given.chance)}, name)

    def digit() -> str | None:
        name = given.chance.choice(documents)
        document = json.loads(files[name])
        place = given.chance.choice(list(forgery.figures(document)))
        return told(files | {name: forgery.other_digit(document, place, given.chance)}, f"{name} {place}")

    def line(how: str) -> Trial:
        def one() -> str | None:
            name = given.chance.choice([each for each in filled if each.endswith("ledger.jsonl")])
            lines = forgery.other_lines(files[name].splitlines(keepends=True), how, given.chance)
            return told(files | {name: b"".join(lines)}, f"{name} {how}")

        return one

    return (
        ("one byte of a random file", byte),
        ("one byte anywhere in the archive", lambda: told(forgery.other_byte(archive, given.chance), "archive")),
        ("one digit of a random figure of any artifact", digit),
        *((f"one ledger line {how}", line(how)) for how in HOW),
    )


def by_figures(given: Trials) -> tuple[tuple[str, Trial], ...]:
    """Changes by a forger who makes every hash fit."""
    fit, anew = "every hash made to fit: ", "every artifact made anew: "
    return (
        (f"{fit}one digit in results.json", _results(given)),
        *((f"{fit}one digit in {what}", _artifact(given, what)) for what in TAKEN),
        *((f"{fit}a ledger line {how}", _ledger(given, how, logs=True)) for how in HOW),
        *((f"{fit}a ledger line {how}, no logs", _ledger(given, how, logs=False)) for how in HOW),
        *((f"{anew}a ledger line {how}", _ledger(given, how, logs=False, anew=True)) for how in HOW),
    )


def _results(given: Trials) -> Trial:
    run, experiment = given.whole.run, given.whole.experiment
    path = run / "report" / "results.json"
    document, stated = json.loads(path.read_bytes()), read(path, Results)
    folders = run_folders(run, experiment.settings, targets_of(stated))
    made = sources(read_run(experiment, folders), folders, run)
    places = list(forgery.figures(document))

    def trial() -> str | None:
        place = given.chance.choice(places)
        try:
            changed = Results.model_validate_json(forgery.other_digit(document, place, given.chance))
        except ValidationError:
            return None
        return None if list(unlike(changed, made)) else str(place)

    return trial


def _artifact(given: Trials, what: str) -> Trial:
    run = given.whole.run
    found = [path for path in (run / what).rglob("*.json") if path.name not in ("results.json",)]
    documents = {path: json.loads(path.read_bytes()) for path in found}
    places = {
        path: [place for place in forgery.figures(document) if not set(TAKEN[what]) & set(map(str, place))]
        for path, document in documents.items()
    }
    if what == "dataset":
        places = {
            path: [p for p in own if not (p[0] in ("train", "validation") and p[1] in ("images", "labels"))]
            for path, own in places.items()
        }
    checks: dict[str, Callable[[Whole], list[Finding]]] = {
        "benchmark": _benchmark_check(given.whole),
        "evaluation": lambda w: evaluation_follows(w.run, w.experiment)[0],
        "best": lambda w: choice_follows(w.run, w.experiment)[0],
        "variants": lambda w: file_follows(w.run, w.experiment)[0],
        "dataset": lambda w: dataset_follows(w.run, w.experiment)[0],
    }

    def trial() -> str | None:
        path = given.chance.choice([path for path in found if places[path]])
        place, before = given.chance.choice(places[path]), path.read_bytes()
        path.write_bytes(forgery.other_digit(documents[path], place, given.chance))
        try:
            return None if checks[what](given.whole) else f"{path.name} {place}"
        except EdgeproofError:
            return None
        finally:
            path.write_bytes(before)

    return trial


def _benchmark_check(whole: Whole) -> Callable[[Whole], list[Finding]]:
    """The check of all benchmarks, whose ledgers are read once: they stay as they are."""
    made = _made(whole)
    ledgers = {path.parent: tuple(read_lines(path)) for path in sorted(whole.run.glob("benchmark/*/ledger.jsonl"))}

    def check(whole: Whole) -> list[Finding]:
        found: list[Finding] = []
        for folder, lines in ledgers.items():
            stated = read(folder / "benchmark.json", Benchmark)
            verified(folder, stated.ledger)
            found += unlike_ledger("benchmark.json", stated, lines, made, whole.experiment)
        return found

    return check


def _made(whole: Whole) -> Files:
    names = whole.experiment.settings.variants
    return Files({name: read(whole.run / "variants" / name / "variant.json", Variant) for name in names}, None)


def _ledger(given: Trials, how: str, *, logs: bool, anew: bool = False) -> Trial:
    run, experiment = given.whole.run, given.whole.experiment
    made = _made(given.whole)
    folders = sorted(path for path in (run / "benchmark").iterdir() if path.is_dir())

    def trial() -> str | None:
        folder = given.chance.choice(folders)
        ledger = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
        changed = forgery.other_lines(ledger, how, given.chance)
        path = given.folder / "ledger.jsonl"
        path.write_bytes(b"".join(changed))
        stated = read(folder / "benchmark.json", Benchmark)
        records = Records(folder, "benchmark", not logs)
        found: list[Finding] = []
        lines: list[LedgerLine] = []
        for number, line in enumerate(read_samples(path), 1):
            found += unlike_records(records, number, line)
            lines.append(kept(line))
        if anew:
            wanted = wanted_of(stated, made, experiment.settings.reference)
            try:
                stated = derive(stated, lines, wanted, experiment)
            except (IndexError, KeyError):
                # A cell has nothing left to make a row of.
                return None
        found += unlike_ledger("benchmark.json", stated, lines, made, experiment)
        if found:
            return None
        return f"a line of {json.loads(forgery.touched(ledger, changed))['kind']} {how}"

    return trial


if __name__ == "__main__":
    typer.run(main)
