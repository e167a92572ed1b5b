"""Promises that must be kept."""

from collections.abc import Sequence

from common.errors import EdgeproofError
from common.schema.variant import Promise


def require_kept(name: str, promises: Sequence[Promise], hint: str) -> None:
    """Raise EdgeproofError with the first promise of variant `name` that is neither kept nor waived."""
    broken = [promise for promise in promises if not promise.kept and promise.waived is None]
    if not broken:
        return
    first = broken[0]
    raise EdgeproofError(
        f"variant '{name}' does not keep what its recipe promises: {first.claim} of {first.subject} is "
        f"{first.observed}, expected {first.expected} ({len(broken)} of {len(promises)} promises broken)",
        hint=hint,
    )
