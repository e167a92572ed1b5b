"""What `python -m jobs.inspect` finds in one or two .tflite files.

Version history: 1 first; 2 adds what the runtime said of XNNPACK.
"""

from typing import Literal

from common.schema.base import Count, Model, Sha256, Share
from common.schema.tflite import Operator, Port, Proof, Tensor


class GivenFile(Model):
    """A file that may lie anywhere: `path` is as it was given."""

    path: str
    sha256: Sha256
    size_bytes: Count


class FileReport(Model):
    """One file; names are as they stand in the file."""

    file: GivenFile
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    proof: Proof
    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]


class TensorChange(Model):
    """A constant that both files have, by name and shape, or in order by shape alone; with other figures."""

    name: str
    shape: tuple[int, ...]
    first: Tensor
    second: Tensor


class OperatorChange(Model):
    """An operator that the second file has another number of."""

    name: str
    first: Count
    second: Count


class OutputDifference(Model):
    """The files' outputs on `samples` random inputs drawn from `seed`, dequantised.

    `same_top1` is the share of samples whose largest output is the same one.
    """

    samples: Count
    seed: Count
    max_abs_difference: float
    same_top1: Share


class Comparison(Model):
    """What the second file has differently. `outputs` is None where `not_run` says why."""

    operators: tuple[OperatorChange, ...]
    tensors: tuple[TensorChange, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    outputs: OutputDifference | None
    not_run: str | None


class InspectReport(Model):
    """The tool's whole output; `comparison` is None for a single file."""

    schema_version: Literal[1, 2] = 2
    files: tuple[FileReport, ...]
    comparison: Comparison | None
