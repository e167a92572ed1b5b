"""What `python -m jobs.inspect` finds in one or two .tflite files.

Version history: 1 first; 2 has subgraphs and signatures apart, multiply-accumulates that cannot be counted, faults of
single tensors and operators, what the runtime said of XNNPACK, and in comparisons the ports that were paired, what was
drawn for them, and values that are no finite numbers.
"""

from typing import Literal

from common.schema.base import Count, Model, Sha256, Share
from common.schema.tflite import FileSignature, Operator, Port, Proof, Subgraph, Tensor


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
    subgraphs: tuple[Subgraph, ...]
    signatures: tuple[FileSignature, ...]


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


class Drawn(Model):
    """An input of a comparison: its name in both files, and the lowest and the highest value that may be drawn.

    `whole`: whole numbers that stand for themselves, such as token ids. `why` says where the ends come from.
    """

    first: str
    second: str
    low: float
    high: float
    whole: bool
    why: str


class OutputDifference(Model):
    """The files' outputs on `samples` random inputs drawn from `seed`, dequantised.

    `values` counts those of all outputs of a file. `max_abs_difference` is None where a NaN or an infinite value of one
    file stands against another value, of which `nan` and `infinite` count how many each of the two files gives.
    `same_top1` is the share of samples whose largest value of the first output is at the same place; None where there
    is a single value.
    """

    samples: Count
    seed: Count
    inputs: tuple[Drawn, ...]
    values: Count
    nan: tuple[Count, Count]
    infinite: tuple[Count, Count]
    max_abs_difference: float | None
    same_top1: Share | None


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

    schema_version: Literal[2] = 2
    files: tuple[FileReport, ...]
    comparison: Comparison | None
