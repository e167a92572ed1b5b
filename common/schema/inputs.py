"""Sample inputs of models that no images of a data set are for: the `[inputs]` section, and `inputs.json`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from common.schema.base import Count, FileRef, Model
from common.schema.provenance import Artifact

Side = Annotated[int, Field(ge=1, le=2**31 - 1)]
MOST_SAMPLES = 10_000


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError("must be [low, high] with low below high")
    return ends


Ends = Annotated[tuple[float, float], AfterValidator(_ordered)]


class Inputs(Model):
    """What the models are asked with.

    `source` is a folder of samples or one of them: `.npy` for a single input, `.npz` by the names of the inputs,
    or images; without it `samples` are drawn. `shape` fixes open sides by the name of the input, `range`
    [low, high) says what is drawn for it: whole numbers where it takes integers.
    """

    source: str = ""
    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = 16
    shape: dict[str, tuple[Side, ...]] = Field(default_factory=dict)
    range: dict[str, Ends] = Field(default_factory=dict)


class SampledPort(Model):
    """An input of the reference and what it is given. `shape` is that of one request, the batch's side included.

    `low` and `high` bound what was drawn (high excluded) or found in the samples; `why` says in words where the
    bounds come from.
    """

    name: str
    shape: tuple[Count, ...]
    dtype: str
    low: float
    high: float
    why: str


class Samples(Artifact):
    """`arrays` is a .npz with `input_0`, `input_1`, ... in the order of the ports, each [n, *shape]: real numbers
    (float32) for ports that take or stand for reals, the integers themselves for others.

    `names` are the samples' files, empty where they were drawn. `targets` lists what each should give, as files of
    the same place; empty without. `apart`: static formats were calibrated on so many others, which stand in `arrays`
    as `calibration_0`, ...; 0 where they were on these.
    """

    schema_version: Literal[1] = 1
    kind: Literal["drawn", "files"]
    count: Count
    ports: tuple[SampledPort, ...]
    names: tuple[str, ...]
    arrays: FileRef
    targets: tuple[FileRef, ...] = ()
    apart: Count = 0
