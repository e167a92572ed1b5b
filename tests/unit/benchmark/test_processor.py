"""What a processor is, from texts of several kernels; and what is said when it is another one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.processor import INSTRUCTION_SETS, described, processor
from common.schema.benchmark import Cell, SessionLine
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark.changes import differences, why_again
from jobs.benchmark.host_facts import host_environment
from jobs.benchmark.wanted import Wanted, want

# Excerpts: flags that pick no kernels are shortened.
TURIN = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
stepping\t: 1
microcode\t: 0x1000065
flags\t\t: fpu sse sse2 avx f16c avx2 avx512f avx512dq avx_vnni avx512_bf16 avx512vbmi avx512_vnni avx512_bitalg
bugs\t\t: sysret_ss_attrs

processor\t: 1
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu sse sse2 avx f16c avx2 avx512f avx512dq avx_vnni avx512_bf16 avx512vbmi avx512_vnni avx512_bitalg
"""
MILAN = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu sse sse2 avx f16c avx2 bmi1 fsrm
"""
SAPPHIRE_RAPIDS = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
stepping\t: 8
flags\t\t: fpu avx2 avx512f avx_vnni avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
"""
GRAVITON3 = """processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimddp sve svei8mm svebf16 i8mm bf16 dgh rng
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd40
CPU revision\t: 1
"""
RASPBERRY_PI_4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

Revision\t: c03114
Serial\t\t: 100000001234abcd
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
PHONE = """Processor\t: AArch64 Processor rev 14 (aarch64)
processor\t: 0
Features\t: fp asimd evtstrm asimdhp asimddp
CPU implementer\t: 0x51
CPU architecture: 8
CPU variant\t: 0xd
CPU part\t: 0x805
CPU revision\t: 14

processor\t: 7
Features\t: fp asimd evtstrm asimdhp asimddp i8mm
CPU implementer\t: 0x51
CPU architecture: 8
CPU variant\t: 0xc
CPU part\t: 0x804
CPU revision\t: 14

Hardware\t: Qualcomm Technologies, Inc SM8150
"""


@pytest.mark.parametrize(
    ("text", "name", "identity", "sets"),
    [
        (TURIN, "AMD EPYC", ("AuthenticAMD", "26", "2", "1"), ("avx2", "avx512f", "avx512_vnni", "avx_vnni")),
        (MILAN, "AMD EPYC", ("AuthenticAMD", "25", "1", "1"), ("avx2",)),
        (
            SAPPHIRE_RAPIDS,
            "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            ("GenuineIntel", "6", "143", "8"),
            ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"),
        ),
        (GRAVITON3, None, ("0x41", "8", "0xd40", "1 0x1"), ("asimddp", "i8mm", "sve")),
        (RASPBERRY_PI_4, "Raspberry Pi 4 Model B Rev 1.4", ("0x41", "8", "0xd08", "3 0x0"), ()),
        (
            PHONE,
            "Qualcomm Technologies, Inc SM8150",
            ("0x51", "8", "0x805, 0x804", "14 0xd, 14 0xc"),
            ("asimddp",),
        ),
        ("", None, (None, None, None, None), None),
        ("processor: 0\nisa: rv64imafdc\nuarch: sifive,u74-mc\n", None, (None, None, None, None), None),
    ],
    ids=["turin", "milan", "sapphire-rapids", "graviton3", "pi4", "phone", "empty", "risc-v"],
)
def test_processors_are_read(
    text: str, name: str | None, identity: tuple[str | None, ...], sets: tuple[str, ...] | None
) -> None:
    found = processor(text)
    assert found.name == name
    assert (found.vendor, found.family, found.model, found.stepping) == identity
    assert found.instruction_sets == sets


def test_two_processors_of_one_name_are_told_apart() -> None:
    said = differences(described(processor(MILAN), "?"), described(processor(TURIN), "?"))
    assert "Instruction sets changed from avx2 to avx2, avx512f, avx512_vnni, avx_vnni" in said
    assert "CPU family changed from 25 to 26" in said
    assert not any("vendor" in line for line in said)


@given(st.text())
def test_no_text_is_a_traceback(text: str) -> None:
    found = processor(text)
    assert set(found.instruction_sets or ()) <= set(INSTRUCTION_SETS)
    assert all(value for _, value in described(found, "not readable"))


@given(st.lists(st.sets(st.sampled_from([*INSTRUCTION_SETS, "sse2", "xavx2", "avx2x"])), min_size=1, max_size=4))
def test_an_instruction_set_counts_when_every_core_has_it(cores: list[set[str]]) -> None:
    text = "\n".join(f"processor\t: {i}\nflags\t\t: lm {' '.join(sorted(have))}\n" for i, have in enumerate(cores))
    assert set(processor(text).instruction_sets or ()) == set.intersection(*cores) & set(INSTRUCTION_SETS)


def test_this_machine_is_known_and_the_load_is_no_lasting_fact() -> None:
    environment = host_environment()
    assert environment.processor == processor(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    assert environment.processor.instruction_sets is not None
    labels = [label for label, _ in environment.lasting]
    assert "Instruction sets" in labels
    assert not any("Load" in label for label in labels)
    assert len(labels) == len(environment.facts) - 1


FACTS = (("CPU", "AMD EPYC"), ("Instruction sets", "avx2"))


def wanted(settings: Settings, facts: tuple[tuple[str, str], ...] = FACTS, fingerprint: str = "a" * 64) -> Wanted:
    return want({"m": "0" * 64}, settings, reference="m", seed=1, fingerprint=fingerprint, facts=facts)


def session(of: Wanted) -> SessionLine:
    return SessionLine(
        session=0,
        seed=1,
        cells=(Cell(variant="m", model_sha256="0" * 64, backend="cpu", threads=1),),
        rounds=3,
        fingerprint=of.fingerprint,
        settings_sha256=of.settings_sha256,
        started_at=datetime.now(UTC),
        reference=of.reference,
        facts=of.facts,
        settings=of.settings,
    )


def test_what_changed_is_named_with_both_values() -> None:
    before = wanted(Settings())
    other = wanted(Settings(min_secs=0.7), (("CPU", "AMD EPYC"), ("Instruction sets", "avx2, avx512f")), "b" * 64)
    assert why_again([session(before)], before) is None
    assert why_again([], other) is None
    assert why_again([session(before), session(other)], before) is None
    assert why_again([session(before)], other) == (
        "note: Instruction sets changed from avx2 to avx2, avx512f; "
        f"[benchmark] min_secs changed from {Settings().min_secs} to 0.7; everything is measured again"
    )


def test_a_ledger_without_facts_says_as_much_as_it_can() -> None:
    before = session(wanted(Settings())).model_copy(update={"facts": (), "settings": ()})
    said = why_again([before], wanted(Settings(min_secs=0.7), fingerprint="b" * 64))
    assert said == "note: the machine is another one; [benchmark] was changed; everything is measured again"
    # What does not change how a process runs asks for nothing anew.
    assert why_again([before], wanted(Settings(profile=True))) is None
