"""How one measurement ended: a tagged union, so that no None, 0 or NaN stands for a failure."""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, Model


class Stat(Model):
    """Figures of one phase, as `benchmark_model` prints them, in microseconds.

    `std_us` is the population standard deviation; None where the tool gave none.
    """

    count: Annotated[int, Field(ge=1)]
    mean_us: float
    median_us: float | None
    min_us: float | None
    max_us: float | None
    std_us: float | None
    p5_us: float | None
    p95_us: float | None

    @property
    def typical_us(self) -> float:
        """The median of the runs; the mean where an old tool gave no median."""
        return self.mean_us if self.median_us is None else self.median_us


class Delegation(Model):
    """What a delegate really did, in the tool's own figures; None where it told none.

    `complete`: the delegate ran the whole model. `partial`: the rest ran on the CPU. `none`: plain kernels.
    """

    extent: Literal["complete", "partial", "none"]
    kernel: str | None
    nodes_delegated: Count | None
    nodes_total: Count | None
    partitions: Count | None


class Measured(Model):
    """A process that ran to its end. Memory is the growth of the peak resident set, in KiB.

    `delegation` is None where the tool tells nothing of it (this machine's interpreter). `cpu_us` is the median CPU
    time of a steady-state run, over all threads; None where the tool tells none. `memory_peak_kib` is the peak resident
    set itself, None where the tool was not asked for it or does not know it.
    """

    kind: Literal["measured"] = "measured"
    init_us: float
    first_us: float
    warmup: Stat
    steady: Stat
    memory_init_kib: Count
    memory_overall_kib: Count
    delegation: Delegation | None = None
    cpu_us: float | None = None
    memory_peak_kib: Count | None = None


class Memory(Model):
    """A process that was run for its memory ended well. In KiB: the growth of its peak resident set from before the
    model is loaded to the end of the initialisation (`init_kib`) and to its own end (`overall_kib`), and that peak
    itself with the tool or the interpreter in it (`peak_kib`; None where the tool does not tell it)."""

    kind: Literal["memory"] = "memory"
    init_kib: Count
    overall_kib: Count
    peak_kib: Count | None


class Unsupported(Model):
    """The target cannot run this cell; `reason` is the tool's own words."""

    kind: Literal["unsupported"] = "unsupported"
    reason: str


class Failed(Model):
    """The process failed; `log` names the file with everything it printed, relative to the stage's folder."""

    kind: Literal["failed"] = "failed"
    reason: str
    log: str | None


Outcome = Annotated[Measured | Unsupported | Failed, Field(discriminator="kind")]
MemoryOutcome = Annotated[Memory | Unsupported | Failed, Field(discriminator="kind")]
