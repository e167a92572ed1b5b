"""The machine that measured."""

from typing import Literal

from common.schema.base import Model, Sha256
from common.schema.processor import Processor


class Environment(Model):
    """The machine that measured. `facts` are ordered label/value pairs for people to read.

    `functional_only` marks a target whose latencies must never be ranked (an emulator). `serial` is what
    adb calls a device. `passing` names the facts that change from hour to hour, which the fingerprint leaves out.
    `app_sha256` is that of the app that measures as well, which concerns the app's cells alone; None without one.
    `tools` are those of further executables that measure, by runner, which concern their own cells alone.
    """

    kind: Literal["host", "android"]
    name: str
    fingerprint: Sha256
    functional_only: bool
    facts: tuple[tuple[str, str], ...]
    serial: str | None = None
    processor: Processor | None = None
    passing: tuple[str, ...] = ()
    app_sha256: Sha256 | None = None
    tools: tuple[tuple[str, Sha256], ...] = ()

    @property
    def lasting(self) -> tuple[tuple[str, str], ...]:
        """The facts that the fingerprint is made of."""
        return tuple((label, value) for label, value in self.facts if label not in self.passing)
