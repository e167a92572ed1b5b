"""Samples and targets from files: arrays, archives of arrays by the inputs' names, and images."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.artifact import atomic, file_ref, own_folder, write_bytes
from common.errors import UsageError
from common.schema.base import FileRef
from common.schema.inputs import MOST_SAMPLES
from jobs.inputs.ports import Wanted

ARRAY, ARRAYS, IMAGES = ".npy", ".npz", (".jpg", ".jpeg", ".png", ".bmp", ".webp")
TARGETS = (ARRAY, ARRAYS, ".json", *IMAGES)
TARGET = "target"
MOST_BYTES = 1 << 30
MOST_FILE_BYTES = 256 << 20
# What numpy and zipfile raise for files that are none.
DAMAGE = (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError, NotImplementedError)
BRIGHTEST = 255


@dataclass(frozen=True)
class Found:
    """Samples: an array [n, *shape] per input, in their order, and the names of the files that they were read from.

    `targets` are those that came with the samples."""

    names: tuple[str, ...]
    arrays: tuple[Any, ...]
    paths: tuple[Path, ...] = ()
    targets: Mapping[int, Any] = field(default_factory=dict)


def find(source: Path, ports: Sequence[Wanted], pixels: tuple[float, float]) -> Found:
    """Read the samples of a folder, in the order of their names, or a single one.

    Raises UsageError naming the file that does not fit.
    """
    paths = tuple(_listed(source))
    rows: list[list[Any]] = [[] for _ in ports]
    beside: dict[int, Any] = {}
    room = MOST_BYTES
    for place, path in enumerate(paths):
        given, target = _sample(path, ports, pixels)
        for kept, port, values in zip(rows, ports, given, strict=True):
            kept.append(_fitted(path, port, values))
            room -= kept[-1].nbytes
        if room < 0:
            raise UsageError(f"the samples in {source} take more than the {MOST_BYTES >> 30} GiB allowed")
        if target is not None:
            beside[place] = target
    return Found(tuple(path.name for path in paths), tuple(np.stack(kept) for kept in rows), paths, beside)


def _listed(source: Path) -> Sequence[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise UsageError(f"samples {source} do not exist", hint="its path starts at the experiment file's folder")
    known = (ARRAY, ARRAYS, *IMAGES)
    paths = sorted(path for path in source.iterdir() if path.suffix.lower() in known and path.is_file())
    if not paths:
        raise UsageError(f"{source} holds no samples", hint=f"files that end with {', '.join(known)}")
    if len(paths) > MOST_SAMPLES:
        raise UsageError(f"{source} holds more than the {MOST_SAMPLES:,} samples allowed")
    return paths


def _sample(path: Path, ports: Sequence[Wanted], pixels: tuple[float, float]) -> tuple[list[Any], Any]:
    kind = path.suffix.lower()
    if kind == ARRAYS:
        with _opened(path) as arrays, _readable(path):
            missing = [port.name for port in ports if port.name not in arrays.files]
            if missing:
                held = ", ".join(arrays.files)
                raise UsageError(f"{path} has no array for the input {missing[0]}, only {held}")
            return [arrays[port.name] for port in ports], arrays[TARGET] if TARGET in arrays.files else None
    if len(ports) != 1:
        names = ", ".join(port.name for port in ports)
        raise UsageError(f"{path} is one array, but the model has the inputs {names}", hint="give .npz files by name")
    return [_opened(path) if kind == ARRAY else _image(path, ports[0], pixels)], None


def _opened(path: Path) -> Any:
    if path.stat().st_size > MOST_FILE_BYTES:
        raise UsageError(f"{path} has more than the {MOST_FILE_BYTES >> 20} MiB allowed")
    try:
        return np.load(path, allow_pickle=False)
    except (*DAMAGE, MemoryError) as error:
        raise UsageError(f"{path} cannot be read as numpy's array: {error}") from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """An archive is read as its arrays are asked for."""
    try:
        yield
    except (*DAMAGE, MemoryError) as error:
        raise UsageError(f"{path} cannot be read as numpy's arrays: {error}") from None


def _image(path: Path, port: Wanted, pixels: tuple[float, float]) -> Any:
    from PIL import Image, ImageOps  # only where samples are images

    _, height, width, channels = port.shape if len(port.shape) == 4 else (0, 0, 0, 0)  # noqa: PLR2004
    if channels not in (1, 3):
        raise UsageError(f"{path} is an image, but input {port.name} has the shape {list(port.shape)}")
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB" if channels == 3 else "L")  # noqa: PLR2004
            small = np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"{path} cannot be read as an image: {error}") from None
    values = small.reshape(height, width, channels)
    if port.whole:
        return values
    low, high = pixels
    return low + values / BRIGHTEST * (high - low)


def _fitted(path: Path, port: Wanted, values: Any) -> Any:
    """A sample in the input's shape and kind. A missing side of one sample is added."""
    array = np.asarray(values)
    if array.shape == port.shape[1:] and port.shape[:1] == (1,):
        array = array[None]
    if array.shape != port.shape:
        text = f"{path} has the shape {list(array.shape)}, but input {port.name} takes {list(port.shape)}"
        raise UsageError(text, hint="[inputs] shape sets open sides")
    if array.dtype.kind not in "fiub" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise UsageError(f"{path} holds values for {port.name} that are no finite numbers")
    if not port.whole:
        with np.errstate(over="ignore"):
            real = array.astype(np.float32)
        if not np.isfinite(real).all():
            raise UsageError(f"{path} holds values for {port.name} that are too large for float32")
        return real
    kind = np.dtype(port.dtype)
    cast = array.astype(kind)
    if not np.array_equal(cast, array):
        raise UsageError(f"{path} holds values for {port.name} that are no {port.dtype}")
    return cast


def targets(found: Found, folder: str, start: Path, output: Path) -> tuple[FileRef, ...]:
    """Copy what each sample should give into `output`/targets: arrays as .npy, everything else as .json."""
    if not folder and not found.targets:
        return ()
    own_folder(output / "targets")
    refs = []
    for place, name in enumerate(found.names):
        target = _target(start / folder, Path(name).stem) if folder else found.targets.get(place)
        if target is None:
            raise UsageError(f"sample {name} has no target", hint="one file per sample, of the same name")
        path = output / "targets" / f"{place:05d}{ARRAY if isinstance(target, np.ndarray) else '.json'}"
        if isinstance(target, np.ndarray):
            with atomic(path) as written, written.open("wb") as stream:
                np.save(stream, target, allow_pickle=False)
        else:
            write_bytes(path, json.dumps(target).encode())
        refs.append(file_ref(path, output))
    return tuple(refs)


def _target(folder: Path, stem: str) -> Any:
    paths = [folder / f"{stem}{ending}" for ending in TARGETS if (folder / f"{stem}{ending}").is_file()]
    if len(paths) != 1:
        return None
    path = paths[0]
    if path.suffix == ".json":
        if path.stat().st_size > MOST_FILE_BYTES:
            raise UsageError(f"{path} has more than the {MOST_FILE_BYTES >> 20} MiB allowed")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError, OSError) as error:
            raise UsageError(f"{path} is no JSON: {error}") from None
    if path.suffix in IMAGES:
        from PIL import Image  # only where targets are images

        try:
            with Image.open(path) as image:
                return np.asarray(image)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise UsageError(f"{path} cannot be read as an image: {error}") from None
    opened = _opened(path)
    if path.suffix == ARRAYS:
        with opened, _readable(path):
            if len(opened.files) != 1:
                raise UsageError(f"{path} holds {len(opened.files)} arrays, not one", hint="use .json for several")
            return opened[opened.files[0]]
    return opened
