"""The quantize stage: a finished file, a recipe of litert-quantizer, and the proof of what comes out."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.artifact import file_ref, read, write_bytes, write_model, writing
from common.batches import even_rows
from common.dataset import read_card, read_split
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.given import described, read_given
from common.model_file import given_path
from common.ports import input_names, places, shapes
from common.provenance import Recorder
from common.samples import CARD, read_arrays
from common.schema.given import FromFile
from common.schema.inputs import Samples
from common.schema.variant import Origin, Variant
from common.tflite.ask import load
from common.tflite.predict import scaled
from common.tflite.reader import inspect
from jobs.quantize.promises import check
from jobs.quantize.quantizer import Calibration, quantized

ARTIFACT = "variant.json"
FLOATS = ("float32", "float16")
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
    digest = hashlib.sha256(source).hexdigest()
    before = Variant(
        provenance=recorder.finish({"file": digest}, PACKAGES),
        name=name,
        recipe=None,
        given=making,
        origin=Origin(file=making.source, sha256=digest),
        model={"path": path.name, "sha256": digest, "size_bytes": len(source)},  # type: ignore[arg-type]
        promises=(),
        **described(path, source, making.pixels),
    )
    if not any(kernel.tensor.dtype in FLOATS for kernel in inspect(source).kernels):
        raise UsageError(f"{path} has no kernel of real numbers left to quantise", hint="start from the float file")
    load(path, shapes(before, experiment.settings.inputs.shape))
    inputs = {"file": digest}
    calibration: Calibration | None = None
    if making.convert.is_static:
        calibration, inputs["calibration"] = _calibration(before, making, dataset, samples)
    content = quantized(path, source, making.convert, calibration)
    promises = check(making.convert, inspect(content))
    broken = [promise for promise in promises if not promise.kept and promise.waived is None]
    if broken:
        first = broken[0]
        text = f"variant '{name}': {first.claim} of {first.subject} is {first.observed}, expected {first.expected}"
        raise EdgeproofError(text, hint="another format may suit the file; jobs.inspect shows what is in it")
    with writing(output, ARTIFACT):
        write_bytes(output / f"{name}.tflite", content)
        variant = Variant(
            provenance=recorder.finish(inputs, PACKAGES),
            name=name,
            recipe=None,
            given=making,
            origin=before.origin,
            model=file_ref(output / f"{name}.tflite", output),
            promises=promises,
            **{**described(path, content, before.pixels), "labels": before.labels},
        )
        write_model(output / ARTIFACT, variant)
    return variant


def _calibration(
    variant: Variant, making: FromFile, dataset: Path | None, samples: Path | None
) -> tuple[Calibration, str]:
    """Inputs by name for the file's signature, and the hash of what they come from."""
    if not variant.signatures:
        text = f"{making.source} has no signature, which litert-quantizer needs to calibrate"
        raise UsageError(text, hint="use a dynamic or weight-only format, or export it with a signature")
    signature, count = variant.signatures[0].name, making.convert.calibration_samples
    if dataset is not None:
        card = read_card(dataset)
        images, _ = read_split(dataset, card, "train")
        if len(variant.inputs) != 1 or variant.inputs[0].dtype != "float32":
            raise UsageError(f"{making.source} takes no single image of real numbers, so images cannot calibrate it")
        (name,) = input_names(variant)
        rows = even_rows(len(images), count)
        return Calibration(
            signature, lambda: ({name: scaled(images[row : row + 1], variant.pixels)} for row in rows)
        ), card.train.images.sha256
    card_of_samples = read(samples / CARD, Samples) if samples is not None else None
    if samples is None or card_of_samples is None or card_of_samples.kind == "drawn":
        text = f"variant '{variant.name}' is static and needs real samples for the ranges of its activations"
        raise UsageError(text, hint="give DATA or INPUTS (in an experiment: [data] or [inputs] source)")
    arrays = read_arrays(samples, card_of_samples)
    chosen = [arrays[place] for place in places(variant, card_of_samples.ports)]
    names = input_names(variant)

    def rows_of() -> Iterator[dict[str, Any]]:
        for row in even_rows(card_of_samples.count, count):
            yield {name: array[row] for name, array in zip(names, chosen, strict=True)}

    return Calibration(signature, rows_of), card_of_samples.arrays.sha256
