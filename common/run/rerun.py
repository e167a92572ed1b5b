"""The judge between two runs whose files were measured in turns in one session. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from common.intervals import LEAST_FLOOR
from common.run import latencies
from common.run.between import Case, cell, cells_of, of_case, pair, variants
from common.run.checks import same
from common.run.latencies import Measured
from common.run.setup import Side
from common.run.speed import ratio_between
from common.schema.base import Interval
from common.schema.comparison import CellChange, Comparison
from common.schema.judgement import Setting, Speed
from common.schema.results import Results

# What the files of both runs are called in the session.
BASE, HEAD = "base-", "head-"


def interleaved(case: Case, measured: Results) -> Comparison:
    """Every verdict on two runs, with the latencies and the memory of the session that `measured` both in turns.

    Raises UsageError where that session measured other files.
    """
    known = Side(measured, "").hashes
    for prefix, side in ((BASE, case.base), (HEAD, case.head)):
        for name in case.names:
            if (found := known.get(f"{prefix}{name}")) is not None:
                same(
                    f"the file of {prefix}{name} that was measured in turns", found, "the run's", side.hashes.get(name)
                )
    setup = tuple(change.model_copy(update={"refuses": False}) for change in case.setup)
    cells = tuple(_cells(case, measured))
    update = {"interleaved": True, "setup": setup, "spreads": (), "cells": cells, "variants": tuple(variants(case))}
    return of_case(case).model_copy(update=update)


def _cells(case: Case, measured: Results) -> Iterator[CellChange]:
    """A cell of each file that was measured, and of those that are the same in both runs and were not."""
    found = cells_of(measured)
    settings = tuple(dict.fromkeys(place for _, place in found))
    for name in case.names:
        for place in settings:
            old, new = found.get((f"{BASE}{name}", place)), found.get((f"{HEAD}{name}", place))
            if old is not None and new is not None:
                yield _cell(case, name, place, old, new)


def _cell(case: Case, name: str, place: Setting, old: Measured, new: Measured) -> CellChange:
    known = replace(pair(case, name, place, old, new), refused="")
    ratio, equivalence = (_ratio(old.speed, new.speed, confidence) for confidence in (0.95, 0.9))
    floors = [speed.floor for speed in (old.speed, new.speed) if speed is not None and speed.floor is not None]
    floor = max(LEAST_FLOOR, *floors) if floors else LEAST_FLOOR
    return cell(name, place, known, latencies.paired(known, ratio, equivalence, floor))


def _ratio(old: Speed | None, new: Speed | None, confidence: float) -> Interval | None:
    """How many times as fast the head's file is as the base's."""
    return None if old is None or new is None else ratio_between(new, old, confidence)


def files(case: Case) -> Mapping[str, tuple[str, ...]]:
    """Which variants are measured in turns, by the prefix of the run that they are of: those whose files differ, and
    the base's of the head's reference, which all are compared with."""
    changed = tuple(name for name in case.names if case.same_file(name) is not True)
    reference = case.head.results.reference
    first = reference if reference in case.names else changed[0] if changed else ""
    others = tuple(name for name in changed if name != first)
    return {BASE: (first, *others) if changed else (), HEAD: changed}
