"""Why what was measured before does not count: which fact of the machine or which setting is another. Pure."""

from collections.abc import Sequence

from common.schema.benchmark import LedgerLine, SessionLine
from jobs.benchmark.wanted import Wanted

Pairs = Sequence[tuple[str, str]]
AGAIN = "everything is measured again"
SHOWN_DIGITS = 12
NAMES = {
    "app": "the app",
    "litert": "the tool of LiteRT 2.x",
    "binary-2": "the second tool",
    "litert-2": "the second tool of LiteRT 2.x",
    "npu": "the NPU's set of libraries",
}


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
        return _others(allowed, wanted)
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


def _others(allowed: Sequence[SessionLine], wanted: Wanted) -> str | None:
    """The same of what measures some of the cells alone: the app, further tools, the libraries of an NPU."""
    now = {**dict(wanted.tools), **({} if wanted.app_sha256 is None else {"app": wanted.app_sha256})}
    changed = []
    for name, digest in now.items():
        before = [found for line in allowed if (found := _beside(line).get(name)) is not None]
        if before and digest not in before:
            changed.append(
                f"{NAMES[name]}'s sha256 changed from {before[-1][:SHOWN_DIGITS]} to {digest[:SHOWN_DIGITS]}"
            )
    return f"note: {'; '.join(changed)}; what it measured is measured again" if changed else None


def _beside(line: SessionLine) -> dict[str, str]:
    used = {cell.runner for cell in line.cells} | (
        {"npu"} if any(cell.backend == "npu" for cell in line.cells) else set()
    )
    known = {**dict(line.tools), **({} if line.app_sha256 is None else {"app": line.app_sha256})}
    return {name: digest for name, digest in known.items() if name in used}
