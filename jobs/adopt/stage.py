"""The adopt stage: a finished file, and the proof of what is in it."""

import hashlib
from pathlib import Path

from common.artifact import file_ref, write_bytes, write_model, writing
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.given import described, inspected, read_given
from common.model_file import given_path
from common.ports import input_names, output_names, shapes
from common.provenance import Recorder
from common.schema.given import GivenFile
from common.schema.variant import Origin, Variant
from common.tflite.ask import load
from common.tflite.delegated import asked

ARTIFACT = "variant.json"
PACKAGES = ("ai-edge-litert", "flatbuffers", "numpy")
# What can be filled and compared; in others the runtime's own numbers are not the file's.
SIZES = {"float": (16, 32, 64), "int": (8, 16, 32, 64), "uint": (8, 16, 32, 64)}
NUMBERS = {f"{kind}{size}" for kind, sizes in SIZES.items() for size in sizes} | {"bool"}


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
    found = inspected(path, content)
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
            **described(path, content, making.pixels, found),
        )
        _check_ports(path, variant)
        load(path, shapes(variant, experiment.settings.inputs.shape))
        variant = variant.model_copy(update={"proof": asked(path, content, found).proof})
        write_model(output / ARTIFACT, variant)
    return variant


def _check_ports(path: Path, variant: Variant) -> None:
    if not (variant.inputs and variant.outputs):
        raise UsageError(f"{path} has no {'output' if variant.inputs else 'input'} in its main subgraph")
    names, ports = (*input_names(variant), *output_names(variant)), (*variant.inputs, *variant.outputs)
    for name, port in zip(names, ports, strict=True):
        if port.dtype not in NUMBERS:
            kind = "text (string)" if port.dtype == "string" else port.dtype
            raise UsageError(f"{path}: {name!a} is {kind}, which cannot be measured")
