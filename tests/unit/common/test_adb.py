"""Command lines for devices, what their programs print, and names of folders."""

import shlex
import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.adb import facts
from common.adb.names import is_address, is_network, is_serial, joined, listed, safe_name, single, typed
from common.adb.shell import ended, process_number, script
from common.adb.states import remedy
from common.adb.surroundings import server_address
from common.errors import UsageError
from tests.devices.phone import texts
from tests.devices.phone.personality import Storage, load

WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), max_size=5)
# Copied in form from AOSP's ThermalManagerService; the cached block is stale by design.
THERMAL = """IsStatusOverride: false
Thermal Status: 1
Cached temperatures:
\tTemperature{mValue=99.0, mType=3, mName=SKIN, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=25.3, mType=3, mName=SKIN, mStatus=0}
\tTemperature{mValue=-99.9, mType=0, mName=CPU0, mStatus=0}
Current cooling devices from HAL:
\tTemperature{mValue=50.0, mType=3, mName=NOT, mStatus=0}
"""


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_words_reach_the_program_as_they_are(words: list[str]) -> None:
    made = script(["printf", "<%s>", *words])
    done = subprocess.run(["sh", "-c", made.text], capture_output=True, check=False)
    found = ended(done.stdout.decode(), done.stderr.decode(), made.nonce)
    assert found is not None
    printed = "".join(f"<{word}>" for word in words) or "<>"
    assert found.stdout.replace("\r\n", "\n") == printed.replace("\r\n", "\n")
    assert found.status == 0


@pytest.mark.parametrize(("command", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("echo a; false", 1)])
def test_the_status_is_the_programs(command: str, status: int) -> None:
    made = script(["sh", "-c", command])
    done = subprocess.run(["sh", "-c", made.text], capture_output=True, text=True, check=False)
    found = ended(done.stdout, done.stderr, made.nonce)
    assert found is not None
    assert found.status == status
    assert process_number(done.stdout, made.nonce) is not None


@given(st.integers(0, 200))
def test_output_that_was_cut_off_has_no_end(cut: int) -> None:
    nonce = "0123456789abcdef"
    whole = f"__EDGEPROOF_{nonce}_PID=12\nhello\n\n__EDGEPROOF_{nonce}_RC=0\n"
    found = ended(whole[:cut], "", nonce)
    assert (found is not None) == (cut >= len(whole))
    if found:
        assert found.stdout == "hello\n"


def test_a_phones_texts() -> None:
    pixel = load("pixel")
    known = facts.properties(texts.getprop(pixel.properties))
    assert known == pixel.properties
    assert facts.abis(known) == ("arm64-v8a", "armeabi-v7a", "armeabi")
    assert facts.soc(known) == "Google GS201"
    assert not facts.is_emulator(known)
    assert facts.memory_kib(texts.meminfo(7_800_000)) == 7_800_000
    battery = facts.battery(texts.battery(pixel.battery))
    assert (battery.level, battery.celsius, battery.powered) == (87, 27.1, True)
    assert facts.free_kib(texts.df(Storage(1000, 400), "/data")) == 400
    assert facts.free_kib(texts.df_old(Storage(8 << 20, 1 << 20))) == 1 << 20
    assert facts.free_kib(texts.df_old(Storage(8 << 20, 1 << 20), ("-k", "/data/local/tmp"))) == 1 << 20
    assert facts.core_numbers("0-3,6") == (0, 1, 2, 3, 6)


def test_only_the_readings_of_the_hal_count() -> None:
    assert [(r.name, r.celsius) for r in facts.temperatures(THERMAL)] == [("SKIN", 25.3)]
    assert facts.thermal_status(THERMAL) == 1


@pytest.mark.parametrize("indent", ["\t", "  ", ""])
def test_readings_end_where_another_list_begins_however_they_are_set_in(indent: str) -> None:
    told = THERMAL.replace("\n\t", f"\n{indent}")
    assert [(r.name, r.celsius) for r in facts.temperatures(told)] == [("SKIN", 25.3)]
    assert facts.temperatures(told.replace(", mStatus=0", "")) == facts.temperatures(told)


OLD_HEAD = "Filesystem               Size     Used     Free   Blksize\n"
HEAD = "Filesystem     1K-blocks    Used Available Use% Mounted on\n"


@pytest.mark.parametrize(
    ("printed", "kib"),
    [
        (OLD_HEAD + "/mnt/shell/emulated     12G     8.5G     3.5G   4096\n", 3670016),
        (OLD_HEAD + "/data: Permission denied\n/data/local/tmp 779.3M 299.2M 480.1M 4096\n", 491622),
        ("-k: No such file or directory\n" + OLD_HEAD + "/data 1.0G 0.0K 512.0K 4096\n", 512),
        (HEAD + "/dev/block/dm-1  56368440 32053608  24167376  58% /data\n", 24167376),
        ("WARNING: linker: libdvm.so has text relocations.\n" + HEAD + "/dev/by-name/data\n 9 4 5 44% /data\n", 5),
        (OLD_HEAD + "/data: Permission denied\n", None),
        ("df: /data/local/tmp: No such file or directory\n", None),
    ],
)
def test_free_space_in_the_forms_of_many_phones(printed: str, kib: int | None) -> None:
    assert facts.free_kib(printed) == kib
    assert facts.free_kib(printed.replace("\n", "\r\n")) == kib


def test_an_emulator_with_a_translator_may_run_arm() -> None:
    known = {
        "ro.product.cpu.abilist": "x86_64,x86,arm64-v8a,armeabi-v7a,armeabi",
        "ro.dalvik.vm.native.bridge": "libndk_translation.so",
        "ro.boot.qemu": "1",
    }
    assert facts.is_emulator(known)
    assert facts.translated(known) == ("arm64-v8a", "armeabi-v7a", "armeabi")
    for bridge in ({}, {"ro.dalvik.vm.native.bridge": "0"}):
        assert facts.translated({"ro.product.cpu.abilist": "x86_64,arm64-v8a", **bridge}) == ()
    assert facts.translated({**known, "ro.product.cpu.abilist": "arm64-v8a"}) == ()


@given(st.text(max_size=300))
def test_no_text_of_a_device_raises(text: str) -> None:
    facts.properties(text)
    facts.battery(text)
    facts.temperatures(text + THERMAL + text)
    facts.thermal_status(text)
    facts.free_kib(text)
    facts.memory_kib(text)
    facts.kilohertz(text)
    remedy(text)


@given(st.lists(st.text(min_size=1, max_size=60).filter(is_serial), min_size=2, max_size=6, unique=True))
def test_no_two_serials_share_a_folder(serials: list[str]) -> None:
    names = [safe_name(serial) for serial in serials]
    assert len(set(names)) == len(serials)
    assert all("/" not in name and ":" not in name and not name.startswith(".") for name in names)


def test_serials_that_are_none_are_refused() -> None:
    assert listed("a b a 1.2.3.4:5555") == ("a", "b", "1.2.3.4:5555")
    for text in ("", " ", "-x", "any a", "'a", "a\\", "''", "'a\nb'", "a" * 129):
        with pytest.raises(UsageError):
            listed(text)
    for text in ("", " ", "-x", "a\nb", "a\x1bb", "a" * 129):
        with pytest.raises(UsageError):
            single(text)
    with pytest.raises(UsageError, match="no closing quotation"):
        listed("adb-it's")


SERIAL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(is_serial)


@given(st.lists(SERIAL, min_size=1, max_size=4, unique=True))
def test_any_serials_are_a_list(serials: list[str]) -> None:
    assume(len(serials) == 1 or "any" not in serials)
    assert listed(joined(serials)) == tuple(serials)
    assert [single(serial) for serial in serials] == serials
    assert shlex.split(typed("DEVICES", joined(serials))) == [f"DEVICES={joined(serials)}"]


def test_devices_with_blanks_are_quoted() -> None:
    assert single(" adb-X (2)._adb-tls-connect._tcp ") == "adb-X (2)._adb-tls-connect._tcp"
    assert listed("'adb-X (2)._adb-tls-connect._tcp' R5CT [fe80::1%wlan0]:5555") == (
        *("adb-X (2)._adb-tls-connect._tcp", "R5CT", "[fe80::1%wlan0]:5555"),
    )
    network = ("1.2.3.4:5555", "[fe80::1%wlan0]:5555", "adb-X (2)._adb-tls-connect._tcp", "adb-X._adb._tcp.")
    assert all(is_network(serial) for serial in network)
    assert not any(is_network(serial) for serial in ("R5CT10ABC", "emulator-5554", "usb:1-1"))
    assert [is_address(serial) for serial in network] == [True, True, False, False]


def test_serials_as_folders() -> None:
    assert safe_name("R5CT10ABC") == "R5CT10ABC"
    assert safe_name("1.2.3.4:5555") != safe_name("1.2.3.4_5555")


def test_the_server_is_where_adb_would_look() -> None:
    assert server_address({}) == ("127.0.0.1", 5037)
    assert server_address({"ADB_SERVER_SOCKET": "tcp:host.docker.internal:5038"}) == ("host.docker.internal", 5038)
    assert server_address({"ANDROID_ADB_SERVER_HOST": "h", "ANDROID_ADB_SERVER_PORT": "1"}) == ("h", 1)
