"""`budgets.toml`: what a run must keep to be let through; and `check.json`: whether it does. Version 1."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.schema.base import Count, Model, Name, Sha256, Share
from common.schema.judgement import Setting

Positive = Annotated[float, Field(gt=0)]
# A name, or one with * and ? in it.
Pattern = Annotated[str, Field(min_length=1, max_length=128)]
# With so large an uncertainty, as a share, that no regression was shown says nothing.
NOISE = 0.25
MOST_BUDGETS = 100
LIMITS = (
    *("latency_ms", "size_mb", "memory_mib", "accuracy_loss", "regression"),
    *("full_delegation", "output_check"),
)


class Budget(Model):
    """What the variants and settings that it names must keep; without a name it is of all.

    `variants` are names or patterns, or "recommended" for the one that the head recommends. At most `latency_ms`
    milliseconds, `size_mb` (10**6 bytes), `memory_mib` (2**20 bytes). `accuracy_loss` is the share of right answers
    that may be lost beside the base's. `regression` is the share by which a latency may be longer than the base's: what
    is shown to be longer than that, beyond the noise, breaks it; while no latency is told better than within `noise`
    (a share), it cannot be said. `full_delegation`: the delegate runs the whole file; `output_check`: the device's
    answers were checked and are right.
    """

    variants: Literal["recommended"] | tuple[Pattern, ...] = ()
    targets: tuple[Pattern, ...] = ()
    backends: tuple[Pattern, ...] = ()
    threads: tuple[Annotated[int, Field(gt=0)], ...] = ()
    latency_ms: Positive | None = None
    size_mb: Positive | None = None
    memory_mib: Positive | None = None
    accuracy_loss: Share | None = None
    regression: Annotated[float, Field(ge=0)] | None = None
    noise: Positive = NOISE
    full_delegation: Literal[True] | None = None
    output_check: Literal[True] | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if all(getattr(self, name) is None for name in LIMITS):
            raise ValueError(f"limits nothing: give one of {', '.join(LIMITS)}")
        if "noise" in self.model_fields_set and self.regression is None:
            raise ValueError("noise goes with regression")
        return self


class Budgets(Model):
    """The file. Every budget stands for itself: a row must keep all that name it."""

    budget: Annotated[tuple[Budget, ...], Field(min_length=1, max_length=MOST_BUDGETS)]


Status = Literal["kept", "broken", "cannot say"]
Limit = Literal[
    "latency",
    "size",
    "memory",
    "accuracy loss",
    "regression",
    "full delegation",
    "output check",
    "applies",
]


class Checked(Model):
    """One limit of one budget (counted from 1) on a variant, in a setting where it is of one. `variant` is None where
    the budget names nothing that there is. `text` says in words what was found and what is allowed."""

    budget: Count
    limit: Limit
    variant: Name | None
    setting: Setting | None
    status: Status
    text: str


class Check(Model):
    """`budgets_sha256` is of the file, None where none was given and the default held."""

    schema_version: Literal[1] = 1
    version: str
    experiment: str
    base_sha256: Sha256
    head_sha256: Sha256
    budgets_sha256: Sha256 | None
    status: Status
    checked: tuple[Checked, ...]

    @property
    def exit_code(self) -> int:
        """0 kept, 1 broken, 3 cannot say."""
        return {"kept": 0, "broken": 1, "cannot say": 3}[self.status]
