"""An experiment from a list of finished .tflite files: what make's MODELS stands for."""

import glob
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.errors import UsageError
from common.experiment import given_time

FILE = "models.toml"
SUFFIX = ".tflite"
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST_NAME = 64
MOST_FILES = 200
BUDGET = "60s"
MOST_ROUNDS = 100
# What a device is asked, to see that it answers as this machine does: a process each for samples, and enough images
# that one near a class's border does not decide.
ASKED_SAMPLES, ASKED_IMAGES = 4, 32


@dataclass(frozen=True)
class Given:
    """What the user gave beside an experiment: `models` are files, folders or patterns as in a shell, `reference` one
    of the files or its name, `inputs` samples, `data` labelled images, `budget` how long a session's rounds go on."""

    models: str = ""
    reference: str = ""
    inputs: str = ""
    data: str = ""
    data_sha256: str = ""
    budget: str = ""


def experiment(given: Given) -> bytes:
    """The text of an experiment that measures the files as they are. Raises UsageError for files that are not there,
    and for two of one name."""
    files = _files(given.models)
    names = [_name(path) for path in files]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        same = [str(path) for path, name in zip(files, names, strict=True) if name == twice[0]]
        text = f"MODELS names two files that would both be called {twice[0]}: {same[0]} and {same[1]}"
        raise UsageError(text, hint="rename one, or write an experiment")
    lines = [f"title = {_text('Given files')}", f"reference = {_text(_reference(given.reference, files, names))}"]
    if given.inputs:
        lines += ["[inputs]", f"source = {_text(str(_absolute(given.inputs)))}"]
    if given.data:
        # Nothing is trained: most of the images are there to be reported on.
        lines += ["[data]", f"source = {_text(given.data)}", "validation_share = 0.05", "test_share = 0.75"]
        lines += [f"sha256 = {_text(given.data_sha256)}"] if given.data_sha256 else []
    # As of the default experiment: more rounds while intervals are wide.
    lines += [
        "[benchmark]",
        f"budget = {_text(given_time(given.budget or BUDGET, '90s, 5m or 1h'))}",
        "min_secs = 0.1",
        "warmup_min_secs = 0.1",
    ]
    # Who names a time wants what it buys.
    lines += [f"most_rounds = {MOST_ROUNDS}"] if given.budget else []
    lines += [f"outputs_images = {ASKED_IMAGES if given.data else ASKED_SAMPLES}"]
    for name, path in zip(names, files, strict=True):
        lines += [f"[variants.{_text(name)}]", f"file = {_text(str(_absolute(path)))}"]
    return "".join(f"{line}\n" for line in lines).encode()


def _files(models: str) -> list[Path]:
    try:
        words = shlex.split(models)
    except ValueError as error:
        raise UsageError(f"MODELS={models} cannot be read: {error}", hint="quote names as in a shell") from None
    files = list(dict.fromkeys(path for word in words for path in _expanded(word)))
    if len(files) > MOST_FILES:
        raise UsageError(f"MODELS names {len(files)} files, more than the {MOST_FILES} allowed")
    return files


def _expanded(word: str) -> Iterator[Path]:
    """A file, the .tflite files of a folder, or what a pattern finds."""
    path = Path(word)
    if path.is_file():
        yield path
        return
    found = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else sorted(map(Path, glob.glob(word)))  # noqa: PTH207
    found = [each for each in found if each.is_file()]
    if not found:
        what = f"folder {word} holds no {SUFFIX} files" if path.is_dir() else f"model file {word} does not exist"
        raise UsageError(what, hint="MODELS takes files, folders and patterns")
    yield from found


def _name(path: Path) -> str:
    plain = NOT_IN_A_NAME.sub("_", path.name.removesuffix(SUFFIX)).lstrip("_.-")[:LONGEST_NAME]
    return plain or "model"


def _reference(wanted: str, files: Sequence[Path], names: Sequence[str]) -> str:
    if not wanted:
        return names[0]
    for path, name in zip(files, names, strict=True):
        if wanted in (name, path.name, str(path)) or _absolute(wanted) == _absolute(path):
            return name
    raise UsageError(f"REFERENCE={wanted} is none of MODELS", hint=f"one of {', '.join(names)}")


def _absolute(path: str | Path) -> Path:
    # Not resolved: a link is opened where the job runs.
    return Path(path).absolute()


def _text(value: str) -> str:
    """A string of TOML. JSON's escapes are TOML's; DEL is the one character that only TOML wants escaped."""
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):  # noqa: PLR2004
        raise UsageError(f"{value!a} is not UTF-8", hint="rename the file")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
