"""Images per second of the dataset stage's reading, beside a plain Pillow loop.

    python -m tests.benchmarks.ingest <folder> [--rounds 5] [--size 128]

<folder> holds one folder per class. The plain loop does what a script would: open, turn upright,
to RGB, resize, to an array. The stage's reading does that in parallel and also hashes the file and
the pixels, looks for duplicates' fingerprints and fills the array on disk. The two take turns, and
each round gives one ratio, so that a machine that slows down slows both.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from common.schema.experiment import Data
from jobs.dataset.ingest import ingest
from jobs.dataset.sources import open_source


def plain(folder: Path, size: int) -> float:
    """Images per second of the plain loop."""
    files = sorted(path for path in folder.glob("*/*") if path.is_file())
    arrays = []
    started = time.perf_counter()
    for file in files:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            arrays.append(np.array(upright.resize((size, size), Image.Resampling.BILINEAR)))
    return len(arrays) / (time.perf_counter() - started)


def stage(folder: Path, size: int) -> float:
    """Images per second of the stage's reading."""
    data = Data(source=str(folder), height=size, width=size)
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_source(data, 0, Path(scratch)) as source,
        ingest(source, size, size, Path(scratch)) as ingested,
    ):
        return ingested.images_per_s


def main() -> None:
    """Print both medians and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=128)
    arguments = parser.parse_args()
    plain(arguments.folder, arguments.size)  # warms the file cache for both
    rounds = [
        (plain(arguments.folder, arguments.size), stage(arguments.folder, arguments.size))
        for _ in range(arguments.rounds)
    ]
    loop, read = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(after / before for before, after in rounds)
    print(f"plain loop {loop:.0f} images/s, stage {read:.0f} images/s")
    print(f"median ratio {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
