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

# The project's own networks in every format; others in those that differ by more than how a kernel is stored.
OWN, OTHERS = get_args(Format), ("float32", "dynamic_range", "int8")
NETWORKS = {
    **dict.fromkeys(["FireDetectionNet", "CompactNet"], OWN),
    **dict.fromkeys(
        [
            *("MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "ResNet50"),
            *("DenseNet121", "NASNetMobile", "RegNetX002"),
        ],
        OTHERS,
    ),
}
SIDE = 32
FAST = ("CompactNet", "float32"), ("CompactNet", "int8")


def converted(name: str, format_: str) -> bytes:
    from jobs.optimize.convert import convert

    model: Any = build(Network(architecture=name), (SIDE, SIDE, 3), 3, Path())
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
    return convert(model, Convert.model_validate({"format": format_, **calibrated(format_)}), images)


def calibrated(format_: str) -> dict[str, int]:
    return {"calibration_images": 4} if format_ in ("int8", "int16x8") else {}


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        pytest.param(name, format_, marks=() if (name, format_) in FAST else pytest.mark.slow)
        for name, formats in NETWORKS.items()
        for format_ in formats
    ],
)
def test_the_rules_agree_with_the_runtime_on_every_operator(name: str, format_: str) -> None:
    content = converted(name, format_)
    table, taken = inspect(content).table, taken_here(content)
    assert None not in taken
    assert not [
        (op.name, op.refusal, took) for op, took in zip(table, taken, strict=True) if took != (op.refusal is None)
    ]
