"""Whether a run's choice follows from its artifacts: every verdict, the file to ship and its card. No file is run.

    python -m jobs.choose.follows --run runs/demo --experiment experiments/demo.toml

Reads   <run>/: every artifact but the report, and the best variant's .tflite
Writes  nothing; a line of JSON for everything that does not follow, and one at the end
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.artifact import read, verified
from common.experiment import LoadedExperiment
from common.experiment import load as load_experiment
from common.findings import differences, figures, tell_findings
from common.run.layout import CHOICE, RESULTS, run_folders, targets_of
from common.run.read import read_run
from common.schema.base import FileRef
from common.schema.choice import Choice
from common.schema.evidence import Finding, Followed
from common.schema.provenance import InputRef
from common.schema.results import Results
from jobs.choose.stage import MODEL_CARD, Decision, card_of, decide, to_ship, told


def follows(run: Path, experiment: LoadedExperiment) -> tuple[list[Finding], Followed]:
    """All that does not follow. Raises UsageError for a file that is missing or was changed."""
    targets = targets_of(read(run / RESULTS, Results))
    read_once = read_run(experiment, run_folders(run, experiment.settings, targets))
    stated, decision = read(run / CHOICE, Choice), decide(read_once)
    inputs = tuple(InputRef(role=role, sha256=digest) for role, digest in read_once.inputs.items())
    derived = stated.model_copy(update=told(decision))
    found = list(differences(f"{CHOICE}: ", stated, derived))
    found += differences(f"{CHOICE}: provenance.inputs", stated.provenance.inputs, inputs)
    found += _files(run, stated, decision, experiment.settings.title)
    words = 0 if stated.judgement is None else len(stated.judgement.speeds) + len(stated.judgement.variants)
    return found, Followed(what=f"{words} verdicts, the file to ship and its card", figures=figures(derived))


def _files(run: Path, stated: Choice, decision: Decision, title: str) -> Iterator[Finding]:
    """The file to ship and its card, made again."""
    best = decision.best
    if best is None:
        yield from differences(f"{CHOICE}: model", stated.model, None)
        yield from differences(f"{CHOICE}: card", stated.card, None)
        return
    content = verified(run / "variants" / best.name, best.model).read_bytes()
    model = _ref(f"{best.name}.tflite", to_ship(decision, content, title))
    yield from differences(f"{CHOICE}: model", stated.model, model)
    yield from differences(f"{CHOICE}: card", stated.card, _ref(MODEL_CARD, card_of(decision, model, content, title)))
    for ref in (stated.model, stated.card):
        if ref is not None:
            verified(run / "best", ref)


def _ref(name: str, content: bytes) -> FileRef:
    return FileRef(path=name, sha256=sha256(content).hexdigest(), size_bytes=len(content))


def main(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
) -> None:
    """Judge the run again."""
    tell_findings(*follows(run, load_experiment(experiment)))


if __name__ == "__main__":
    cli.run(main)
