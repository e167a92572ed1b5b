"""Promises that must be kept, and those that were let pass."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from common.errors import EdgeproofError
from common.numbers import listed
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


def waived(name: str, promises: Sequence[Promise]) -> Iterator[str]:
    """A line for each reason for which promises of variant `name` that are not kept were let pass."""
    let_pass = [promise for promise in promises if not promise.kept and promise.waived is not None]
    by_reason = sorted(let_pass, key=lambda promise: str(promise.waived))
    for reason, group in groupby(by_reason, key=lambda promise: promise.waived):
        which = listed(tuple(f"{promise.claim} of {promise.subject}" for promise in group))
        yield f"note: {name}: promise waived ({which}): {reason}"
