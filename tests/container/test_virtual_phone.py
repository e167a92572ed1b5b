"""The virtual phone: AOSP's own adbd, driven by the real adb."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from common.provenance import ROOT
from tests.container.conftest import BUILD_TIMEOUT_S, DOCKER, Launcher, docker
from tests.devices.adb_server import AdbServer
from tests.devices.tiny_model import CLASSES, PATH, SHAPE
from tests.devices.virtual.machine import BINARY_PROPERTY

pytestmark = pytest.mark.container

FOLDER = "/data/local/tmp/test"
TOOL = f"{FOLDER}/benchmark_model"
QUICK = "--num_runs=5 --min_secs=0 --warmup_runs=2 --warmup_min_secs=0"


@dataclass(frozen=True)
class Phone:
    """A running virtual phone."""

    serial: str
    name: str
    binary: Path
    server: AdbServer

    def shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        """A command on the phone."""
        return self.server.adb("shell", command, serial=self.serial)

    def benchmark(self, flags: str) -> "subprocess.CompletedProcess[str]":
        """The tool on the tiny model."""
        return self.shell(f"{TOOL} --graph={FOLDER}/tiny.tflite {flags}")


@pytest.fixture(scope="module")
def phone(launcher: Launcher, adb_server: AdbServer) -> Iterator[Phone]:
    """A phone that was started as people start it, with the tool and the model pushed."""
    name = f"edgeproof-test-{uuid4().hex[:8]}"
    environment = {**os.environ, "PHONE": name, "DOCKER": DOCKER}
    done = subprocess.run(
        ["make", "--silent", "virtual-phone"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    phone = Phone(said["DEVICE"], name, ROOT / said["BENCHMARK_BINARY"], adb_server)
    try:
        _connect(phone)
        for file, target in ((phone.binary, TOOL), (PATH, f"{FOLDER}/tiny.tflite")):
            pushed = adb_server.adb("push", str(file), target, serial=phone.serial)
            assert pushed.returncode == 0, pushed.stderr
        assert phone.shell(f"chmod 755 {TOOL}").returncode == 0
        yield phone
    finally:
        stop = subprocess.run(["make", "--silent", "virtual-phone-stop"], cwd=ROOT, env=environment, timeout=60)
        assert stop.returncode == 0
    assert name not in docker("ps", "--all", "--format", "{{.Names}}")


def _connect(phone: Phone) -> None:
    deadline = time.monotonic() + 20
    while not (said := phone.server.connect(phone.serial)).startswith(("connected", "already")):
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def form(text: str) -> list[str]:
    """Lines with every number replaced, so that only the form is left."""
    return [re.sub(r"-?\d+(\.\d+)?(e[+-]\d+)?", "#", line) for line in text.splitlines()]


def test_it_says_that_its_figures_are_functional_only(phone: Phone) -> None:
    properties = dict(re.findall(r"\[(.+?)\]: \[(.*?)\]", phone.shell("getprop").stdout))
    assert properties["ro.edgeproof.virtual"] == "1"
    assert properties["ro.kernel.qemu"] == "1"
    assert properties["ro.product.model"] == "Virtual Phone"
    assert properties[BINARY_PROPERTY].endswith("benchmark_model")
    assert phone.shell("getprop ro.build.version.sdk").stdout == "34\n"


def test_exit_statuses_and_streams_are_a_phones(phone: Phone) -> None:
    assert phone.shell("exit 42").returncode == 42
    assert phone.shell("kill -9 $$").returncode == 137
    missing = phone.shell("nosuch")
    assert (missing.returncode, missing.stdout) == (127, "")
    assert "inaccessible or not found" in missing.stderr


def test_it_holds_no_privilege_and_no_vsock(phone: Phone) -> None:
    status = phone.shell("cat /proc/self/status").stdout
    assert re.search(r"^CapEff:\t0+$", status, re.M)
    assert re.search(r"^CapBnd:\t0+$", status, re.M)
    assert "NoNewPrivs:\t1" in status
    assert phone.shell("id -u").stdout == "2000\n"
    assert phone.shell("touch /x").returncode == 1
    assert "97" in phone.shell("python -c 'import socket; socket.socket(40, 1)'").stderr
    ports = docker("port", phone.name)
    assert ports.split(" -> ")[1].startswith("127.0.0.1:")


def test_the_tool_runs_the_model_and_speaks_in_form(phone: Phone) -> None:
    done = phone.benchmark(f"{QUICK} --num_threads=1")
    assert done.returncode == 0
    assert form(done.stdout) == form(
        "INFO: STARTING!\n"
        "INFO: Log parameter values verbosely: [0]\n"
        "INFO: Min num runs: [5]\n"
        "INFO: Min runs duration (seconds): [0]\n"
        "INFO: Num threads: [1]\n"
        "INFO: Min warmup runs: [2]\n"
        "INFO: Min warmup runs duration (seconds): [0]\n"
        f"INFO: Graph: [{FOLDER}/tiny.tflite]\n"
        "INFO: Signature to run: []\n"
        "INFO: #threads used for CPU inference: [1]\n"
        f"INFO: Loaded model {FOLDER}/tiny.tflite\n"
        "INFO: The input model file size (MB): 0.003\n"
        "INFO: Initialized session in 1.5ms.\n"
        "INFO: Running benchmark for at least 2 iterations and at least 0 seconds but terminate if exceeding 150 "
        "seconds.\n"
        "INFO: count=2 first=9 curr=8 min=8 max=9 avg=8.5 std=0 p5=8 median=9 p95=9\n\n"
        "INFO: Running benchmark for at least 5 iterations and at least 0 seconds but terminate if exceeding 150 "
        "seconds.\n"
        "INFO: count=5 first=9 curr=8 min=8 max=9 avg=8.5 std=0 p5=8 median=9 p95=9\n\n"
        "INFO: Inference timings in us: Init: 1500, First inference: 9, Warmup (avg): 8.5, Inference (avg): 8.5\n"
        "INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the "
        "actual memory footprint of the model at runtime. Take the information at your discretion.\n"
        "INFO: Memory footprint delta from the start of the tool (MB): init=1.5 overall=1.5\n"
    )
    assert done.stderr.splitlines()[0] == "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."


def test_its_answers_are_the_models(phone: Phone, tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    image = np.random.default_rng(3).random(SHAPE, dtype=np.float32)
    (tmp_path / "in.bin").write_bytes(image.tobytes())
    phone.server.adb("push", str(tmp_path / "in.bin"), f"{FOLDER}/in.bin", serial=phone.serial)
    here = Interpreter(model_path=str(PATH))
    here.allocate_tensors()
    name = here.get_input_details()[0]["name"]
    flags = (
        f"--num_runs=1 --min_secs=0 --warmup_runs=0 --warmup_min_secs=0 --input_layer={name} "
        f"--input_layer_shape={','.join(map(str, SHAPE))} "
        f"--input_layer_value_files={name.replace(':', '::')}:{FOLDER}/in.bin --output_filepath={FOLDER}/out.bin"
    )
    assert phone.benchmark(flags).returncode == 0
    phone.server.adb("pull", f"{FOLDER}/out.bin", str(tmp_path / "out.bin"), serial=phone.serial)
    here.set_tensor(here.get_input_details()[0]["index"], image)
    here.invoke()
    expected = here.get_tensor(here.get_output_details()[0]["index"])
    answered = np.frombuffer((tmp_path / "out.bin").read_bytes(), np.float32).reshape(1, CLASSES)
    np.testing.assert_allclose(answered, expected, rtol=1e-5)


def test_delegates_are_the_personalitys(phone: Phone) -> None:
    gpu = phone.benchmark(f"{QUICK} --use_gpu=true")
    assert "INFO: Explicitly applied GPU delegate, and the model graph will be completely executed" in gpu.stdout
    assert re.search(r"Replacing (\d+) out of \1 node\(s\) with delegate \(TfLiteGpuDelegateV2\)", gpu.stderr)
    nnapi = phone.benchmark(f"{QUICK} --use_nnapi=true")
    assert (nnapi.returncode, "WARN: NNAPI acceleration is unsupported on this platform." in nnapi.stdout) == (0, True)
    hexagon = phone.benchmark(f"{QUICK} --use_hexagon=true")
    assert "WARN: Could not create Hexagon delegate" in hexagon.stdout


def test_wrong_calls_end_as_with_the_real_tool(phone: Phone) -> None:
    unknown = phone.benchmark(f"{QUICK} --no_such_flag=1")
    assert unknown.returncode == 0
    assert "WARN: Unconsumed cmdline flags: --no_such_flag=1" in unknown.stdout
    missing = phone.shell(f"{TOOL} --graph=/nope.tflite")
    assert (missing.returncode, missing.stderr.splitlines()[-1]) == (1, "ERROR: Benchmarking failed.")
    phone.shell(f"echo garbage > {FOLDER}/bad.tflite")
    bad = phone.shell(f"{TOOL} --graph={FOLDER}/bad.tflite")
    assert (bad.returncode, "ERROR: The model is not a valid Flatbuffer buffer" in bad.stderr) == (1, True)
    assert phone.shell(f"{TOOL} --help").returncode == 1


def test_the_app_speaks_through_the_log_alone(phone: Phone, tmp_path: Path) -> None:
    apk = tmp_path / "app.apk"
    apk.write_bytes(b"PK\3\4" + bytes(100))
    start = "am start -S -n org.tensorflow.lite.benchmark/.BenchmarkModelActivity --es args"
    assert "does not exist" in phone.shell(f"{start} x").stderr
    installed = phone.server.adb("install", "--no-streaming", "-r", str(apk), serial=phone.serial)
    assert "Success" in installed.stdout
    phone.shell("logcat -c")
    phone.shell(f"{start} '--graph={FOLDER}/tiny.tflite {QUICK}'")
    deadline = time.monotonic() + 20
    while "Inference timings in us" not in (log := phone.shell("logcat -d -s tflite").stdout):
        assert time.monotonic() < deadline, log
        time.sleep(0.2)
    assert "STARTING!" not in log
    assert "I tflite  : Loaded model" in log
