"""What a session tells of the machine, the tools and the settings, each of one kind. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.numbers import clipped
from common.run.setup import DIGITS, PROCESSOR
from common.schema.benchmark import SessionLine
from common.schema.environment import Environment
from common.schema.history import Kind

TOOLS = ("Tool", "Runtime", "ai-edge-litert")
# A device names itself by them; another one is another target.
NAMES = ("Serial", "Manufacturer")
# Characters of a value, and facts of a session: more, from a device or a file, are none for people.
LONGEST, MOST = 300, 100
# What names a processor in a few words, the first that is told.
CALLED = ("CPU", "System on chip", "Architecture")
UNKNOWN = "not told"


@dataclass(frozen=True)
class Fact:
    """A name and its value."""

    kind: Kind
    what: str
    value: str


def of_session(line: SessionLine, target: Environment) -> tuple[Fact, ...]:
    """Those of a session; none of the machine where it is another than the benchmark's and an early version did not
    write them."""
    beside = [("the app", line.app_sha256)] if line.app_sha256 else []
    found = (*_machine(of_machine(line, target)), *_tools((*line.tools, *beside)), *_settings(line.settings))
    return found[:MOST]


def of_target(target: Environment) -> tuple[Fact, ...]:
    """Those of a machine in a results file."""
    beside = [("the app", target.app_sha256)] if target.app_sha256 else []
    return (*_machine(target.lasting), *_tools((*target.tools, *beside)))[:MOST]


def of_machine(line: SessionLine, target: Environment) -> tuple[tuple[str, str], ...]:
    """The lasting facts of the machine that a session ran on."""
    return line.facts or (target.lasting if line.fingerprint == target.fingerprint else ())


def called(told: Sequence[Fact]) -> str:
    """The processor in a few words."""
    known = {fact.what: fact.value for fact in told if fact.kind == "processor"}
    return next((known[name] for name in CALLED if known.get(name)), UNKNOWN)


def _machine(told: Sequence[tuple[str, str]]) -> Iterator[Fact]:
    for label, value in told:
        if label not in NAMES:
            kind: Kind = "processor" if label in PROCESSOR else "tool" if label in TOOLS else "build"
            yield Fact(kind, clipped(label, LONGEST), clipped(value, LONGEST))


def _tools(tools: Sequence[tuple[str, str]]) -> Iterator[Fact]:
    for name, digest in tools:
        what = {"npu": "the NPU libraries", "the app": name}.get(name, f"the tool {name}")
        yield Fact("tool", f"sha256 of {clipped(what, LONGEST)}", digest[:DIGITS])


def _settings(settings: Sequence[tuple[str, str]]) -> Iterator[Fact]:
    return (Fact("settings", clipped(key, LONGEST), clipped(value, LONGEST)) for key, value in settings)
