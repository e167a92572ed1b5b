"""A device's answers beside this machine's, by the same file to the same questions. Pure."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from common.proportion import wilson
from common.schema.examination import OutputCheck
from common.tflite.ask import AskedPort
from jobs.benchmark.android.questions import Questions

# Of images or samples; a device that differs in more of them than that gives other answers, not rounded ones.
LEAST_AGREEMENT = 0.95
# Of a sample's answer: most of what other kernels round should stay below it, as this machine's two kinds do on public
# files; half precision on a phone was never measured. Where this machine's own kernels differ by more (a sample between
# two classes, boxes that are sorted by score), twice of that is allowed.
MOST_ERROR = 0.1
OWN_TIMES = 2.0
# An array [n, ...] per output.
Values = tuple[Any, ...]


def decode(written: bytes, questions: Questions, asked: int) -> Values:
    """An output file, which holds all outputs one after the other, as an array [asked, ...] each: real numbers as
    float32, integers that stand for themselves as they are. Raises ValueError for another size."""
    if len(written) != (wanted := size_bytes(questions, asked)):
        raise ValueError(f"{len(written)} bytes of answers instead of {wanted}")
    at, found = 0, []
    for port, kind, shape in _parts(questions, asked):
        values = np.frombuffer(written, kind, prod(shape), at).reshape(shape)
        found.append(_real(values, port))
        at += values.nbytes
    return tuple(found)


def size_bytes(questions: Questions, asked: int) -> int:
    """Of the file that holds all outputs for so many questions."""
    return sum(prod(shape) * kind.itemsize for _, kind, shape in _parts(questions, asked))


def _parts(questions: Questions, asked: int) -> Iterator[tuple[AskedPort, Any, tuple[int, ...]]]:
    for port, expected in zip(questions.outputs, questions.expected, strict=True):
        yield port, np.dtype(port.dtype), (asked, *expected.shape[1:])


def _real(values: Any, port: AskedPort) -> Any:
    if values.dtype.kind in "iu" and port.scale:
        return ((values.astype(np.float32) - port.zero_point) * port.scale).astype(np.float32)
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def compare(answers: Sequence[Values], questions: Questions) -> OutputCheck:
    """How the device's answers differ; `answers` are the decoded files in the order of the questions."""
    found = [_flat(np.concatenate(parts)) for parts in zip(*answers, strict=True)]
    expected = [_flat(values) for values in questions.expected]
    count = len(questions.samples)
    finite = all(bool(np.isfinite(values).all()) for values in found)
    about = OutputCheck(images=count, top1_agreement=None, largest_difference=None, wrong=None)
    if finite:
        apart = [np.abs(mine - theirs).max(initial=0.0) for mine, theirs in zip(found, expected, strict=True)]
        about = about.model_copy(update={"largest_difference": float(max(apart, default=0.0))})
    if questions.images:
        return _classes(about, found[0], expected[0], finite=finite)
    wrong = _broken(found, expected, "sample", finite=finite)
    return _numbers(about, found, expected, questions) if wrong is None else about.model_copy(update={"wrong": wrong})


def _flat(values: Any) -> Any:
    return values.reshape(len(values), -1).astype(np.float64)


def _classes(about: OutputCheck, found: Any, expected: Any, *, finite: bool) -> OutputCheck:
    same = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum()) if finite else 0
    agreement = wilson(same, len(expected))
    wrong = _broken([found], [expected], "image", finite=finite)
    if wrong is None and agreement.value < LEAST_AGREEMENT:
        wrong = f"only {agreement.value:.0%} of the answers name the same class as this machine's"
    return about.model_copy(update={"top1_agreement": agreement, "wrong": wrong})


def _numbers(about: OutputCheck, found: Sequence[Any], expected: Sequence[Any], questions: Questions) -> OutputCheck:
    # An output per row, a sample per column.
    ports, allowed = questions.outputs, _allowed(expected, questions)
    errors = np.stack([errors_of(*each) for each in zip(found, expected, ports, strict=True)])
    off = (errors > allowed[:, None]).any(axis=0)
    worst = int((errors.max(axis=1) / allowed).argmax())
    error, bound = float(errors[worst].max()), float(allowed[worst])
    wrong = None
    if 1 - off.mean() < LEAST_AGREEMENT:
        wrong = (
            f"the answers to {off.sum()} of {off.size} samples are not this machine's: output {ports[worst].name} is "
            f"off by {error:.0%} of its size, allowed {bound:.0%}"
        )
    return about.model_copy(update={"relative_error": error, "allowed_error": bound, "wrong": wrong})


def _allowed(expected: Sequence[Any], questions: Questions) -> Any:
    """The bound on the error of each output, float64 [outputs]."""
    bounds = np.full(len(expected), MOST_ERROR)
    for place, (theirs, again) in enumerate(zip(expected, questions.again, strict=False)):
        if (flat := _flat(again)).shape != theirs.shape:
            continue
        own = errors_of(flat, theirs, questions.outputs[place])
        bounds[place] = max(MOST_ERROR, OWN_TIMES * float(np.nan_to_num(own, nan=0.0, posinf=0.0).max(initial=0.0)))
    return bounds


def _broken(found: Sequence[Any], expected: Sequence[Any], what: str, *, finite: bool) -> str | None:
    if not finite:
        return "some answers are no numbers (NaN or infinite)"
    for mine, theirs in zip(found, expected, strict=True):
        if len(mine) > 1 and not np.ptp(mine, axis=0).any() and np.ptp(theirs, axis=0).any():
            return f"the answers are the same for every {what}"
    return None


def errors_of(found: Any, expected: Any, port: AskedPort) -> Any:
    """How far each answer of an output is off, as a share of its size: the lengths of the difference and of the
    expected answer as vectors, both float64 [n, values]. 1 is as wrong as an answer of zeros.

    The size is at least what is typical of the samples. A step of a quantised output is rounding and no difference.
    Whole numbers may be names of things: where fewer of them differ than their sizes say, that share counts.
    """
    # The steps themselves are float32.
    rounding = port.scale * (1 + 1e-4) if np.dtype(port.dtype).kind in "iu" else 0.0
    apart = np.maximum(np.abs(found - expected) - rounding, 0.0)
    sizes = np.linalg.norm(expected, axis=1)
    sizes = np.maximum(sizes, np.sqrt(np.mean(sizes**2)))
    off = np.linalg.norm(apart, axis=1)
    errors = np.divide(off, sizes, out=(off > 0).astype(np.float64), where=sizes > 0)
    if np.dtype(port.dtype).kind in "iub" and not port.scale and found.shape[1]:
        errors = np.minimum(errors, (apart > 0).mean(axis=1))
    return errors
