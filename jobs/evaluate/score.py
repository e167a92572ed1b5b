"""The user's own score: a Python file with `score(outputs, target)` or `score_all(outputs, targets)`."""

import contextlib
import hashlib
import io
import json
import math
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Literal

import numpy as np

from common.errors import UsageError
from common.schema.base import FileRef
from common.trust import require_trust

SINGLE: Literal["score"] = "score"
ALL: Literal["score_all"] = "score_all"
# Resamples of the examples. A score of all is the user's own code, and may take long.
RESAMPLES, RESAMPLES_OF_ALL = 2000, 400
LIMIT_S = 1800


@dataclass(frozen=True)
class Scorer:
    """A loaded function, its name and its file's hash."""

    path: Path
    name: Literal["score", "score_all"]
    function: Callable[[Any, Any], Any]
    sha256: str

    def call(self, outputs: Any, targets: Any) -> float:
        """What the function gives. Raises UsageError naming the file and the line for what it raises, and for what is
        no finite number."""
        try:
            # What it prints is nobody's.
            with contextlib.redirect_stdout(io.StringIO()):
                value = float(self.function(outputs, targets))
        except _TooLongError:
            raise UsageError(f"{self.path} took longer than the {LIMIT_S} s allowed for all samples") from None
        except (Exception, SystemExit) as error:  # It is the user's code: anything may come out of it.
            raise UsageError(f"{self.path}{_line(error, self.path)}: {_said(error)}") from error
        if not math.isfinite(value):
            raise UsageError(f"{self.path}: {self.name} gave {value}, which is no number to compare")
        return value


@dataclass(frozen=True)
class Scored:
    """`values` are the scores of the examples (float64 [n]), None for a score of all."""

    value: float
    values: Any
    difference: float | None
    differences: tuple[float, ...]


def load_scorer(path: Path) -> Scorer:
    """The function of a file. Raises UsageError for code that is not trusted, and for a file without one."""
    if not path.is_file():
        raise UsageError(f"score file {path} does not exist", hint="its path starts at the experiment file's folder")
    require_trust(path, "it is a Python program")
    content = path.read_bytes()
    module = ModuleType(path.stem)
    try:
        exec(compile(content, path, "exec"), vars(module))  # noqa: S102
    except (Exception, SystemExit) as error:  # It is the user's code: anything may come out of it.
        raise UsageError(f"{path}{_line(error, path)}: {_said(error)}") from error
    names: tuple[Literal["score", "score_all"], ...] = (SINGLE, ALL)
    for name in names:
        function = getattr(module, name, None)
        if callable(function):
            return Scorer(path, name, function, hashlib.sha256(content).hexdigest())
    raise UsageError(f"{path} has no function score(outputs, target) or score_all(outputs, targets)")


def read_targets(folder: Path, refs: Sequence[FileRef], verified: Callable[[Path, FileRef], Path]) -> list[Any]:
    """What each sample should give."""
    paths = [verified(folder, ref) for ref in refs]
    return [np.load(p, allow_pickle=False) if p.suffix == ".npy" else json.loads(p.read_text("utf-8")) for p in paths]


def examples(outputs: Mapping[str, Any]) -> list[Any]:
    """The outputs of each sample, as a score gets them: the array itself where there is one, else by name."""
    count = len(next(iter(outputs.values())))
    if len(outputs) == 1:
        return list(next(iter(outputs.values())))
    return [{name: values[row] for name, values in outputs.items()} for row in range(count)]


def scored(
    scorer: Scorer, mine: Sequence[Any], targets: Sequence[Any], reference: Sequence[Any] | None, seed: int
) -> Scored:
    """The score of `mine`, and its difference to the reference's by a paired bootstrap over the examples.

    `reference` are the reference's outputs, None for the reference itself.
    """
    random = np.random.default_rng([seed, len(targets)])
    if scorer.name == SINGLE:
        values = np.array([scorer.call(*pair) for pair in zip(mine, targets, strict=True)])
        if reference is None:
            return Scored(float(values.mean()), values, None, ())
        theirs = np.array([scorer.call(*pair) for pair in zip(reference, targets, strict=True)])
        return of_values(values, theirs, seed)
    value = scorer.call(list(mine), list(targets))
    if reference is None:
        return Scored(value, None, None, ())
    difference = value - scorer.call(list(reference), list(targets))
    drawn = [_resampled(scorer, mine, reference, targets, random) for _ in range(RESAMPLES_OF_ALL)]
    return Scored(value, None, difference, tuple(sorted(drawn)))


def of_values(values: Any, theirs: Any, seed: int) -> Scored:
    """The score from those of the examples (float64 [n]), beside the reference's."""
    random, gained = np.random.default_rng([seed, len(values)]), values - theirs
    drawn = [float(gained[random.integers(0, len(gained), len(gained))].mean()) for _ in range(RESAMPLES)]
    return Scored(float(values.mean()), values, float(gained.mean()), tuple(sorted(drawn)))


def _resampled(
    scorer: Scorer, mine: Sequence[Any], reference: Sequence[Any], targets: Sequence[Any], random: Any
) -> float:
    rows = random.integers(0, len(targets), len(targets))
    wanted = [targets[row] for row in rows]
    return scorer.call([mine[row] for row in rows], wanted) - scorer.call([reference[row] for row in rows], wanted)


class _TooLongError(BaseException):
    """Not an Exception: the user's code may catch those."""


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError


@contextlib.contextmanager
def limited(seconds: int = LIMIT_S) -> Iterator[None]:
    """Let the user's code take so long, in the main thread; Python's code only, a library's ends when it returns."""
    before = signal.signal(signal.SIGALRM, _ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _line(error: BaseException, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
