"""Why what was measured before does not count: which fact of the machine or which setting is another. Pure."""

from collections.abc import Sequence

from common.schema.benchmark import LedgerLine, SessionLine
from jobs.benchmark.wanted import Wanted

Pairs = Sequence[tuple[str, str]]
AGAIN = "everything is measured again"


def differences(before: Pairs, now: Pairs) -> tuple[str, ...]:
    """What is not the same, each with both values; a name that only one side has counts as well."""
    old, new = dict(before), dict(now)
    return tuple(
        f"{name} changed from {old.get(name, 'nothing')} to {new.get(name, 'nothing')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def why_again(lines: Sequence[LedgerLine], wanted: Wanted) -> str | None:
    """A line that says why no session of the ledger can be used; None where one can, or where there is none."""
    sessions = [line for line in lines if isinstance(line, SessionLine)]
    if not sessions or any(wanted.allows(session) for session in sessions):
        return None
    last = sessions[-1]
    found: list[str] = []
    if last.fingerprint != wanted.fingerprint:
        # Sessions of earlier versions hold no facts.
        found += differences(last.facts, wanted.facts) if last.facts else ("the machine is another one",)
    if last.settings_sha256 != wanted.settings_sha256:
        # Sessions of the form before had settings that are no longer among these.
        found += (
            differences(last.settings, wanted.settings)
            if last.settings and last.reference
            else ("[benchmark] was changed",)
        )
    return f"note: {'; '.join(found)}; {AGAIN}"
