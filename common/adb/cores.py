"""A device's processor cores, of which it may switch some off: that makes no other device of it. Pure.

Form: the kernel's cpufreq class, `cpuinfo_max_freq` and `related_cpus`. Kernels with hotplug (MediaTek, Exynos and
Snapdragon up to about Android 9) take the folder of a core away while it is off.
"""

import re
from collections.abc import Mapping, Sequence

from common.adb.facts import MOST_CORES, DeviceFacts, lasting

LABEL = "Cores"
Told = Sequence[tuple[str, str]]


def filled(max_khz: Mapping[int, int | None], related: Mapping[int, str]) -> dict[int, int | None]:
    """Every core's highest frequency, those that are off by a core that shares their clock; `related` holds
    `related_cpus` of cores that tell."""
    found = dict(max_khz)
    for number, text in related.items():
        for word in re.findall(r"\d{1,3}", text):
            if found.get(int(word), 0) is None:
                found[int(word)] = max_khz[number]
    return found


def same(one: DeviceFacts, other: DeviceFacts) -> bool:
    """Whether both are one device, whichever cores were on."""
    return same_but_cores(lasting(one), lasting(other)) and agree(one.max_khz, other.max_khz)


def same_but_cores(one: Told, other: Told) -> bool:
    """Whether two lists of lasting facts tell the same, their cores aside."""
    return [fact for fact in one if fact[0] != LABEL] == [fact for fact in other if fact[0] != LABEL]


def agree(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    """Whether so many cores of these frequencies may be the same ones."""
    return len(one) == len(other) and all(
        left is None or right is None or left == right for left, right in zip(one, other, strict=True)
    )


def with_cores_of(told: Told, before: Sequence[Told]) -> tuple[tuple[str, str], ...]:
    """The facts with the cores in the words of earlier facts of the same device (the latest last), the best known ones
    that do not contradict. What was measured while some cores were off was measured on this device all the same."""
    own = dict(told)[LABEL]
    earlier = [dict(facts).get(LABEL, "") for facts in reversed(before) if same_but_cores(told, facts)]
    if own not in earlier:
        mine = listed(own)
        agreeing = [text for text in earlier if mine and agree(mine, listed(text))]
        own = min(agreeing, key=lambda text: sum(core is None for core in listed(text)), default=own)
    return tuple((label, own if label == LABEL else value) for label, value in told)


def listed(cores: str) -> list[int | None]:
    """`4 x 1803 MHz, 2 x ? MHz`, core by core in MHz; empty for another form."""
    found: list[int | None] = []
    for part in cores.split(", "):
        told = re.fullmatch(r"(\d{1,3}) x (\d{1,7}|\?) MHz", part)
        if told is None or len(found) + int(told[1]) > MOST_CORES:
            return []
        found += [None if told[2] == "?" else int(told[2])] * int(told[1])
    return found
