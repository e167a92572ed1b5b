"""Layers in formats of their own: what stands in the file, what is promised of it, and what is told."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from common.errors import EdgeproofError
from common.promises import require_kept
from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.variant import LayerNote
from common.tflite.predict import predict
from jobs.optimize.promises import advice
from jobs.optimize.stage import Made, make
from tests.unit.optimize.tiny import IMAGES, NARROW, TUNER

# Keras numbers the layer that has no name of its own.
POOL = "global_average_pooling2d"


def made(**convert: Any) -> Made:
    return make(NARROW(), Recipe.model_validate({"convert": {"calibration_images": 8, **convert}}), TUNER)


def ports(one: Made) -> list[str]:
    return [port.dtype for port in (*one.inspection.inputs, *one.inspection.outputs)]


def notes(one: Made) -> dict[str, LayerNote]:
    assert one.reports[-1].name == "convert"
    return {POOL if note.layer.startswith(POOL) else note.layer: note for note in one.reports[-1].layers}


@pytest.mark.parametrize("integers", [False, True])
def test_a_layer_stays_in_float_and_is_told_so(*, integers: bool) -> None:
    found = made(format="static_wi8_ai8", layers={"wide": "float32"}, integer_io=integers)
    kernels = {kernel.tensor.name.split("/")[1]: kernel.tensor.dtype for kernel in found.inspection.kernels}
    assert [kernels[layer] for layer in ("first", "narrow", "wide", "last")] == ["int8", "int8", "float32", "int8"]
    assert ports(found) == (["int8", "int8"] if integers else ["float32", "float32"])
    assert all(promise.kept for promise in found.promises)
    told = next(promise for promise in found.promises if promise.claim == "layers")
    assert (told.subject, told.observed) == ("wide", "those of wide")
    layers = notes(found)
    assert tuple(layers) == ("first", "narrow", POOL, "wide", "last")
    assert layers["wide"] == LayerNote(layer="wide", action="left in float32: as the recipe says", changed=False)
    assert layers["narrow"] == LayerNote(layer="narrow", action="in static_wi8_ai8")
    whole = predict(made(format="float32").content, IMAGES)
    assert np.abs(predict(found.content, IMAGES) - whole).max() < 0.05


def test_the_last_pattern_counts_and_formats_are_mixed() -> None:
    layers = {"*": "dynamic_wi8_afp32", "first": "float32", "last": "static_wi8_ai8"}
    found = made(format="static_wi8_ai16", layers=layers)
    assert all(promise.kept for promise in found.promises)
    told = {layer: note.action for layer, note in notes(found).items()}
    assert told["first"] == "left in float32: as the recipe says"
    assert told["narrow"] == "in dynamic_wi8_afp32" and told["last"] == "in static_wi8_ai8"
    # litert-quantizer has no dynamic pooling, which no promise hides.
    assert told[POOL].startswith("left in float32: litert-quantizer")


def test_a_layer_that_was_taken_apart_is_called_by_its_name() -> None:
    thinner = {"pass": "factorize", "layers": (), "ranks": {"wide": 2}, "epochs": 1, "learning_rate": 1e-4}
    convert = {"format": "static_wi8_ai8", "layers": {"wide": "float32"}, "calibration_images": 8}
    recipe = Recipe.model_validate({"passes": (thinner,), "convert": convert, "fine_tune": False})
    found = make(NARROW(), recipe, TUNER)
    kernels = {kernel.tensor.name.split("/")[1]: kernel.tensor.dtype for kernel in found.inspection.kernels}
    expected = {"first": "int8", "narrow": "int8", "wide_u": "float32", "wide_v": "float32", "last": "int8"}
    assert kernels == expected and all(promise.kept for promise in found.promises)


def test_a_layer_without_an_operator_breaks_its_promise() -> None:
    found = made(format="dynamic_wi8_afp32", layers={"wide": "float32", "batch_normalization*": "float32"})
    broken = [promise for promise in found.promises if not promise.kept]
    assert [(promise.claim, promise.subject, promise.observed) for promise in broken] == [
        ("layers", "batch_normalization*", "no operator")
    ]
    with pytest.raises(EdgeproofError, match="is no operator, expected operators of the file"):
        require_kept("a", found.promises, advice(found.promises))


def test_formats_of_the_converter_have_none_by_layer() -> None:
    with pytest.raises(ValidationError, match="layers goes with litert-quantizer's formats"):
        Convert(format="int8", layers={"a": "float32"})


def test_what_is_calibrated_may_say_on_how_much() -> None:
    def unused(**convert: Any) -> str | None:
        return Recipe.model_validate({"convert": {"calibration_images": 5, **convert}}).unused

    assert unused(format="static_wi8_ai8") is None
    assert unused(format="dynamic_wi8_afp32", layers={"a": "static_wi8_ai8"}) is None
    assert unused(format="dynamic_wi8_afp32") is not None
