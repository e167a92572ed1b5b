"""Which published files a device needs: its tool, and no more than the experiment asks for."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.binaries import Binary, Lock, read_lock
from common.device_tools import APK, BINARY, HEXAGON, fetch, find, missing, needed, npu_set, pick, sums
from common.download import GoneError
from common.elf import elf_abis
from common.errors import EdgeproofError, TryLaterError, UsageError
from common.npu_libraries import extracted
from common.schema.experiment import Benchmark
from jobs.benchmark.android.binaries import hexagon_libraries, npu_libraries, published, runnable
from tests.devices.standin.phone import fake_binary
from tests.publisher import Answer, Publisher, publisher

PHONE = ("arm64-v8a", "armeabi-v7a", "armeabi")
QUALCOMM = "libLiteRtDispatch_Qualcomm.so"


@pytest.fixture
def served() -> Iterator[Publisher]:
    with publisher() as found:
        yield found


def settings(*backends: str, app: bool = False) -> Benchmark:
    return Benchmark(app=app).model_copy(update={"backends": backends or ("cpu",)})


def test_tools_go_by_processor() -> None:
    assert elf_abis(fake_binary("armeabi-v7a")) == ("armeabi-v7a", "armeabi")
    assert elf_abis(b"#!/bin/sh") == ()
    assert runnable(("x86_64", "arm64-v8a"), ()) == ("x86_64",)
    assert runnable(("x86_64", "arm64-v8a"), ("arm64-v8a",)) == ("x86_64", "arm64-v8a")
    lock = read_lock()
    assert pick(lock, "benchmark_model", PHONE, "classic").name == "android_aarch64_benchmark_model"
    assert pick(lock, "benchmark_model", PHONE, "litert").url.endswith("/2.2.0/android_arm64/benchmark_model")
    assert find(lock, "benchmark_model", PHONE[1:], "litert") is None
    with pytest.raises(UsageError, match=r"nobody publishes benchmark_model for x86_64 .*BENCHMARK_BINARY=<path>"):
        pick(lock, "benchmark_model", ("x86_64",))
    with pytest.raises(UsageError, match=r"nobody publishes benchmark_model_app .*BENCHMARK_APK=<path>"):
        pick(lock, "benchmark_model_app", ("x86_64",))


def test_a_device_needs_its_tool_and_what_is_asked_for() -> None:
    lock = read_lock()

    def names(abis: tuple[str, ...], given: Benchmark, *own: str) -> list[str]:
        return [binary.name for binary in needed(lock, abis, given, own)]

    assert names(PHONE, settings()) == ["android_aarch64_benchmark_model"]
    assert names(PHONE[1:], settings()) == ["android_arm_benchmark_model"]
    everything = settings("cpu", "hexagon", app=True)
    assert names(PHONE, everything) == [
        "android_aarch64_benchmark_model",
        "android_aarch64_benchmark_model.apk",
        "android_aarch64_libhexagon_interface.so",
    ]
    assert names(PHONE, everything, BINARY, APK, HEXAGON) == []
    # Its library is of the published tool.
    assert names(PHONE, everything, BINARY, APK) == []
    assert names(("x86_64",), settings(), BINARY) == []
    with pytest.raises(UsageError, match=r"nobody publishes benchmark_model for x86_64, x86"):
        names(("x86_64", "x86"), settings())


def test_whoever_looks_first_is_told_what_a_run_would_download(served: Publisher, tmp_path: Path) -> None:
    tool = Binary(name="tool", tool="benchmark_model", dialect="classic", abi="arm64-v8a", url=served.address + "/tool")
    assert missing([tool], tmp_path) == (tool,)
    assert sums([tool], tmp_path) == {"benchmark_model-classic": None}
    assert served.asked == []
    served.publish("/tool", fake_binary())
    fetch([tool], tmp_path)
    assert missing([tool], tmp_path) == ()
    assert sums([tool], tmp_path)["benchmark_model-classic"] is not None


def test_the_newer_tool_is_missed_where_the_classic_one_can_do_without_it(
    served: Publisher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = read_lock()
    both = [find(lock, "benchmark_model", PHONE, dialect) for dialect in ("litert", "classic")]
    newer, classic = (b.model_copy(update={"url": f"{served.address}/{b.name}"}) for b in both if b is not None)
    # Nothing at all can be had: that is one error, of what is needed.
    with pytest.raises(GoneError, match=classic.name):
        fetch([newer, classic], tmp_path)
    assert newer.name not in capsys.readouterr().err
    served.publish(f"/{classic.name}", fake_binary())
    served.url(f"/{newer.name}", Answer(status=503))
    for _ in range(2):
        fetch([newer, classic], tmp_path)
        assert f"note: going on without {newer.name}: " in capsys.readouterr().err
    with pytest.raises(TryLaterError, match=r"503"):
        fetch([newer], tmp_path)
    served.publish(f"/{newer.name}", fake_binary())
    fetch([newer, classic], tmp_path)
    assert missing([newer, classic], tmp_path) == ()


def test_hexagons_library_has_the_name_that_the_tool_looks_for(
    served: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = read_lock()
    ours = [b.model_copy(update={"url": f"{served.address}/{b.name}"}) for b in lock.binary if b.version is None]
    monkeypatch.setattr("jobs.benchmark.android.binaries.read_lock", lambda: lock.model_copy(update={"binary": ours}))
    monkeypatch.setenv("EDGEPROOF_BINARIES", str(tmp_path))
    # The publisher may drop it: that costs Hexagon's rows, which the tool says itself, and no more.
    assert hexagon_libraries(PHONE, None) == {}
    assert "note: " in (told := capsys.readouterr().err)
    assert "the publisher has no such file any more" in told
    served.publish("/android_aarch64_libhexagon_interface.so", fake_binary())
    found = hexagon_libraries(PHONE, None)
    assert list(found) == ["libhexagon_interface.so"]
    assert found["libhexagon_interface.so"].read_bytes() == fake_binary()
    served.publish("/android_arm_benchmark_model", fake_binary("armeabi-v7a"))
    tool = published(PHONE[1:], "classic")
    assert tool is not None
    assert tool.read_bytes() == fake_binary("armeabi-v7a")
    assert published(("x86_64",), "classic") is None


def test_libraries_for_an_npu_are_of_the_very_version() -> None:
    lock = read_lock()
    found = npu_set(lock, "qualcomm", "2.2.0", PHONE)
    assert found is not None
    assert found == npu_set(lock, "google_tensor", "2.2.0", PHONE)
    assert found.version == pick(lock, "benchmark_model", PHONE, "litert").version
    for vendor, version, abis in (("qualcomm", "2.1.6", PHONE), ("mediatek", "2.2.0", PHONE)):
        assert npu_set(lock, vendor, version, abis) is None
    assert npu_set(lock, "qualcomm", "2.2.0", ("armeabi-v7a",)) is None


def test_a_vendors_libraries_come_out_of_the_archive(
    served: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for generation in (79, 81):
            archive.writestr(f"qualcomm_runtime_v{generation}/src/main/jni/arm64-v8a/{QUALCOMM}", b"q")
        archive.writestr("google_tensor_runtime/src/main/jni/arm64-v8a/libLiteRtDispatch_GoogleTensor.so", b"g")
        archive.writestr(f"../../jni/arm64-v8a/../{QUALCOMM}", b"out of the folder")
        archive.writestr(f"jni/armeabi-v7a/{QUALCOMM}", b"of another ABI")
    entry = npu_set(read_lock(), "qualcomm", "2.2.0", PHONE)
    assert entry is not None
    ours = entry.model_copy(update={"url": served.publish("/npu.zip", made.getvalue())})
    monkeypatch.setattr("jobs.benchmark.android.binaries.read_lock", lambda: Lock(binary=(ours,)))
    monkeypatch.setenv("EDGEPROOF_BINARIES", str(tmp_path))
    found = npu_libraries(PHONE, "qualcomm", "2.2.0")
    assert found is not None
    assert {name: path.read_bytes() for name, path in found.items()} == {QUALCOMM: b"q"}
    assert npu_libraries(PHONE, "qualcomm", "2.2.0") == found
    assert npu_libraries(PHONE, "qualcomm", "2.1.6") is None
    with pytest.raises(EdgeproofError, match=r"has no library of samsung for arm64-v8a"):
        extracted(next(iter(found.values())).parents[1] / entry.name, "samsung", "arm64-v8a", tmp_path / "x")
    (tmp_path / "damaged.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(EdgeproofError, match=r"damaged.zip cannot be read"):
        extracted(tmp_path / "damaged.zip", "qualcomm", "arm64-v8a", tmp_path / "x")
