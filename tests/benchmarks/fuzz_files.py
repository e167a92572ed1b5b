"""Changed .tflite files through all that `python -m jobs.inspect` does with one, and what goes wrong.

    python -m tests.benchmarks.fuzz_files 5000 [folder]

Twenty files, of which up to half are of the folder and the others made by hand, each changed so many times: bytes,
whole numbers, offsets, pieces copied, cut off. A changed file may be read or refused in one line. Anything else, more
than 2 s of processor time, or more memory than MOST_MB beyond what the process began with counts against it. Every file
has a process of its own, so that a crash is seen; changes come from a seed, so that they can be made again.
"""

import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from common.errors import EdgeproofError
from jobs.inspect.pairing import obstacle, paired, side
from jobs.inspect.show import tables
from jobs.inspect.stage import inspect_files
from tests.benchmarks.handmade_files import handmade

FILES, MOST_S, MOST_MB, HANG_S = 20, 2.0, 200, 3600
# Tables on a terminal take longer than all the rest.
SHOWN_EVERY = 20
SMALL = 60_000
NUMBERS = (0, 1, 2, 4, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 4)


@dataclass
class Tally:
    """What became of a file's changes."""

    name: str
    count: int = 0
    accepted: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    peak_mb: float = 0.0
    failures: list[str] = field(default_factory=list)


def changed(content: bytes, source: random.Random) -> bytes:
    """A file with up to eight changes; most keep its length, so that its offsets still lead somewhere."""
    data = bytearray(content)
    for _ in range(source.randint(1, 8)):
        at = source.randrange(len(data))
        # Tables lie at both ends, weights between them.
        if source.random() < 0.6:
            at = min(
                len(data) - 1, source.choice((source.randrange(2048), max(0, len(data) - 1 - source.randrange(2048))))
            )
        match source.randrange(7):
            case 0:
                data[at] = source.randrange(256)
            case 1:
                data[at : at + 4] = source.choice(NUMBERS).to_bytes(4, "little")[: len(data) - at]
            case 2:
                data[at : at + 2] = source.randbytes(2)[: len(data) - at]
            case 3:
                data[at] ^= 1 << source.randrange(8)
            case 4:
                other = source.randrange(len(data))
                size = min(source.choice((4, 8, 64)), len(data) - at, len(data) - other)
                data[at : at + size] = data[other : other + size]
            case 5:
                value = int.from_bytes(data[at : at + 4], "little") + source.choice((-8, -4, -1, 1, 4, 8))
                data[at : at + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")[: len(data) - at]
            case _:
                if source.random() < 0.1:
                    data = data[: max(9, at)]
    return bytes(data)


def whole_path(path: Path, number: int) -> None:
    """All that the tool does with a file; the runtime alone is left out, which runs in a process of its own."""
    report = inspect_files(path, None, ask=False)
    json.dumps(report.model_dump(mode="json"))
    file = report.files[0]
    if obstacle(file, file) is None:
        own = side(file, path.read_bytes())
        paired(own, own)
    if number % SHOWN_EVERY == 0:
        console = Console(file=io.StringIO(), width=140)
        for table in tables(report):
            console.print(table)


def rss_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def fuzz(name: str, content: bytes, count: int) -> Tally:
    """Change a file so many times."""
    tally, source = Tally(name), random.Random(name)  # noqa: S311 (changes that can be made again)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.tflite"
        path.write_bytes(content)
        whole_path(path, 0)
        base = rss_mb()
        for number in range(count):
            # A new file each time: the last one may still be mapped.
            path.unlink()
            path.write_bytes(changed(content, source))
            start = time.process_time()
            try:
                whole_path(path, number)
                tally.accepted += 1
            except EdgeproofError as error:
                tally.refused += 1
                if "pydantic" in str(error) or "\n" in str(error):
                    tally.failures.append(f"{number}: {error}")
            except Exception as error:  # That is what is looked for.
                tally.failures.append(f"{number}: {error!r}")
            spent = time.process_time() - start
            tally.slowest_s = max(tally.slowest_s, spent)
            if spent > MOST_S:
                tally.failures.append(f"{number}: took {spent:.1f} s")
            tally.count += 1
        tally.peak_mb = rss_mb() - base
    if tally.peak_mb > MOST_MB:
        tally.failures.append(f"took {tally.peak_mb:.0f} MB")
    return tally


def files(folder: Path | None) -> dict[str, bytes]:
    """The files that are changed, by name."""
    made = handmade()
    real = sorted(folder.iterdir(), key=lambda path: (path.stat().st_size, path.name)) if folder else []
    # Those that are neither trivial nor so large that few changes are tried.
    chosen = [path for path in real if 3000 < path.stat().st_size < SMALL]
    step = max(1, len(chosen) // (FILES // 2))
    picked = {path.name: path.read_bytes() for path in chosen[::step][: FILES // 2]}
    return dict(list((picked | made).items())[:FILES])


def main(count: int, folder: str | None) -> int:
    """A row per file; the exit status is 1 when anything went wrong."""
    wrong = 0
    print("| file | changes | read | refused | failures | slowest, ms | memory, MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in files(None if folder is None else Path(folder)):
        argv = [sys.executable, "-m", "tests.benchmarks.fuzz_files", "--one", name, str(count), folder or ""]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=HANG_S, check=False)
        except subprocess.TimeoutExpired:
            print(f"| {name} | hung |", flush=True)
            wrong += 1
            continue
        if done.returncode != 0:
            print(f"| {name} | ended with {done.returncode}: {done.stderr.strip()[-300:]} |", flush=True)
            wrong += 1
            continue
        t = Tally(**json.loads(done.stdout))
        counts = f"{t.count:,} | {t.accepted:,} | {t.refused:,} | {len(t.failures)}"
        print(f"| {name} | {counts} | {t.slowest_s * 1000:.0f} | {t.peak_mb:.0f} |", flush=True)
        print("\n".join(t.failures[:3]), end="\n" if t.failures else "", flush=True)
        wrong += bool(t.failures)
    return int(wrong > 0)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        chosen_name, times, where = sys.argv[2:5]
        content_of = files(Path(where) if where else None)[chosen_name]
        print(json.dumps(vars(fuzz(chosen_name, content_of, int(times)))))
    else:
        sys.exit(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
