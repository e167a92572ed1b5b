"""The sessions of a history, as the spread between sessions takes them. Pure."""

import hashlib
from collections.abc import Iterator, Sequence

from common.run.setup import PROCESSOR, Side
from common.run.spread import Key, Session
from common.schema.history import History, PastSession


def processor_sha256(facts: Sequence[tuple[str, str]]) -> str | None:
    """Of everything that must be the same where latencies are compared; None where a machine tells nothing of it."""
    told = [f"{label}={value}" for label, value in facts if label in PROCESSOR]
    return hashlib.sha256("\n".join(told).encode(errors="surrogatepass")).hexdigest() if told else None


def session(past: PastSession) -> Session:
    """A session as the ledger told it."""
    typical: dict[Key, float] = {(f.model_sha256, f.backend, f.threads, f.runner): f.us for f in past.figures}
    return Session(past.target, past.began, past.conditions, past.reference_sha256, typical)


def further(history: History, base: Side, head: Side) -> Iterator[Session]:
    """The sessions of a history on the head's targets with their processors that neither run has.

    Those without a ledger have settings that nobody told, and tell nothing of others. A name such as `host` is that of
    many machines; where the head does not tell its processor none counts.
    """
    known = {(one.target, one.began) for side in (base, head) for one in side.sessions}
    for target in head.results.targets:
        processor = processor_sha256(target.facts)
        for past in history.sessions:
            same = past.target == target.name and past.processor_sha256 == processor is not None
            if same and past.ledger and (past.target, past.began) not in known:
                yield session(past)
