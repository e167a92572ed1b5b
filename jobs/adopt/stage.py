"""The adopt stage: a finished file, and the proof of what is in it."""

import hashlib
from pathlib import Path

from common.artifact import file_ref, write_bytes, write_model, writing
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.given import described, read_given
from common.model_file import given_path
from common.ports import shapes
from common.provenance import Recorder
from common.schema.given import GivenFile
from common.schema.variant import Origin, Variant
from common.tflite.ask import load

ARTIFACT = "variant.json"
PACKAGES = ("ai-edge-litert", "flatbuffers", "numpy")
# What no measuring can fill.
TEXT = "string"


def adopt(experiment: LoadedExperiment, name: str, output: Path) -> Variant:
    """Write the given file `name` as a variant into `output`.

    Raises UsageError for a variant that is no file, EdgeproofError when LiteRT cannot load it.
    """
    recorder = Recorder("adopt", experiment)
    making = experiment.settings.variants.get(name)
    if not isinstance(making, GivenFile):
        files = [each for each, made in experiment.settings.variants.items() if isinstance(made, GivenFile)]
        raise UsageError(f"variant '{name}' is no file", hint=f"files of the experiment: {', '.join(files) or 'none'}")
    path = given_path(making, experiment.folder)
    content = read_given(path)
    facts = described(path, content, making.pixels)
    with writing(output, ARTIFACT):
        write_bytes(output / f"{name}.tflite", content)
        digest = hashlib.sha256(content).hexdigest()
        variant = Variant(
            provenance=recorder.finish({"file": digest}, PACKAGES),
            name=name,
            recipe=None,
            given=making,
            origin=Origin(file=making.file, sha256=digest),
            model=file_ref(output / f"{name}.tflite", output),
            promises=(),
            **facts,
        )
        asked = load(path, shapes(variant, experiment.settings.inputs.shape))
        text = [port.name for port in (*asked.inputs, *asked.outputs) if port.dtype == TEXT]
        if text:
            raise UsageError(f"{path}: {text[0]!a} is text (string), which cannot be measured")
        write_model(output / ARTIFACT, variant)
    return variant
