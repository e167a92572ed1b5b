"""Feed made-up bytes to everything that reads what somebody else made, and count what goes wrong.

    python -m tests.benchmarks.fuzz 20000

Each target gets so many inputs: half are noise between pieces that its grammar knows, half a real input with bytes
changed, doubled, cut out or moved. An input may be accepted or refused by the target's own error; anything else, a run
of more than 2 s of processor time, or more than 500 MB of memory for the whole process counts against it. The inputs
come from a seed, so that a failure can be made again.
"""

import io
import random
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from common.adb import cores, facts
from common.adb.attached import parse as attached
from common.adb.errors import SizeLimitError
from common.adb.shell import each_ended, ended, process_number
from common.adb.wire import Wire
from common.artifact import read as read_artifact
from common.errors import EdgeproofError
from common.experiment import load
from common.schema.results import Results
from common.tflite.reader import inspect
from jobs.benchmark.android import arrival, classic, command, litert, profile, state
from jobs.benchmark.android.app import outcome
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.android.installing import refusal
from jobs.benchmark.android.reading import GREETING, read
from jobs.benchmark.follows.logged import logged
from jobs.benchmark.ledger import Ledger
from jobs.dataset.archive import open_archive
from jobs.dataset.errors import UnusableFileError
from jobs.evidence.archive import MANIFEST, Unpacker
from tests.artifacts import EXPERIMENT
from tests.forgery import archived
from tests.unit.benchmark.android import transcripts
from tests.unit.dataset.test_archive import tarred
from tests.unit.dataset.test_hostile_archive import TARS

MOST_S, MOST_MB, MB = 2.0, 500, 1_000_000
LONGEST = 4096
Target = Callable[[bytes], object]


@dataclass
class Tally:
    """What became of a target's inputs."""

    accepted: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)


class _Connection:
    """A connection that gives these bytes and then ends."""

    def __init__(self, data: bytes) -> None:
        self.conn = self
        self._stream = io.BytesIO(data)

    def recv(self, most: int) -> bytes:
        return self._stream.read(most)

    def settimeout(self, _: float) -> None:
        """There is nothing to wait for."""


def _packets(data: bytes) -> None:
    for stream, _ in Wire(_Connection(data), 10, 1 << 16).shell_packets():
        if stream not in {0, 1}:
            raise AssertionError(stream)


def _block(data: bytes) -> str:
    return Wire(_Connection(data), 10, 1 << 16).block()


def _archive(data: bytes) -> None:
    for _, member in open_archive(io.BytesIO(data), "fuzz").open_members():
        member()


def _bundle(path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        list(Unpacker(path, Path(name)).unpack())


def _file(folder: Path, name: str, use: Callable[[Path], object]) -> Target:
    def target(data: bytes) -> object:
        (folder / name).write_bytes(data)
        return use(folder / name)

    return target


def _text(use: Callable[[str], object]) -> Target:
    return lambda data: use(data.decode("utf-8", "replace"))


def _printed(use: Callable[[Printed, str], object], backend: str) -> Target:
    return _text(lambda text: use(Printed(text, "", 0, "log"), backend))


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", b"one" * 50)
        archive.writestr("b/1.png", b"two")
    return stream.getvalue()


def _transcripts() -> tuple[bytes, ...]:
    return tuple(value.encode() for value in vars(transcripts).values() if isinstance(value, str) and "\n" in value)


def targets(folder: Path) -> dict[str, tuple[Target, tuple[bytes, ...]]]:
    """A function of bytes and real inputs, by what it reads."""
    tool = _transcripts()
    prop = b"[ro.product.model]: [Pixel\n8]\n[ro.build.version.sdk]: [34]\r\n"
    df = b"Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/x 100 50 50 50% /data\n"
    thermal = b"Thermal Status: 1\nCurrent temperatures from HAL:\n"
    thermal += b"\tTemperature{mValue=25.3, mType=3, mName=SKIN, mStatus=0}\n"
    log = b"01-02 03:04:05.678  123  456 I tflite  : Inference timings in us: Init: 1, First inference: 2\n"
    hello = b"01-02 03:04:05.678  123  123 I tflite_BenchmarkModelActivity: " + GREETING.encode() + b"--graph=m\n"
    log = hello + log + b"01-02 03:04:06.000  123  123 E tflite  : Failed to apply XNNPACK delegate.\n"
    crash = hello + b"01-02 03:04:06.000  9  9 F DEBUG   : pid: 123, tid: 123, name: x  >>> x <<<\n"
    crash += b"01-02 03:04:06.000  9  9 F DEBUG   : signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x18\n"
    crash += b"01-02 03:04:06.000  123  123 E AndroidRuntime: java.lang.UnsatisfiedLinkError: dlopen failed: x\n"
    table = b"Operator-wise Profiling Info for Regular Benchmark Runs:\n=== Run Order ===\nh\n"
    table += (
        b"CONV_2D, 0.1, 0.1, 50%, 50%, 0, 1, a\n\n=== Summary by node type ===\nh\nCONV_2D, 1, 0.1, 50%, 50%, 0, 1\n\n"
    )
    clocks = b"/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq:1803000\n"
    nonce = "0123456789abcdef"
    shell = f"__EDGEPROOF_{nonce}_PID=12\nx\n\n__EDGEPROOF_{nonce}_RC=0\n".encode()
    packet = b"\x01\x05\x00\x00\x00hello\x02\x01\x00\x00\x00x\x03\x01\x00\x00\x00\x00"
    session = b'{"kind":"session","session":0,"seed":1,"cells":[],"rounds":1,"started_at":"2026-01-01T00:00:00Z",'
    line = session + b'"fingerprint":"' + b"0" * 64 + b'","settings_sha256":"' + b"0" * 64 + b'"}\n'
    results = Path("tests/data/published_results.json").read_bytes()
    tiny = Path("tests/devices/tiny.tflite").read_bytes()
    return {
        "experiment": (_file(folder, "fuzz.toml", load), (EXPERIMENT.encode(), b"seed = 99999999999999999999\n")),
        "bundle": (_file(folder, "bundle.tar", _bundle), (archived({MANIFEST: b"{}", "a": b"b", "c/d": b"e" * 600}),)),
        "archive": (_archive, (tarred(), _zip(), *TARS.values())),
        "ledger": (_file(folder, "ledger.jsonl", Ledger), (line,)),
        "results": (_file(folder, "results.json", lambda path: read_artifact(path, Results)), (results,)),
        "getprop": (
            _text(lambda text: (known := facts.properties(text), facts.api_level(known), facts.soc(known))),
            (prop,),
        ),
        "df": (_text(facts.free_kib), (df, b"Filesystem Size Used Free Blksize\n/data 1.5G 1M 2.2K 4096\n")),
        "thermal": (_text(lambda text: (facts.thermal_status(text), facts.temperatures(text))), (thermal,)),
        "battery, cores, memory": (
            _text(lambda text: (facts.battery(text), facts.core_numbers(text), facts.memory_kib(text))),
            (b"  AC powered: true\n  level: 80\n  temperature: 251\n", b"0-3,6", b"MemTotal:  123 kB\n"),
        ),
        "state": (
            _text(lambda text: (state.read(text, text, text, text), arrival.ticks(text), cores.listed(text))),
            (clocks, b"cpu  1 0 0 2 0 0 0 0 0 0\n", b"4 x 1803 MHz, 2 x ? MHz", b"  Battery Saver is currently: ON\n"),
        ),
        "logcat": (
            _text(lambda text: outcome(read(text.splitlines(), "--graph=m"), "xnnpack", "log")),
            (log, crash),
        ),
        "output of benchmark_model": (_printed(classic.parse, "xnnpack"), (log, *tool)),
        "output of LiteRT's": (_printed(litert.parse, "xnnpack"), tool),
        "kept log": (
            _text(lambda text: logged(text, "xnnpack", "log")),
            (b"+ t\n" + log + b"\n--- stderr\n\n--- 0\n",),
        ),
        "words of pm": (
            _text(refusal),
            (b"Failure [INSTALL_FAILED_USER_RESTRICTED: Install canceled by user]\n", b"Error: java.lang.X: y\n"),
        ),
        "profile": (_text(profile.operators), (table,)),
        "help of the tool": (_text(command.dialect), (b"\t--use_xnnpack=false\tbool\n",)),
        "flatbuffer": (inspect, (tiny,)),
        "adb packets": (_packets, (packet,)),
        "adb blocks": (_block, (b"0005hello",)),
        "list of devices": (_text(attached), (b"emulator-5554\tdevice\n",)),
        "end of a command": (
            _text(lambda text: (ended(text, "", nonce), each_ended(text, nonce, 3), process_number(text, nonce))),
            (shell, f"a\n__EDGEPROOF_{nonce}_0=0\nb\n__EDGEPROOF_{nonce}_1=1\n".encode()),
        ),
    }


def _made(source: random.Random, seeds: tuple[bytes, ...]) -> bytes:
    data = bytearray(source.choice(seeds))
    if source.random() < 0.5:
        words = b"".join(seeds).split()
        parts = [source.choice(words) if words and source.random() < 0.7 else source.randbytes(6) for _ in range(40)]
        data = bytearray(source.choice([b" ", b"\n", b""]).join(parts))
    for _ in range(source.randrange(8)):
        at = source.randrange(len(data) + 1)
        end = min(len(data), at + source.choice((1, 2, 8, 64)))
        piece = bytes(data[at:end])
        match source.randrange(5):
            case 0:
                data[at:end] = source.randbytes(end - at)
            case 1:
                data[at:at] = piece * source.choice((1, 10, 100))
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = source.choice((b"\xff" * 4, b"9" * 30, b"-1", b"1e999", b"\0", b"\n", b"]", b"\x1b[2J"))
            case _:
                place = source.randrange(len(data) + 1)
                data[place:place] = piece
    return bytes(data) if len(seeds[0]) > LONGEST else bytes(data[: 4 * LONGEST])


def fuzz(name: str, target: Target, seeds: tuple[bytes, ...], count: int) -> Tally:
    """Run a target on so many inputs."""
    tally, source = Tally(), random.Random(name)  # noqa: S311 (inputs that can be made again)
    for number in range(count):
        data = _made(source, seeds)
        start = time.process_time()
        try:
            target(data)
            tally.accepted += 1
        except (EdgeproofError, UnusableFileError, SizeLimitError, EOFError, ValidationError):
            tally.refused += 1
        except ValueError as error:
            # The examiner takes it for a profile that cannot be read.
            if name != "profile":
                tally.failures.append(f"{number}: {error!r}")
            tally.refused += 1
        except Exception as error:  # That is what is looked for.
            tally.failures.append(f"{number}: {error!r}")
        tally.slowest_s = max(tally.slowest_s, time.process_time() - start)
    return tally


def main(count: int) -> int:
    """A row per target; the exit status is 1 when any failed."""
    wrong = 0
    print("| target | executions | accepted | refused | failures | slowest, ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for name, (target, seeds) in targets(Path(folder)).items():
            tally = fuzz(name, target, seeds, count)
            counts = f"{count:,} | {tally.accepted:,} | {tally.refused:,} | {len(tally.failures)}"
            print(f"| {name} | {counts} | {tally.slowest_s * 1000:.0f} |", flush=True)
            print("\n".join(tally.failures[:3]), file=sys.stderr, end="\n" if tally.failures else "")
            wrong += bool(tally.failures) or tally.slowest_s > MOST_S
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    print(f"most memory of the process: {peak_mb:.0f} MB")
    return int(wrong > 0 or peak_mb > MOST_MB)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
