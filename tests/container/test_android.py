"""Devices measured from the adb container, through the host's adb server; the virtual phone also from here."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

from common.artifact import file_ref, read, sha256_file, write_model
from common.binaries import Binary, Lock, render
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Summary
from common.schema.outcome import Unsupported
from common.schema.variant import Variant
from common.used_binaries import uses
from tests.container.conftest import BUILD_TIMEOUT_S, Launcher
from tests.container.test_virtual_phone import Phone, phone
from tests.devices import tiny_model
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.named import NamedServer
from tests.devices.standin.device import StandIn
from tests.publisher import publisher
from tests.unit.benchmark.android.conftest import Bench, adb_environment, bench, benches, left_behind

__all__ = ["adb_environment", "adb_server", "bench", "benches", "phone", "stand_in", "stand_ins"]
pytestmark = pytest.mark.container


def on_real_models(made: Bench, binary: Path) -> Bench:
    """The bench with models that run; the virtual phone really runs them."""
    content = tiny_model.PATH.read_bytes()
    for number, name in enumerate(made.experiment.settings.variants):
        folder = made.folder / "variants" / name
        # Bytes behind a flatbuffer mean nothing, and make another file of it.
        (folder / f"{name}.tflite").write_bytes(content + bytes(4 * number))
        described = read(folder / "variant.json", Variant)
        model = file_ref(folder / f"{name}.tflite", folder)
        write_model(folder / "variant.json", described.model_copy(update={"model": model}))
    made.binary = binary
    return made


def from_container(launcher: Launcher, made: Bench, serial: str) -> Benchmark:
    """The stage's result, run in the adb image."""
    done = launcher.call("stage", "benchmark", "--", *made.argv(serial)[2:], timeout_s=BUILD_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return read(made.output / "benchmark.json", Benchmark)


def require_functional(result: Benchmark) -> None:
    assert result.target.functional_only
    kinds = {(row.cell.backend, type(row.result)) for row in result.rows}
    assert kinds == {("cpu", Summary), ("xnnpack", Summary), ("nnapi", Unsupported)}


def test_the_virtual_phone_is_measured_and_left_clean(benches: Callable[..., Bench], phone: Phone) -> None:
    made = on_real_models(benches(backends=("cpu", "xnnpack", "nnapi")), phone.binary)
    require_functional(made.run(phone.serial))
    assert "edgeproof" not in phone.shell("ls /data/local/tmp").stdout


def test_the_virtual_phone_is_reached_from_the_container(
    launcher: Launcher, benches: Callable[..., Bench], phone: Phone
) -> None:
    made = on_real_models(benches(backends=("cpu", "xnnpack", "nnapi")), phone.binary)
    require_functional(from_container(launcher, made, phone.serial))


def test_a_serial_with_blanks_reaches_the_stage_in_its_container(
    launcher: Launcher, bench: Bench, adb_server: AdbServer, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "adb-XX2XXXX2-4QfPSa (2)._adb-tls-connect._tcp"
    with NamedServer(adb_server.port, {name: stand_in.serial}) as server:
        for variable, value in server.address.items():
            monkeypatch.setenv(variable, value)
        assert from_container(launcher, bench, name).target.serial == name
        looked = launcher.call("stage", "benchmark", "--", *bench.argv(name)[2:], "--look")
    assert looked.returncode == 0 and looked.stdout.startswith(f"{name}: Google Pixel 7"), looked.stderr


def test_the_stage_reaches_a_device_from_its_container(launcher: Launcher, bench: Bench, stand_in: StandIn) -> None:
    result = from_container(launcher, bench, stand_in.serial)
    assert all(isinstance(row.result, Summary) for row in result.rows)
    assert result.provenance.runtime.kind == "container"
    assert left_behind(stand_in) == []


def test_the_tool_of_a_device_is_downloaded_at_its_first_use_and_stays(
    launcher: Launcher, bench: Bench, stand_in: StandIn
) -> None:
    checkout = replace(launcher, root=bench.folder / "checkout")
    for name in ("jobs", "common", "docker"):
        copytree(ROOT / name, checkout.root / name, ignore=ignore_patterns("__pycache__"))
    copy(ROOT / ".dockerignore", checkout.root)
    cache, argv = bench.folder / "cache", bench.argv(stand_in.serial)[2:]
    at = argv.index("--binary")
    del argv[at : at + 2]
    lock = checkout.root / "docker" / "adb" / "binaries.toml"
    with publisher() as served:
        url = served.publish("/nightly/tool", bench.binary.read_bytes())
        tool = Binary(name="tool", tool="benchmark_model", dialect="classic", abi="arm64-v8a", url=url)
        lock.write_text(render(Lock(binary=(tool,))), encoding="utf-8")
        # The container has the network of the host.
        for _ in range(2):
            done = checkout.call("stage", "benchmark", "--", *argv, environment={"EDGEPROOF_BINARIES": str(cache)})
            assert done.returncode == 0, done.stderr
        assert served.asked == ["/nightly/tool"]
    sha256 = sha256_file(bench.binary)
    assert uses(cache)[url].sha256 == sha256
    assert (cache / sha256 / "tool").stat().st_uid == os.getuid()
    assert f"sha256 {sha256[:12]}" in dict(read(bench.output / "benchmark.json", Benchmark).target.facts)["Tool"]
