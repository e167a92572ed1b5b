"""A phone as a file: its properties, readings, processors, storage, and how its delegates behave."""

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

BUILT_IN = Path(__file__).with_name("personalities")
T = TypeVar("T")


class Behaviour(StrEnum):
    """What a delegate does with a model.

    full, partial: runs all or `share` of the nodes. declined: is applied and takes no node. absent: the tool
    warns that there is no such thing here and goes on without, exit status 0. failing: cannot be applied, exit 1.
    """

    FULL = "full"
    PARTIAL = "partial"
    DECLINED = "declined"
    ABSENT = "absent"
    FAILING = "failing"


class Outputs(StrEnum):
    """What comes out: the model's answers, or wrong ones."""

    RIGHT = "right"
    NAN = "nan"
    CONSTANT = "constant"
    SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Delegate:
    """`speed` is relative to plain kernels; `share` of the nodes is what a partial one takes."""

    behaviour: Behaviour = Behaviour.ABSENT
    outputs: Outputs = Outputs.RIGHT
    speed: float = 1.0
    share: float = 0.8
    init_ms: float = 10.0


@dataclass(frozen=True)
class Delegates:
    """The delegates that the tools know; the NPU's is of LiteRT 2.x alone."""

    xnnpack: Delegate = Delegate(Behaviour.FULL, speed=3.0, init_ms=10.0)
    gpu: Delegate = Delegate(Behaviour.FULL, speed=4.0, init_ms=400.0)
    nnapi: Delegate = Delegate()
    hexagon: Delegate = Delegate()
    npu: Delegate = Delegate(Behaviour.FULL, speed=8.0, init_ms=900.0)


@dataclass(frozen=True)
class Battery:
    """`temperature_c` in degrees Celsius, `charge_uah` in microampere-hours; `frozen`: the
    service was told what to say."""

    level: int = 87
    temperature_c: float = 27.1
    voltage_mv: int = 4210
    charge_uah: int = 3_900_000
    usb_powered: bool = True
    frozen: bool = False


@dataclass(frozen=True)
class Power:
    """What working and resting take, and what heat does: at work it nears `slowest` times the latency and `warms_c`
    more degrees, by e-folds of `heats_s`; at rest it goes back by `cools_s`. `step_uah` is the gauge's."""

    work_ma: float = 0.0
    rest_ma: float = 0.0
    step_uah: int = 1
    slowest: float = 1.0
    warms_c: float = 0.0
    heats_s: float = 120.0
    cools_s: float = 20.0


@dataclass(frozen=True)
class Sensor:
    """A reading of the thermal service; `kind` is Android's number (0 CPU, 2 battery, 3 skin)."""

    name: str
    kind: int
    celsius: float
    status: int = 0


@dataclass(frozen=True)
class Thermal:
    """`status` from 0 (none) to 6 (shutdown)."""

    status: int = 0
    sensors: tuple[Sensor, ...] = (Sensor("SKIN", 3, 29.4), Sensor("CPU0", 0, 35.2), Sensor("battery", 2, 27.1))


@dataclass(frozen=True)
class Core:
    """One processor core, its highest frequency in kHz."""

    max_khz: int


@dataclass(frozen=True)
class Storage:
    """/data, in kB. `noexec`: nothing on it may be executed."""

    total_kb: int = 112_000_000
    free_kb: int = 61_000_000
    noexec: bool = False


@dataclass(frozen=True)
class Timing:
    """How long an inference takes with plain kernels on one thread and how much that varies.

    `seed` makes the numbers repeatable; `pace` is how much of its time the tool really takes: 0 none, 1 all.
    """

    latency_us: float = 8000.0
    spread: float = 0.08
    seed: int = 1
    pace: float = 0.0


@dataclass(frozen=True)
class Apps:
    """How the phone treats the benchmark as an app.

    `refusal`: what pm says instead of taking it; `least_target_sdk`: apps for an older Android are refused, unless that
    is bypassed and pm `knows_bypass`; `answers`: whether an installation ever ends, where the screen asks.
    `clears`: whether the log can be cleared; `shown`: whether it has the apps' lines. `beside`: what other processes of
    the same tag say while the app runs, `complaint`: error lines of the app itself before it goes on, each as `E text`.
    """

    refusal: str = ""
    least_target_sdk: int = 0
    knows_bypass: bool = True
    answers: bool = True
    clears: bool = True
    shown: bool = True
    beside: tuple[str, ...] = ()
    complaint: tuple[str, ...] = ()


@dataclass(frozen=True)
class Personality:
    """One phone. Everything has a default, so that a file states only what matters to it.

    `features` is what its adbd says that it can; `missing` names programs that it does not have; `starts` are the ABIs
    of the programs that its kernel starts, where these are not all that it lists: a translator may be for apps only.
    """

    name: str = "phone"
    properties: dict[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = (
        "shell_v2",
        "cmd",
        "stat_v2",
        "ls_v2",
        "fixed_push_mkdir",
        "fixed_push_symlink_timestamp",
    )
    missing: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    kernel: str = "5.10.149-android13-4-00003-g05231a35ff43"
    memory_kb: int = 7_800_000
    cores: tuple[Core, ...] = (Core(1_803_000),) * 4 + (Core(2_850_000),) * 2
    battery: Battery = Battery()
    power: Power = Power()
    thermal: Thermal = Thermal()
    storage: Storage = Storage()
    delegates: Delegates = Delegates()
    timing: Timing = Timing()
    apps: Apps = Apps()

    @property
    def abis(self) -> tuple[str, ...]:
        """What it says that it can run, best first."""
        return tuple(self.properties.get("ro.product.cpu.abilist", "").split(","))


def load(name_or_path: str | Path) -> Personality:
    """A built-in personality by its name, or one from a TOML file.

    Raises ValueError naming the key for one that does not exist or has the wrong type.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = BUILT_IN / f"{name_or_path}.toml"
    return _build(Personality, tomllib.loads(path.read_text(encoding="utf-8")), path.name)


def _build(kind: type[T], table: dict[str, Any], where: str) -> T:
    hints = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    if extra := sorted(set(table) - known):
        raise ValueError(f"{where}: unknown key {extra[0]}")
    return kind(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        return _build(hint, value, where)
    origin = get_origin(hint)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(get_args(hint)[0], entry, where) for entry in value)
    if origin in (dict, Union, UnionType):
        return value
    if hint is float and isinstance(value, int):
        return float(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if not isinstance(hint, type) or not isinstance(value, hint):
        raise ValueError(f"{where}: {value!r} is not {hint}")
    return value
