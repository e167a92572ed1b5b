"""What a file's activations are calibrated on: training images, or samples of the user's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.artifact import read
from common.batches import even_rows
from common.dataset import read_card, read_split
from common.errors import UsageError
from common.ports import input_names, places
from common.samples import CARD, read_calibrating
from common.schema.inputs import Samples
from common.schema.variant import Variant
from common.tflite.predict import scaled
from common.tflite.quantizer import Calibration


def calibrated_on(variant: Variant, count: int, dataset: Path | None, samples: Path | None) -> tuple[Calibration, str]:
    """At most `count` inputs for the signature of a float `variant`, by name, from the folder of either stage; and the
    hash of what they come from.

    Raises UsageError where there is no signature, where images do not fit, and where samples are not real ones.
    """
    if not variant.signatures:
        file = variant.model.path if variant.origin is None else variant.origin.file
        text = f"{file} has no signature, which litert-quantizer needs to calibrate"
        raise UsageError(text, hint="use a dynamic or weight-only format, or export it with a signature")
    if dataset is not None:
        return _on_images(variant, count, dataset)
    card = read(samples / CARD, Samples) if samples is not None else None
    if samples is None or card is None or card.kind == "drawn":
        text = f"variant '{variant.name}' is static and needs real samples for the ranges of its activations"
        raise UsageError(text, hint="give DATA or INPUTS (in an experiment: [data] or [inputs] source)")
    arrays = read_calibrating(samples, card)
    chosen = [arrays[place] for place in places(variant, card.ports)]
    names = input_names(variant)

    def rows_of() -> Iterator[dict[str, Any]]:
        for row in even_rows(len(arrays[0]), count):
            yield {name: array[row] for name, array in zip(names, chosen, strict=True)}

    return Calibration(variant.signatures[0].name, rows_of), card.arrays.sha256


def _on_images(variant: Variant, count: int, dataset: Path) -> tuple[Calibration, str]:
    card = read_card(dataset)
    images, _ = read_split(dataset, card, "train")
    if len(variant.inputs) != 1 or variant.inputs[0].dtype != "float32":
        file = variant.model.path if variant.origin is None else variant.origin.file
        raise UsageError(f"{file} takes no single image of real numbers, so images cannot calibrate it")
    (name,) = input_names(variant)
    rows = even_rows(len(images), count)

    def rows_of() -> Iterator[dict[str, Any]]:
        for row in rows:
            yield {name: scaled(images[row : row + 1], variant.pixels)}

    return Calibration(variant.signatures[0].name, rows_of), card.train.images.sha256
