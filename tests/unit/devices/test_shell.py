"""The stand-in's shell against a real one, and its programs."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.standin.device import StandIn
from tests.devices.standin.shell.interpreter import Files, Shell

# Each gives the same output and exit status in every POSIX shell.
SCRIPTS = (
    "echo a  b 'c  d' \"e  f\"",
    "x='a b'; echo $x; echo \"$x\"; printf '%s|' $x \"$x\"",
    "false; echo $?; true && echo yes || echo no; false && echo yes || echo no",
    "(exit 7); echo $?; ! true; echo $?",
    "for i in 1 2 3; do echo n$i; done; for x in; do echo never; done; echo end",
    "if false; then echo a; elif true; then echo b; else echo c; fi",
    "echo one >/dev/null; echo two 2>/dev/null; { echo three; echo four >&2; } 2>&1",
    'sh -c \'"$0" "$@"; exit $?\' echo "a b" c; echo $?',
    "sh -c 'exit 42'; echo \"rc=$?\"",
    "echo $(echo nested $(echo deep)) `echo old`",
    "A=1 sh -c 'echo x$A'; echo y$A",
    'set -- a \'b c\' d; echo $#; for w in "$@"; do echo "[$w]"; done; shift; echo $1',
    "echo 'quoted $HOME `no`' \"$(echo 'in \"side\"')\"",
    "printf 'a\\nb\\nc\\n' | grep -v b | wc -l | tr -d ' ' || true",
    'x=; echo "${x:-default}" ${y:-other}',
    "echo a;echo b;\necho c # comment\necho 'd # not'",
    'i=x; while [ "$i" != xxxx ]; do i=x$i; done; echo $i',
    "[ -z '' ] && [ -n a ] && [ 3 -gt 2 ] && test a = a && echo all",
    "true | false; echo $?; false | true; echo $?",
    "exit 300",
)


def run(source: str, device: StandIn) -> tuple[int, bytes, bytes]:
    """A command line in the stand-in's shell."""
    out, err = bytearray(), bytearray()
    shell = Shell(device.phone, device.phone.processes.start(("sh",)))
    status = shell.run(source, Files(lambda: b"", out.extend, err.extend))
    return status & 0xFF, bytes(out), bytes(err)


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_agrees_with_a_real_shell(script: str) -> None:
    if "tr -d" in script:
        script = script.replace(" | tr -d ' ' || true", "")
    real = subprocess.run([shutil.which("sh") or "sh", "-c", script], capture_output=True)
    status, out, _ = run(script, StandIn())
    assert (status, out.split(), out.count(b"\n")) == (real.returncode, real.stdout.split(), real.stdout.count(b"\n"))


@pytest.mark.parametrize("script", ["echo 'open", "if true; then echo a", "( echo", "echo $(", "|", "for; do"])
def test_a_syntax_error_is_a_message_and_status_1(script: str) -> None:
    status, _, err = run(script, StandIn())
    assert status == 1
    assert b"syntax error" in err


@given(st.text(st.sampled_from("ab$\"'`\\;&|<>(){}! #\n=1*~-"), max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_command_line_breaks_it(script: str) -> None:
    status, _, _ = run(script, StandIn())
    assert 0 <= status <= 255


def test_background_jobs_can_be_killed_and_waited_for() -> None:
    device = StandIn()
    assert run("sleep 60 & kill $!; wait $!; echo $?", device)[1] == b"143\n"
    assert run("timeout 0.1 sleep 60; echo $?", device)[1] == b"124\n"
    assert [process.argv for process in device.phone.processes if process.argv[0] == "sleep"] == []


def test_files_and_space() -> None:
    device = StandIn()
    assert (
        run("mkdir -p /data/local/tmp/a/b && echo x > /data/local/tmp/a/b/f && cat /data/local/tmp/a/*/f", device)[1]
        == b"x\n"
    )
    assert run("rm /data/local/tmp/a", device)[0] == 1
    assert run("rm -rf /data/local/tmp/a; ls /data/local/tmp", device) == (0, b"", b"")
    assert run("echo x > /system/x", device)[0] == 1
    assert b"61000000" in run("df -k /data/local/tmp", device)[1]
    run("dd if=/dev/zero of=/data/local/tmp/z bs=1M count=3", device)
    assert b"60996928" in run("df -k /data/local/tmp", device)[1]


def test_binaries_need_the_right_and_the_abi() -> None:
    from tests.devices.standin.phone import fake_binary

    device = StandIn()
    device.phone.files.add("/data/local/tmp/t", fake_binary("arm64-v8a"), 0o100644)
    assert run("/data/local/tmp/t", device)[0] == 126
    assert run("chmod 755 /data/local/tmp/t; /data/local/tmp/t --help=true", device)[0] == 1
    device.phone.files.add("/data/local/tmp/t", fake_binary("x86_64"), 0o100755)
    status, _, err = run("/data/local/tmp/t", device)
    assert (status, b"not executable: 64-bit ELF file" in err) == (126, True)
    device.phone.files.add("/sdcard/t", fake_binary(), 0o100755)
    assert run("/sdcard/t", device)[0] == 126
