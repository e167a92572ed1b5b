"""Which samples a search chooses on, which it never sees before it is judged, and which calibrate. Pure."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from common.errors import UsageError
from common.run.quality import FEWEST_SAMPLES as FEWEST
from common.schema.answers import Part
from jobs.inputs.files import Found

# As many as a static format is calibrated on unless it is told otherwise.
MOST_CALIBRATING = 200


@dataclass(frozen=True)
class Parted:
    """The samples of a part, and the arrays of those that static formats are calibrated on: `apart` from all others, or
    those that are chosen on."""

    found: Found
    calibrating: tuple[Any, ...]
    apart: bool


def parted(found: Found, part: Part, source: object) -> Parted:
    """The samples of `part`: by the hash of what is in them, so that copies stay together, and the same whatever the
    files are called. With three times FEWEST a third, and at most MOST_CALIBRATING, calibrate alone.

    Raises UsageError for fewer than twice FEWEST different ones, naming `source`.
    """
    digests = [_digest(found, place) for place in range(len(found.names))]
    order = sorted(set(digests))
    if len(order) < 2 * FEWEST:
        raise UsageError(
            f"{source} holds {len(order)} different samples, and a search needs {2 * FEWEST}",
            hint=f"it chooses on half of them and judges on the others, at least {FEWEST} each",
        )
    apart = len(order) >= 3 * FEWEST
    calibrating = order[: min(len(order) // 3, MOST_CALIBRATING)] if apart else []
    rest = order[len(calibrating) :]
    choosing, judging = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    own = {"choose": choosing, "judge": judging}[part]
    return Parted(
        found=_only(found, [place for place, digest in enumerate(digests) if digest in set(own)]),
        calibrating=_only(
            found, [place for place, digest in enumerate(digests) if digest in set(calibrating or choosing)]
        ).arrays,
        apart=apart,
    )


def _digest(found: Found, place: int) -> str:
    digest = hashlib.sha256()
    for array in found.arrays:
        digest.update(array[place].tobytes())
    return digest.hexdigest()


def _only(found: Found, places: list[int]) -> Found:
    return replace(
        found,
        names=tuple(found.names[place] for place in places),
        arrays=tuple(array[places] for array in found.arrays),
        targets={new: found.targets[old] for new, old in enumerate(places) if old in found.targets},
    )
