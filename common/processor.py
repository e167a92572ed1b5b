"""What a processor is, from the text of /proc/cpuinfo. Pure.

Forms: arch/x86/kernel/cpu/proc.c and arch/arm64/kernel/cpuinfo.c of Linux. A processor there is one logical core.
"""

from collections.abc import Iterable, Mapping

from common.schema.processor import Processor

# Those by which XNNPACK and LiteRT's own kernels choose what runs (xnnpack: src/configs/hardware-config.c).
INSTRUCTION_SETS = (
    *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"),
    *("asimddp", "i8mm", "sve"),
)


def processor(cpuinfo: str) -> Processor:
    """The processor; None and no instruction sets where the text does not tell.

    Cores that differ (a phone's) are all named, and the instruction sets are those that every core has.
    """
    cores = [core for core in map(_pairs, cpuinfo.split("\n\n")) if core]
    flags = [set(flagged.split()) for core in cores if (flagged := core.get("flags", core.get("Features")))]
    shared = set.intersection(*flags) if flags else set()
    return Processor(
        name=_first(cores, "model name", "Model", "Hardware"),
        vendor=_all(cores, "vendor_id", "CPU implementer"),
        family=_all(cores, "cpu family", "CPU architecture"),
        model=_all(cores, "model", "CPU part"),
        stepping=_all(cores, "stepping", "CPU revision", "CPU variant"),
        instruction_sets=tuple(name for name in INSTRUCTION_SETS if name in shared) if flags else None,
    )


def described(found: Processor, unknown: str) -> tuple[tuple[str, str], ...]:
    """The processor as facts for people; `unknown` stands for what the text does not tell."""
    sets = unknown if found.instruction_sets is None else ", ".join(found.instruction_sets) or "none that picks kernels"
    return (
        ("CPU vendor", found.vendor or unknown),
        ("CPU family", found.family or unknown),
        ("CPU model", found.model or unknown),
        ("CPU stepping", found.stepping or unknown),
        ("Instruction sets", sets),
    )


def _pairs(core: str) -> dict[str, str]:
    split = (line.partition(":") for line in core.splitlines())
    return {key.strip(): value.strip() for key, colon, value in split if colon and value.strip()}


def _first(cores: Iterable[Mapping[str, str]], *keys: str) -> str | None:
    found = [core[key] for key in keys for core in cores if key in core]
    return found[0] if found else None


def _all(cores: Iterable[Mapping[str, str]], *keys: str) -> str | None:
    """Every core's value once, in order; of several keys the values of all that a core has."""
    each = [" ".join(core[key] for key in keys if key in core) for core in cores]
    return ", ".join(dict.fromkeys(value for value in each if value)) or None
