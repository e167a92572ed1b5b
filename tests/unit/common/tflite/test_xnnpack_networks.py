"""The rules on XNNPACK over the project's own networks in every format, beside what the runtime takes of them.

The weights are random: what XNNPACK takes depends on shapes, types and scales.
"""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from common.networks import build
from common.schema.network import Network
from common.schema.recipe import Convert, Format
from common.tflite.reader import inspect
from tests.unit.common.tflite.asked_here import taken_here

FORMATS = get_args(Format)
# Sides of the image, small ones that the network still takes.
NETWORKS = {
    "FireDetectionNet": 32,
    "CompactNet": 32,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "ResNet50": 32,
    "DenseNet121": 32,
    "InceptionV3": 75,
    "NASNetMobile": 32,
    "RegNetX002": 32,
    "Xception": 71,
}
FAST = ("CompactNet", "float32"), ("CompactNet", "int8")


def converted(name: str, format_: str) -> bytes:
    from jobs.optimize.convert import convert

    side = NETWORKS[name]
    model: Any = build(Network(architecture=name), (side, side, 3), 3, Path())
    images = np.random.default_rng(0).integers(0, 256, (4, side, side, 3), dtype=np.uint8)
    return convert(model, Convert.model_validate({"format": format_, **calibrated(format_)}), images)


def calibrated(format_: str) -> dict[str, int]:
    return {"calibration_images": 4} if format_ in ("int8", "int16x8") else {}


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        pytest.param(name, format_, marks=() if (name, format_) in FAST else pytest.mark.slow)
        for name in NETWORKS
        for format_ in FORMATS
    ],
)
def test_the_rules_agree_with_the_runtime_on_every_operator(name: str, format_: str) -> None:
    content = converted(name, format_)
    table, taken = inspect(content).table, taken_here(content)
    assert None not in taken
    assert not [
        (op.name, op.refusal, took) for op, took in zip(table, taken, strict=True) if took != (op.refusal is None)
    ]
