"""The phones of a cluster, where RUNTIME=ray: asked through `jobs.farm`, which alone knows Ray."""

import subprocess
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from common.adb.errors import NotReadyError
from common.errors import UsageError
from common.schema.farm import FarmPhone, FarmPhones

# Joining a cluster takes seconds; a node that does not answer is waited for there.
LIMIT_S = 300.0
CLUSTER = (sys.executable, "-m", "jobs.farm", "phones")


class Farm:
    """The phones of a cluster, asked once; `reason` says why it has no answer."""

    def __init__(self, phones: Sequence[FarmPhone], reason: NotReadyError | None) -> None:
        self._phones, self.reason = phones, reason

    def only(self) -> str:
        """Serial of the only phone. Raises NotReadyError."""
        if self.reason is not None:
            raise self.reason
        if len(self._phones) != 1:
            many = f"the cluster has {len(self._phones)} phones: {self._listed()}"
            raise NotReadyError(many if self._phones else "the cluster has no phones", hint="name one with DEVICE")
        return self._phones[0].serial

    def has(self, serial: str) -> bool:
        """Whether a phone can be asked."""
        return self.facts(serial) is not None

    def facts(self, serial: str) -> dict[str, str] | None:
        """What a phone says of itself; None when it cannot be asked."""
        return next((phone.facts for phone in self._phones if phone.serial == serial), None)

    def of_model(self, model: str) -> str:
        """A phone of a model: one that answers and is free where there is one. Raises NotReadyError without a cluster,
        UsageError where no phone is one."""
        if self.reason is not None:
            raise self.reason
        found = [phone for phone in self._phones if phone.model == model]
        if not found:
            raise UsageError(f"no phone of the cluster is a {model}", hint=f"there is {self._listed() or 'none'}")
        return min(found, key=lambda phone: (phone.facts is None, not phone.free, phone.serial)).serial

    def _listed(self) -> str:
        return ", ".join(f"{phone.serial} (model:{phone.model})" for phone in self._phones)


def ask_farm(command: Sequence[str] = CLUSTER) -> tuple[tuple[FarmPhone, ...], NotReadyError | None]:
    """The phones, or why nobody can say."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return (), NotReadyError(f"the cluster has not answered in {LIMIT_S:.0f} s", hint="try again later")
    if done.returncode:
        said = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
        return (), NotReadyError(said[-1] if said else "the cluster does not answer")
    try:
        return FarmPhones.model_validate_json(done.stdout).root, None
    except ValidationError:
        return (), NotReadyError("the cluster's answer cannot be read", hint="is it of another version of edgeproof?")
