"""The rules on XNNPACK over the project's own networks in every format, beside what the runtime takes of them.

The weights are random: what XNNPACK takes depends on shapes, types and scales.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from common.networks import build
from common.schema.convert import CALIBRATED, Convert, Format
from common.schema.network import Network
from tests.unit.common.tflite.asked_here import unlike

# The project's own networks in every format, two others in those without calibration. What the passes make of six more
# in int8 is held against the runtime where it is made (tests/unit/optimize/test_applications.py).
OWN, OTHERS = get_args(Format), ("float32", "dynamic_range")
NETWORKS = {
    **dict.fromkeys(["FireDetectionNet", "CompactNet"], OWN),
    **dict.fromkeys(["MobileNetV3Small", "EfficientNetB0"], OTHERS),
}
SIDE = 32
FAST = ("CompactNet", "float32"), ("CompactNet", "int8")


@lru_cache(maxsize=1)
def network(name: str) -> Any:
    return build(Network(architecture=name), (SIDE, SIDE, 3), 3, Path())


def converted(name: str, format_: str) -> bytes:
    from common.networks.convert import convert

    model = network(name)
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
    return convert(model, Convert.model_validate({"format": format_, **calibrated(format_)}), images)


def calibrated(format_: str) -> dict[str, int]:
    return {"calibration_images": 4} if format_ in CALIBRATED else {}


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        pytest.param(name, format_, marks=() if (name, format_) in FAST else pytest.mark.slow)
        for name, formats in NETWORKS.items()
        for format_ in formats
    ],
)
def test_the_rules_agree_with_the_runtime_on_every_operator(name: str, format_: str) -> None:
    assert not unlike(converted(name, format_))
