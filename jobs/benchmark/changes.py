"""Why what was measured before does not count: which fact of the machine or which setting is another. Pure."""

from collections.abc import Sequence

from common.schema.benchmark import LedgerLine, SessionLine
from jobs.benchmark.wanted import Wanted

Pairs = Sequence[tuple[str, str]]
AGAIN = "everything is measured again"
SHOWN_DIGITS = 12


def differences(before: Pairs, now: Pairs) -> tuple[str, ...]:
    """What is not the same, each with both values; a name that only one side has counts as well."""
    old, new = dict(before), dict(now)
    return tuple(
        f"{name} changed from {old.get(name, 'nothing')} to {new.get(name, 'nothing')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def why_again(lines: Sequence[LedgerLine], wanted: Wanted) -> str | None:
    """A line that says why no session of the ledger can be used, or none for the app; None where one can, or where
    there is none."""
    sessions = [line for line in lines if isinstance(line, SessionLine)]
    allowed = [session for session in sessions if wanted.allows(session)]
    if allowed or not sessions:
        return _another_app(allowed, wanted)
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


def _another_app(allowed: Sequence[SessionLine], wanted: Wanted) -> str | None:
    apps = [line.app_sha256 for line in allowed if any(cell.runner == "app" for cell in line.cells)]
    if not apps or wanted.app_sha256 is None or {None, wanted.app_sha256} & set(apps):
        return None
    before, now = (str(app)[:SHOWN_DIGITS] for app in (apps[-1], wanted.app_sha256))
    return f"note: the app's sha256 changed from {before} to {now}; what it measured is measured again"
