"""What `make search` finds beside the fixed recipes of experiments/fire.toml, on images that neither saw.

    python -m tests.benchmarks.search_gain photos/ <folder> [--budget 30m]

Trains on the photos with test images kept apart, makes the fixed recipes that keep the trained network, searches, and
measures and judges all of them together. Prints a table in Markdown: latency against the baseline with its interval,
accuracy and verdict; the share of candidates that never had to be trained; and how much faster the fastest that was
found, and shown to keep the accuracy in the finalists' own session, is than the fastest fixed one: of all, and of those
that keep it. `<folder>` keeps all, so that what was done is not done again.
"""

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from common import markdown
from common.artifact import read
from common.experiment import load
from common.numbers import percent
from common.processor import processor
from common.provenance import ROOT
from common.schema.choice import Choice
from common.schema.search_result import SearchResult
from jobs.search.confirm import confirmed

SHARES = {"validation_share": 0.2, "test_share": 0.25}
FREQUENCY = 20
KEPT = "shown to keep"
SEARCH = {
    "fine_tune": {"epochs": 12, "learning_rate": 1e-4, "augmentation": {"flip": True, "crop": 0.2, "colour": 0.2}},
    "spatial_ranks": [2, 4, 8],
    "energies": [0.9, 0.7, 0.5],
    "widths": [],
    "finalists": 3,
}


def fire() -> dict[str, Any]:
    """fire.toml with test images, and with the recipes that keep the trained network."""
    table = tomllib.loads((ROOT / "experiments" / "fire.toml").read_text(encoding="utf-8"))
    table["data"] |= SHARES
    table["search"] = SEARCH
    for recipe in table["variants"].values():
        # Fewer training images, fewer steps: the masks that fire.toml makes at step 100 would never be made.
        for one in recipe.get("passes", ()):
            one.update({"frequency": min(one["frequency"], FREQUENCY)} if "frequency" in one else {})
    table["variants"] = {
        name: recipe
        for name, recipe in table["variants"].items()
        if "distill" not in [one["pass"] for one in recipe.get("passes", ())]
    }
    return table


def make(*argv: str) -> None:
    """Run make here; its messages are the user's."""
    subprocess.run(["make", *argv, "RUNTIME=local"], cwd=ROOT, check=True)


def main() -> int:
    """Exit status 1 where nothing that was found is faster than the best fixed recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--budget", default="30m")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    run, file, both = given.folder / "run", given.folder / "fire.toml", given.folder / "both.toml"
    file.write_bytes(tomli_w.dumps(fire()).encode())
    data = f"DATA={given.photos.resolve()}"
    make("optimize", f"EXPERIMENT={file.resolve()}", f"RUN={run.resolve()}", data)
    make("search", f"EXPERIMENT={file.resolve()}", f"RUN={run.resolve()}", data, f"BUDGET={given.budget}")
    found = tomllib.loads((run / "search" / "found.toml").read_text(encoding="utf-8"))["variants"]
    table = fire()
    table["variants"] |= found
    both.write_bytes(tomli_w.dumps(table).encode())
    make("all", f"EXPERIMENT={both.resolve()}", f"RUN={run.resolve()}", data)
    return told(run, tuple(fire()["variants"]), read(run / "search" / "search.json", SearchResult))


def told(run: Path, fixed: tuple[str, ...], search: SearchResult) -> int:
    """Print what came out."""
    choice = read(run / "best" / "choice.json", Choice)
    names = [*fixed, *search.found]
    judged = confirmed(run, names, load(run / "search" / "found.toml").settings)
    rows = []
    for name in names:
        own = judged[name]
        ratio = "" if own.ratio is None else f"{own.ratio.value:.2f} ({own.ratio.low:.2f} to {own.ratio.high:.2f})"
        rows.append((name, ratio, "" if own.accuracy is None else percent(own.accuracy.value), own.keeping))
    print("\n".join(markdown.table(("recipe", "times as fast", "test accuracy", "accuracy"), rows)))
    cpu = processor(Path("/proc/cpuinfo").read_text(encoding="utf-8")).name
    print(f"\n{cpu}; recommended: {choice.best}; {len(search.outcomes)} candidates in {search.took_s / 60:.0f} min, ")
    print(f"{percent(search.never_trained)} of those measured never trained; cost table: {search.costs}")
    speeds = {name: one.value for name in names if (one := judged[name].ratio) is not None}
    keeping = {name: speed for name, speed in speeds.items() if judged[name].keeping == KEPT}
    finalists = [one for one in search.finalists if one.confirmed is not None and one.confirmed.keeping == KEPT]
    found = _fastest(speeds, [one.candidate.name for one in finalists])
    gains = []
    for words, among in (("of all", speeds), ("of those shown to keep the accuracy", keeping)):
        best = _fastest(among, fixed)
        if found is not None and best is not None:
            gains.append(speeds[found] / speeds[best])
            print(f"{found} is {gains[-1]:.2f} times as fast as {best}, the fastest fixed one {words}")
    return int(not gains or min(gains) <= 1)


def _fastest(speeds: Mapping[str, float], names: Sequence[str]) -> str | None:
    return max((name for name in names if name in speeds), key=lambda name: speeds[name], default=None)


if __name__ == "__main__":
    sys.exit(main())
