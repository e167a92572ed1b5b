"""What was looked at of a cell apart from the timed processes: its answers and its operators."""

from typing import Annotated

from pydantic import Field

from common.schema.base import Count, FileRef, Model, Proportion


class OutputCheck(Model):
    """The device's answers beside this machine's, by the same file.

    `images` counts the questions: images of the reported split, whose answers are scores of classes
    (`top1_agreement`), or samples of a model of any kind: `relative_error` is the largest of any sample as a share of
    the answer's size, of the output that is worst beside its bound, `allowed_error`. What does not apply is None.
    `largest_difference` is over all values, None when one of them is no number. `wrong` says in words why the answers
    cannot be trusted; None when they can.
    """

    images: Annotated[int, Field(ge=1)]
    top1_agreement: Proportion | None
    largest_difference: float | None
    relative_error: float | None = None
    allowed_error: float | None = None
    wrong: str | None


class Operator(Model):
    """One kind of operator over one inference. `delegated` ones ran inside the delegate."""

    kind: str
    count: Count
    mean_us: float
    share: float
    delegated: bool


class LayerTime(Model):
    """A node of the file's main graph over one inference: its index, its kind in the file and the name of its output.

    `delegated` ones ran inside the delegate. A delegate that tells nothing of its inside is one entry of its own name,
    with an index behind the file's.
    """

    index: Count
    kind: str
    name: str
    mean_us: float
    delegated: bool


class Examination(Model):
    """What was looked at once per cell, apart from the timed processes. `problems` says what failed; `by` is the
    program that was asked where it was not the cell's own, which cannot be.

    `operators` are named as the runtime names them, `layers` are the file's nodes. `profiled_us` is the mean of the
    whole inference while its operators were timed; None where the tool does not tell.
    """

    outputs: OutputCheck | None = None
    operators: tuple[Operator, ...] = ()
    layers: tuple[LayerTime, ...] = ()
    profiled_us: float | None = None
    profile: FileRef | None = None
    problems: tuple[str, ...] = ()
    by: str | None = None
