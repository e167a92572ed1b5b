"""Every fault of the stand-in, seen from outside with the real adb."""

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Battery, Outputs, Timing, load
from tests.devices.standin.device import StandIn, paced
from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import Recording, fake_binary
from tests.devices.standin.tool import fake_model
from tests.devices.tiny_model import PATH, SHAPE

FOLDER = "/data/local/tmp"
TOOL = f"{FOLDER}/benchmark_model"
MODEL = f"{FOLDER}/m.tflite"
RESULT = "Inference timings in us"
# Long enough for a shell command on a busy machine, short enough to wait for one that hangs.
HANG_S = 1.0


class Bench:
    """A stand-in with the tool on it, and the adb that sees it."""

    def __init__(self, server: AdbServer, device: StandIn) -> None:
        self.server, self.device, self.serial = server, device, device.serial
        device.phone.files.add(TOOL, fake_binary(), 0o100755)
        device.phone.files.add(MODEL, fake_model())

    def shell(self, command: str, timeout_s: float = 30.0) -> "subprocess.CompletedProcess[str]":
        return self.server.adb("shell", command, serial=self.serial, timeout_s=timeout_s)

    def run(self, flags: str = "", timeout_s: float = 30.0) -> "subprocess.CompletedProcess[str]":
        return self.shell(f"{TOOL} --graph={MODEL} {flags}", timeout_s)


@pytest.fixture
def bench(adb_server: AdbServer, stand_in: StandIn) -> Bench:
    return Bench(adb_server, stand_in)


# ---- the device ------------------------------------------------------------------------------------
def test_unauthorized_until_somebody_accepts(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.UNAUTHORIZED))
    bench.server.wait_for(bench.serial, "unauthorized")
    assert "unauthorized" in bench.shell("true").stderr
    bench.device.heal()
    bench.server.wait_for(bench.serial, "device")


def test_offline(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.OFFLINE))
    bench.server.wait_for(bench.serial, "offline")
    assert bench.shell("true").returncode != 0
    bench.device.heal()
    bench.server.wait_for(bench.serial, "device")


def test_frozen_keeps_the_state_and_answers_nothing(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.FROZEN))
    assert bench.server.states()[bench.serial] == "device"
    with pytest.raises(subprocess.TimeoutExpired):
        bench.shell("true", timeout_s=HANG_S)
    bench.device.heal()
    bench.server.wait_for(bench.serial, "device")
    assert bench.shell("true").returncode == 0


def test_frozen_at_the_second_matching_command(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.FROZEN, Point.SHELL, matching="getprop", skip=1, seconds=0.5))
    assert bench.shell("getprop ro.product.model").stdout == "Pixel 7\n"
    assert bench.shell("true").returncode == 0
    started = time.monotonic()
    bench.server.adb("shell", "getprop", serial=bench.serial)
    assert time.monotonic() - started > 0.4
    assert [fault.kind for fault in bench.device.phone.faults.fired] == [Kind.FROZEN]


def test_no_shell_v2_any_more(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.NO_SHELL_V2))
    deadline = time.monotonic() + 15
    while "shell_v2" in (said := bench.server.adb("features", serial=bench.serial)).stdout or said.returncode:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert bench.shell("exit 42").returncode == 0


def test_vanishes_in_a_push_and_comes_back(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3 << 20))
    bench.device.arm(Fault(Kind.VANISH, Point.PUSH, after_bytes=1 << 20, seconds=0.5))
    pushed = bench.server.adb("push", str(tmp_path / "big"), f"{FOLDER}/big", serial=bench.serial)
    assert pushed.returncode != 0
    # The part that had arrived is still there.
    assert len(bench.device.phone.read(f"{FOLDER}/big")) == 1 << 20
    bench.server.wait_for(bench.serial, "device", timeout_s=20)
    assert bench.server.adb("push", str(tmp_path / "big"), f"{FOLDER}/big", serial=bench.serial).returncode == 0


def test_vanishes_in_a_command_and_never_comes_back(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.VANISH, matching="benchmark_model", after_bytes=100))
    done = bench.run()
    assert len(done.stdout) + len(done.stderr) <= 100
    assert RESULT not in done.stdout
    deadline = time.monotonic() + 15
    while bench.server.states().get(bench.serial) == "device":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_slow_link(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(200_000))
    bench.device.arm(Fault(Kind.SLOW_LINK, bytes_per_s=400_000))
    started = time.monotonic()
    assert bench.server.adb("push", str(tmp_path / "file"), f"{FOLDER}/f", serial=bench.serial).returncode == 0
    assert time.monotonic() - started > 0.5


def test_full_disk(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(500_000))
    bench.device.arm(Fault(Kind.DISK_FULL, after_bytes=100 << 10))
    pushed = bench.server.adb("push", str(tmp_path / "file"), f"{FOLDER}/f", serial=bench.serial)
    assert pushed.returncode == 1
    assert "No space left on device" in pushed.stdout + pushed.stderr
    row = bench.shell(f"df -k {FOLDER}").stdout.splitlines()[1].split()
    assert int(row[3]) <= 100


def test_children_survive_their_shell(bench: Bench) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        bench.shell("sleep 60", timeout_s=0.5)
    listed = bench.shell("pidof sleep").stdout.split()
    assert len(listed) == 1
    assert bench.shell(f"kill -9 {listed[0]}").returncode == 0
    assert bench.shell("pidof sleep").returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("survives", [True, False])
def test_a_tool_whose_host_hung_up_ends_when_it_prints(
    adb_server: AdbServer, stand_ins: Callable[..., StandIn], survives: bool
) -> None:
    bench = Bench(adb_server, stand_ins(paced(load("pixel"), 1.0)))
    if survives:
        bench.device.arm(Fault(Kind.SURVIVORS))
    with pytest.raises(subprocess.TimeoutExpired):
        bench.run("--num_runs=1 --min_secs=60 --warmup_runs=1 --warmup_min_secs=0.8", timeout_s=0.5)
    time.sleep(1.0)
    assert bench.shell("pidof benchmark_model").returncode == (0 if survives else 1)


def test_a_background_job_is_the_program_itself(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.HANG))
    done = bench.shell(
        f"A=1 taskset 3 {TOOL} --graph={MODEL} </dev/null & p=$!; "
        "sleep 0.2; cat /proc/$p/cmdline; kill -9 $p; wait $p; echo rc=$?"
    )
    assert f"{TOOL}\0--graph={MODEL}" in done.stdout
    assert done.stdout.endswith("rc=137\n")


def test_logcat_flood_and_follow(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.LOGCAT_FLOOD, lines=5000))
    deadline = time.monotonic() + 10
    while len(bench.device.phone.log.lines()) < 5000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert bench.shell("logcat -d").stdout.count("\n") > 5000
    assert "chatter" not in bench.shell("logcat -d -s tflite").stdout
    with pytest.raises(subprocess.TimeoutExpired) as waited:
        bench.shell("logcat -s tflite", timeout_s=1.0)
    assert waited.value.stdout is not None


# ---- the tool --------------------------------------------------------------------------------------
def test_the_tool_without_faults(bench: Bench) -> None:
    done = bench.run("--num_threads=2")
    assert done.returncode == 0
    assert re.search(
        r"count=\d+ first=\d+ curr=\d+ min=\d+ max=\d+ avg=\S+ std=\d+ p5=\d+ median=\d+ p95=\d+", done.stdout
    )
    assert "with delegate (TfLiteXNNPackDelegate)" in done.stderr


def test_crash_by_signal_leaves_a_tombstone(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.CRASH, signal=11))
    done = bench.run()
    assert (done.returncode, RESULT in done.stdout) == (139, False)
    assert "Segmentation fault" in done.stderr
    assert "signal 11 (SIGSEGV)" in bench.shell("logcat -d").stdout
    bench.device.arm(Fault(Kind.CRASH, signal=6, after_bytes=200))
    aborted = bench.run()
    assert (aborted.returncode, len(aborted.stdout)) == (134, 200)


def test_hang_until_killed(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.HANG))
    with pytest.raises(subprocess.TimeoutExpired):
        bench.run(timeout_s=HANG_S)
    pid = bench.shell("pidof benchmark_model").stdout.strip()
    assert pid.isdigit()
    bench.shell(f"kill -9 {pid}")
    assert bench.shell("pidof benchmark_model").returncode == 1
    assert bench.run().returncode == 0


def test_silent_fallback(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.SILENT_FALLBACK, times=None))
    done = bench.run("--use_gpu=true")
    assert (done.returncode, RESULT in done.stdout) == (0, True)
    assert "WARN: GPU acceleration is unsupported on this platform." in done.stdout
    assert "Explicitly applied GPU" not in done.stdout


@pytest.mark.parametrize("wrong", [Outputs.NAN, Outputs.CONSTANT, Outputs.SHUFFLED])
def test_wrong_outputs(bench: Bench, wrong: Outputs) -> None:
    bench.device.phone.files.add(MODEL, PATH.read_bytes())
    bench.device.phone.files.add(f"{FOLDER}/in", np.linspace(0, 1, np.prod(SHAPE), dtype=np.float32).tobytes())
    name = re.search(r"named (\S+) but", bench.run("--input_layer=x --input_layer_shape=1,8,8,3").stdout)
    assert name
    flags = (
        f"--num_runs=1 --min_secs=0 --warmup_runs=0 --warmup_min_secs=0 --input_layer={name[1]} "
        f"--input_layer_shape=1,8,8,3 --input_layer_value_files={name[1].replace(':', '::')}:{FOLDER}/in "
        f"--output_filepath={FOLDER}/out"
    )
    assert bench.run(flags).returncode == 0
    right = np.frombuffer(bench.device.phone.read(f"{FOLDER}/out"), np.float32)
    assert right.sum() == pytest.approx(1.0)
    bench.device.arm(Fault(Kind.WRONG_OUTPUTS, outputs=wrong))
    assert bench.run(flags).returncode == 0
    spoiled = np.frombuffer(bench.device.phone.read(f"{FOLDER}/out"), np.float32)
    expected = {
        Outputs.NAN: [np.nan] * right.size,
        Outputs.CONSTANT: [right[0]] * right.size,
        Outputs.SHUFFLED: right[::-1],
    }
    np.testing.assert_array_equal(spoiled, expected[wrong])


def test_throttling_heats_and_slows(bench: Bench) -> None:
    def average() -> float:
        return float(re.findall(r"Inference \(avg\): (\S+)", bench.run().stdout)[0])

    cool = average()
    bench.device.arm(Fault(Kind.THROTTLE, times=3))
    hot = [average() for _ in range(3)]
    assert cool * 1.1 < hot[0] < hot[1] < hot[2]
    said = bench.shell("dumpsys thermalservice").stdout
    assert "Thermal Status: 3" in said
    assert "mValue=47.4, mType=3, mName=SKIN, mStatus=3" in said


def test_garbage_and_truncated_output(bench: Bench) -> None:
    bench.device.arm(Fault(Kind.GARBAGE))
    garbage = bench.run()
    assert (garbage.returncode, RESULT in garbage.stdout) == (0, False)
    bench.device.arm(Fault(Kind.TRUNCATED, after_bytes=300))
    cut = bench.run()
    assert (cut.returncode, len(cut.stdout)) == (0, 300)


def test_the_app_can_crash_too(bench: Bench) -> None:
    start = "am start -S -n org.tensorflow.lite.benchmark/.BenchmarkModelActivity --es args"
    bench.device.phone.state.packages["org.tensorflow.lite.benchmark"] = "1.0"
    bench.device.arm(Fault(Kind.CRASH, matching="use_gpu"))
    bench.shell(f"{start} '--graph={MODEL} --use_gpu=true'")
    bench.shell(f"{start} '--graph={MODEL}'")
    deadline = time.monotonic() + 10
    while RESULT not in (log := bench.shell("logcat -d").stdout):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert log.count(RESULT) == 1
    assert "F DEBUG" in log


# ---- personality -----------------------------------------------------------------------------------
def test_a_recorded_run_is_replayed_and_takes_its_time(bench: Bench) -> None:
    bench.device.replay(Recording("--num_threads=3", b"recorded\n", b"aside\n", 5, seconds=0.3))
    started = time.monotonic()
    done = bench.run("--num_threads=3")
    assert (done.returncode, done.stdout, done.stderr) == (5, "recorded\n", "aside\n")
    assert time.monotonic() - started > 0.3


def test_the_tool_takes_its_time_at_full_pace(adb_server: AdbServer, stand_ins: Callable[..., StandIn]) -> None:
    bench = Bench(adb_server, stand_ins(paced(load("pixel"), 1.0)))
    started = time.monotonic()
    assert bench.run("--num_runs=1 --min_secs=0.5 --warmup_min_secs=0.1").returncode == 0
    assert 0.6 < time.monotonic() - started < 5


def test_a_personality_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text("[battery]\nlevel = 12\ntemperature_c = 41\n")
    assert load(file).battery == replace(Battery(), level=12, temperature_c=41.0)
    file.write_text("[timing]\nlatency = 3\n")
    with pytest.raises(ValueError, match="unknown key latency"):
        load(file)
    file.write_text("memory_kb = 'much'\n")
    with pytest.raises(ValueError, match="memory_kb"):
        load(file)
    assert load("pixel").timing == Timing()
