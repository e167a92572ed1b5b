"""What a .tflite file holds and computes: parts of `variant.json`, `results.json` and of the inspect tool's output."""

from typing import Literal

from common.schema.base import Count, Model, Share

# int8: 8-bit activations; int16x8: 16-bit activations and 8-bit weights; hybrid: float activations and integer
# weights (dynamic range); conversion: QUANTIZE, DEQUANTIZE, DENSIFY; other: indices, shapes, strings, resources.
Domain = Literal["float32", "int8", "int16x8", "hybrid", "conversion", "other"]


class Quantization(Model):
    """Affine parameters, real = scale * (stored - zero point).

    `axis` is the dimension that the scales go along, None for a single scale. `block` is the number of
    elements that share a scale along the last dimension, None where the whole slice shares one.
    """

    scales: Count
    scale_low: float
    scale_high: float
    zero_points: tuple[int, ...]
    axis: int | None
    block: Count | None


class Tensor(Model):
    """A constant tensor as it stands in the .tflite file.

    `unique_per_channel` is the largest number of distinct values in any output channel (the whole
    tensor where it has no channels). `stored_bytes` is what it takes in the file, less than its
    elements do where it is `sparse` (stored by its non-zero values); both are of version 2.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    elements: Count
    zeros: Share
    unique_per_channel: Count
    quantization: Quantization | None = None
    stored_bytes: Count = 0
    sparse: bool = False


class Port(Model):
    """An input or output of the model. `scale` is None when it is not quantised. `open_shape` has -1 for sides that a
    caller chooses, and is empty where there are none."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None
    open_shape: tuple[int, ...] = ()


class Operator(Model):
    """One operator. Types are those of its first input that is no constant and of its first output.

    `macs` counts multiply-accumulates of one inference at the shapes in the file. `refusal` says why XNNPACK
    would not take it; None where it would.
    """

    subgraph: Count
    index: Count
    name: str
    input_type: str | None
    output_type: str | None
    domain: Domain
    macs: Count
    weight_bytes: Count
    refusal: str | None


class DomainTotal(Model):
    """What all operators of one numeric domain amount to."""

    domain: Domain
    operators: Count
    macs: Count


class Refusal(Model):
    """Operators that XNNPACK would not take, for one reason."""

    operator: str
    reason: str
    count: Count


class Proof(Model):
    """What a file computes, and how.

    `weight_bytes` are all constants as stored, `deflated_bytes` the file in a zip (DEFLATE, level 6).
    `quantize` and `dequantize` leave aside what only unpacks weights.
    An island is a largest group of connected float operators in a file that has quantised ones as
    well. A pair is a QUANTIZE and a DEQUANTIZE of which one reads what the other wrote.
    `sparse_refusal` says why XNNPACK would not run the file sparsely; None where it would.
    `xnnpack` is the runtime that the verdicts on XNNPACK were checked with.
    """

    macs: Count
    weight_bytes: Count
    file_bytes: Count
    deflated_bytes: Count
    domains: tuple[DomainTotal, ...]
    float_islands: tuple[tuple[str, ...], ...]
    quantize: Count
    dequantize: Count
    pairs: Count
    refusals: tuple[Refusal, ...]
    sparse_refusal: str | None
    xnnpack: str
    metadata: tuple[str, ...]

    @property
    def int8_mac_share(self) -> float | None:
        """Share of the multiply-accumulates in int8; None where there are none at all."""
        return self._macs("int8") / self.macs if self.macs else None

    @property
    def int8_operator_share(self) -> float | None:
        """Share of the operators in int8, conversions left aside; None where nothing else is left."""
        counted = [total for total in self.domains if total.domain != "conversion"]
        operators = sum(total.operators for total in counted)
        int8 = sum(total.operators for total in counted if total.domain == "int8")
        return int8 / operators if operators else None

    def _macs(self, domain: Domain) -> int:
        return sum(total.macs for total in self.domains if total.domain == domain)
