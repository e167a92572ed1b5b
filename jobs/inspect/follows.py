"""Whether what a run's variants say of their files is what is in these files. No file is run.

    python -m jobs.inspect.follows --run runs/demo --experiment experiments/demo.toml

Reads   <run>/variants/<name>/: variant.json and the files that it names
Writes  nothing; a line of JSON for everything that does not follow, and one at the end
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from common import cli
from common.artifact import read, verified
from common.experiment import LoadedExperiment
from common.experiment import load as load_experiment
from common.findings import differences, figures, tell_findings
from common.given import described
from common.schema.evidence import Finding, Followed
from common.schema.given import GivenFile
from common.schema.variant import Variant
from common.tflite.delegated import as_stated
from common.tflite.reader import Inspection, inspect

ARTIFACT = "variant.json"
# Another build of zlib packs a little better or worse at the same level.
ZLIB = 0.01
OTHER_ZLIB = "deflated sizes, which this machine's zlib makes up to {share:.1%} different"
ASKED = "what XNNPACK takes of them, as {runtimes} said when the files were made: as it stands, since no file is run"
TRAINED = "what the passes did, and the promises that were checked when files were made: kept or waived, as they stand"


def follows(run: Path, experiment: LoadedExperiment) -> tuple[list[Finding], Followed]:
    """All that does not follow. Raises UsageError for a file that is missing or was changed, and EdgeproofError for one
    that cannot be read."""
    found: list[Finding] = []
    told, apart = 0, 0.0
    asked: list[str] = []
    for name in experiment.settings.variants:
        folder = run / "variants" / name
        stated = read(folder / ARTIFACT, Variant)
        derived, size = _derived(folder, stated)
        apart = max(apart, abs(size / max(1, stated.deflated_bytes) - 1))
        found += differences(f"variants/{name}/{ARTIFACT}: ", stated, derived)
        told += figures(derived)
        asked += [stated.proof.source.runtime] if stated.proof and stated.proof.source.kind == "asked" else []
    notes: tuple[str, ...] = (OTHER_ZLIB.format(share=apart),) if apart else ()
    notes += (ASKED.format(runtimes=" and ".join(dict.fromkeys(asked))),) if asked else ()
    count = len(experiment.settings.variants)
    return found, Followed(what=f"{count} .tflite files read again", figures=told, notes=(*notes, TRAINED))


def _derived(folder: Path, stated: Variant) -> tuple[Variant, int]:
    """The artifact as it follows from its files, and the file's deflated size here."""
    path = verified(folder, stated.model)
    content = path.read_bytes()
    made = inspect(content)
    if stated.proof is not None:
        made = replace(made, proof=as_stated(made.proof, stated.proof, made.operators))
    size = made.proof.deflated_bytes
    told = _of_file(made) | _of_given(path, content, stated, made)
    if stated.compiled is not None:
        operators = inspect(verified(folder, stated.compiled.model).read_bytes()).operators
        told["compiled"] = stated.compiled.model_copy(update={"operators": operators})
    proof = stated.proof
    if abs(size - stated.deflated_bytes) <= ZLIB * size and proof and proof.deflated_bytes == stated.deflated_bytes:
        kept = {"deflated_bytes": stated.deflated_bytes}
        told |= kept | {"proof": made.proof.model_copy(update=kept)}
    return stated.model_copy(update=told), size


def _of_file(made: Inspection) -> dict[str, Any]:
    return {
        "deflated_bytes": made.proof.deflated_bytes,
        "inputs": made.inputs,
        "outputs": made.outputs,
        "operators": made.operators,
        "tensors": made.tensors,
        "proof": made.proof,
    }


def _of_given(path: Path, content: bytes, stated: Variant, made: Inspection) -> dict[str, Any]:
    """What a file that is measured as it was given says of itself besides."""
    if not isinstance(stated.given, GivenFile):
        return {}
    told = described(path, content, stated.given.pixels, made)
    return {name: told[name] for name in ("classes", "labels", "pixels", "signatures")}


def main(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
) -> None:
    """Read every file again."""
    tell_findings(*follows(run, load_experiment(experiment)))


if __name__ == "__main__":
    cli.run(main)
