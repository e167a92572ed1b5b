"""How far this machine's own kernels differ from each other on public .tflite files: what a device may differ by.

    python -m tests.benchmarks.own_kernels <folder> [--most-mib 12]

Every .tflite file in <folder> that can be adopted answers 4 drawn samples on plain kernels and by XNNPACK; the error is
the one that a device's answers are judged by. Prints the files beyond the bound, and how many there are.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from common.errors import EdgeproofError
from common.experiment import load
from jobs.adopt.stage import adopt
from jobs.benchmark.android.outputs import MOST_ERROR, compare
from jobs.benchmark.android.questions import of_samples
from jobs.benchmark.feeds import sampled
from jobs.inputs.stage import sample
from tests.benchmarks.public_files import EXPERIMENT

ASKED = 4
NEAR = 0.001


@dataclass(frozen=True)
class Own:
    """A file, and the largest error of any sample; None where only one of both kinds of kernels answers."""

    name: str
    error: float | None


def own(path: Path, folder: Path) -> Own:
    """The error of a file. Raises EdgeproofError for one that is refused."""
    (folder / "file.tflite").symlink_to(path.resolve())
    (folder / "public.toml").write_text(EXPERIMENT, encoding="utf-8")
    experiment = load(folder / "public.toml")
    adopt(experiment, "file", folder / "variants" / "file")
    sample(experiment, folder / "variants" / "file", folder / "inputs")
    asked = sampled(folder / "inputs", folder / "variants", ("file",), ASKED)["file"]
    questions = of_samples(folder / "file.tflite", asked)
    return Own(path.name, compare([questions.again], questions).relative_error if questions.again else None)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most-mib", type=float, default=12.0)
    arguments = parser.parse_args()
    errors: list[float] = []
    refused = alone = 0
    print("| file | error |\n| --- | --- |")
    for path in sorted(arguments.folder.rglob("*.tflite")):
        if path.stat().st_size > arguments.most_mib * (1 << 20):
            continue
        with tempfile.TemporaryDirectory() as name:
            try:
                found = own(path, Path(name))
            except EdgeproofError:
                refused += 1
                continue
        if found.error is None:
            alone += 1
            continue
        errors.append(found.error)
        if found.error > MOST_ERROR:
            print(f"| {found.name} | {found.error:.0%} |", flush=True)
    small, beyond = (sum(test) for test in ([e < NEAR for e in errors], [e > MOST_ERROR for e in errors]))
    print(
        f"{len(errors)} files: {small} below {NEAR:.1%}, {len(errors) - small - beyond} up to {MOST_ERROR:.0%}, ",
        end="",
    )
    print(f"{beyond} beyond; {refused} refused, {alone} with one kind of kernels only")


if __name__ == "__main__":
    main()
