"""The processor that measured: part of `benchmark.json`."""

from common.schema.base import Model


class Processor(Model):
    """A processor as the kernel describes it; None where it does not. Of cores that differ all are named.

    `instruction_sets` are those that pick kernels and that every core has.
    """

    name: str | None
    vendor: str | None
    family: str | None
    model: str | None
    stepping: str | None
    instruction_sets: tuple[str, ...] | None
