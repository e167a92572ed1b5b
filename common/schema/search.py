"""`[search]` of an experiment: which recipes `make search` looks through, and how long."""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, Model
from common.schema.convert import Format
from common.schema.duration import Duration, seconds
from common.schema.fine_tuning import FineTuning, Positive
from common.schema.recipe import Sparsity

Energy = Annotated[float, Field(gt=0, lt=1)]
Width = Annotated[float, Field(gt=0, le=16)]
Stride = Annotated[int, Field(ge=1, le=4)]


class Search(Model):
    """The space of recipes, the objective and the budget; the accuracy budget is that of `[choose]`.

    Structures are enumerated: the network as it is and with rewrites (`rewrites`) by layer, with thinner kernels for
    each of `energies` and `spatial_ranks`, with zeros that are not stored (`sparsities`), and students of these
    `widths` and `strides`; each in every of `formats` that is worth it. `drawn` more have a rank of their own for
    every layer.

    All are measured over `rounds`; `trained` of those that need training are fine-tuned as `fine_tune` says (students
    as the pass `distill` does, over `student_epochs`), in rungs of which each keeps half. Of each kind, `finalists`
    are measured again in a session of their own.
    """

    objective: Literal["latency", "size"] = "latency"
    budget: Duration = "30m"
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] = (
        "float32",
        "float16",
        "dynamic_range",
        "static_wi8_ai8",
    )
    rewrites: bool = True
    energies: tuple[Energy, ...] = (0.95, 0.85, 0.7)
    spatial_ranks: tuple[Positive, ...] = (4, 8)
    sparsities: tuple[Sparsity, ...] = ()
    widths: tuple[Width, ...] = (0.25, 0.5, 1.0)
    strides: tuple[Stride, ...] = (1, 2)
    drawn: Count = 24
    rounds: Positive = 2
    trained: Positive = 8
    fine_tune: FineTuning = FineTuning(epochs=8, learning_rate=1e-4)
    student_epochs: Positive = 40
    finalists: Positive = 2

    @property
    def budget_s(self) -> float:
        """`budget` in seconds."""
        return seconds(self.budget)
