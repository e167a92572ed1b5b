"""Pictures and folders of pictures for the tests, all made on the spot."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def noise(seed: int, height: int = 24, width: int = 24) -> Pixels:
    """Smooth random colours: no two seeds look alike, and resizing keeps the look."""
    knots = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(knots).resize((width, height), Image.Resampling.BICUBIC))


def encode(pixels: Pixels | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photos(per_class: int = 6, classes: tuple[str, ...] = ("fire", "no_fire")) -> dict[str, bytes]:
    """Path to content of a small, clean dataset."""
    return {
        f"{name}/{index}.png": encode(noise(100 * label + index))
        for label, name in enumerate(classes)
        for index in range(per_class)
    }


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of the files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def experiment_text(**data: object) -> str:
    """An experiment file with the given keys in its data section."""
    lines = [f"{key} = {value!r}" for key, value in ({"height": 24, "width": 24} | data).items()]
    return "\n".join(
        ['title = "Test"', "seed = 7", "[data]", *lines, "[variants.baseline]", 'convert = { format = "float32" }', ""]
    )
