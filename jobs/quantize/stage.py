"""The quantize stage: a finished file, a recipe of litert-quantizer, and the proof of what comes out."""

import hashlib
from pathlib import Path

from common.artifact import file_ref, write_bytes, write_model, writing
from common.calibration import calibrated_on
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.given import described, inspected, read_given
from common.model_file import given_path
from common.ports import shapes
from common.promises import require_kept
from common.provenance import Recorder
from common.schema.given import FromFile
from common.schema.variant import Origin, Variant
from common.tflite.aot import write_compiled
from common.tflite.ask import load
from common.tflite.delegated import asked
from common.tflite.formats import formats
from common.tflite.parts import by_output
from common.tflite.quantizer import (
    Calibration,
    Quantization,
    quantised_promises,
    quantized,
    require_float,
    require_reached,
)
from common.tflite.reader import inspect

ARTIFACT = "variant.json"
PACKAGES = ("litert-quantizer", "ai-edge-litert", "flatbuffers", "numpy")


def quantize(
    experiment: LoadedExperiment, name: str, dataset: Path | None, samples: Path | None, output: Path
) -> Variant:
    """Write variant `name` into `output`. A static format is calibrated on the training images of `dataset` or on
    `samples`.

    Raises UsageError for a variant that comes from no file, or is to be calibrated on nothing real; EdgeproofError
    when litert-quantizer refuses the file or the result does not hold what was asked for.
    """
    recorder = Recorder("quantize", experiment)
    making = experiment.settings.variants.get(name)
    if not isinstance(making, FromFile):
        raise UsageError(f"variant '{name}' is not made from a file", hint='give it from = "…" and a convert table')
    path = given_path(making, experiment.folder)
    source = read_given(path)
    found, digest = inspected(path, source), hashlib.sha256(source).hexdigest()
    before = Variant(
        provenance=recorder.finish({"file": digest}, PACKAGES),
        name=name,
        recipe=None,
        given=making,
        origin=Origin(file=making.source, sha256=digest),
        model={"path": path.name, "sha256": digest, "size_bytes": len(source)},  # type: ignore[arg-type]
        promises=(),
        **described(path, source, making.pixels, found),
    )
    require_float(path, found)
    load(path, shapes(before, experiment.settings.inputs.shape))
    wanted = Quantization(making.convert, by_output(source))
    require_reached(path, wanted)
    inputs = {"file": digest}
    calibration: Calibration | None = None
    if making.convert.is_static:
        calibration, inputs["calibration"] = calibrated_on(before, making.convert.calibration_samples, dataset, samples)
    content = quantized(path, source, wanted, calibration)
    made = inspect(content)
    promises = quantised_promises(wanted, made)
    require_kept(name, promises, "another format may suit the file; jobs.inspect shows what is in it")
    with writing(output, ARTIFACT):
        write_bytes(output / f"{name}.tflite", content)
        made = asked(output / f"{name}.tflite", content, made)
        variant = Variant(
            provenance=recorder.finish(inputs, PACKAGES),
            name=name,
            recipe=None,
            given=making,
            origin=before.origin,
            model=file_ref(output / f"{name}.tflite", output),
            promises=promises,
            compiled=write_compiled(content, making.convert.npu, name, output),
            **{
                **described(path, content, before.pixels, made),
                "labels": before.labels,
                "passes": (formats(Quantization(making.convert, by_output(content)), made),),
            },
        )
        write_model(output / ARTIFACT, variant)
    return variant
