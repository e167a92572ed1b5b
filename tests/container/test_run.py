"""A job in a container: what it can reach, what comes back, and what is left behind."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.artifacts import EXPERIMENT
from tests.container.conftest import BUILD_TIMEOUT_S, Built, Launcher, containers, docker, stranger

pytestmark = [pytest.mark.container, pytest.mark.timeout(BUILD_TIMEOUT_S), pytest.mark.usefixtures("adb_image")]
MEMORY_FILES = "/sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes"
CPU_FILES = "/sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us"


def status_of(text: str) -> dict[str, str]:
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_the_exit_status_is_passed_on_and_the_streams_are_apart(launcher: Launcher, token: str, status: int) -> None:
    done = launcher.job("sh", "-c", f"echo out; echo err >&2; exit {status} # {token}")
    assert (done.returncode, done.stdout, done.stderr) == (status, "out\n", "err\n")
    assert containers(token) == []


def test_a_job_may_do_nothing_but_its_work(launcher: Launcher) -> None:
    done = launcher.job("cat", "/proc/self/status")
    status = status_of(done.stdout)
    assert {status[f"Cap{kind}"] for kind in ("Eff", "Prm", "Inh", "Bnd", "Amb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Uid"].split() == [str(os.getuid())] * 4


def test_there_is_no_network_unless_asked_for(launcher: Launcher) -> None:
    script = "ls /sys/class/net; grep -c nameserver /etc/resolv.conf"
    assert launcher.job("ls", "/sys/class/net").stdout.split() == ["lo"]
    assert launcher.job("sh", "-c", script, options=("--network",)).stdout.split() == ["eth0", "lo", "1"]
    refused = launcher.job("python", "-c", "import socket; socket.create_connection(('1.1.1.1', 53), 5)")
    assert "Network is unreachable" in refused.stderr


def test_the_callers_environment_stays_outside(launcher: Launcher, adb_image: Built) -> None:
    done = launcher.job("env", AWS_PROFILE="hunter2", EDGEPROOF_DEBUG="1")
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert "hunter2" not in done.stdout
    assert seen["EDGEPROOF_IMAGE"] == adb_image.id
    assert seen["EDGEPROOF_DEBUG"] == "1"
    assert "EDGEPROOF_COMMIT" in seen


def test_only_what_was_named_is_there_and_only_outputs_can_be_written(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("input", encoding="utf-8")
    (tmp_path / "other").mkdir()
    script = f"""
        for path in {launcher.root}/jobs/x {launcher.root}/common/x {tmp_path}/in/x /x /opt/venv/x; do
          touch $path 2>/dev/null && echo "wrote $path"
        done
        ls -A {tmp_path}; ls -A {launcher.root}; cat {tmp_path}/in/file; touch {tmp_path}/out/x /tmp/x
    """
    options = ("--read", f"{tmp_path}/in", "--write", f"{tmp_path}/out")
    done = launcher.job("sh", "-c", script, options=options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "in\nout\ncommon\njobs\ninput"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x"]


def test_awkward_paths_links_and_nested_folders_mean_the_same_inside(launcher: Launcher, tmp_path: Path) -> None:
    odd = tmp_path / "a b:c,d=e'\"é"
    (odd / "run").mkdir(parents=True)
    (odd / "run" / "file").write_text("there", encoding="utf-8")
    (tmp_path / "link").symlink_to(odd)
    run, out = tmp_path / "link" / "run", odd / "run" / "deep" / "out"
    options = ("--read", str(run), "--write", str(out), "--read", str(odd))
    script = 'cat "$1/file" "$2/run/file" && echo made >"$2/run/deep/out/new" && ! touch "$1/no" && ! touch "$2/run/no"'
    done = launcher.job("sh", "-c", script, "sh", str(run), str(odd), options=options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "therethere"
    assert (odd / "run" / "deep" / "out" / "new").read_text(encoding="utf-8") == "made\n"


def test_relative_paths_start_where_the_launcher_was_called(checkout: Launcher) -> None:
    (checkout.root / "experiments").mkdir(mode=0o755)
    (checkout.root / "experiments" / "demo.toml").write_text("seed = 1\n", encoding="utf-8")
    done = checkout.job("cat", "experiments/demo.toml", options=("--read", "experiments/demo.toml"))
    assert (done.returncode, done.stdout) == (0, "seed = 1\n"), done.stderr


def test_what_a_job_writes_belongs_to_the_caller(checkout: Launcher) -> None:
    script = "id -u; mkdir runs/out/sub; echo x >runs/out/sub/f"
    done = checkout.job("sh", "-c", script, options=("--write", "runs/out"))
    assert (done.returncode, done.stdout) == (0, f"{checkout.owner}\n"), done.stderr
    for path in ("runs", "runs/out", "runs/out/sub", "runs/out/sub/f"):
        assert (checkout.root / path).stat().st_uid == checkout.owner


def test_an_input_that_is_not_there_is_refused(launcher: Launcher, tmp_path: Path) -> None:
    options = ("--read", str(tmp_path / "none"), "--write", str(tmp_path / "out"))
    done = launcher.job("true", options=options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path}/none does not exist (check --read)\n"
    assert not (tmp_path / "out").exists()


def test_limits_reach_the_kernel(launcher: Launcher) -> None:
    script = f"cat {MEMORY_FILES} {CPU_FILES} 2>/dev/null"
    done = launcher.job("sh", "-c", script, EDGEPROOF_MEMORY="256m", EDGEPROOF_CPUS="0.5")
    memory, cpu = done.stdout.splitlines()
    assert int(memory) == 256 << 20
    assert cpu.split()[0] == "50000"


def test_a_job_killed_for_memory_is_told_so_in_one_line(launcher: Launcher, token: str) -> None:
    done = launcher.job("python", "-c", f"b'x' * 10**9 # {token}", EDGEPROOF_MEMORY="64m")
    assert done.returncode == 137
    hint = "raise EDGEPROOF_MEMORY, or lower the batch size"
    assert done.stderr == f"error: killed, out of memory: the limit is 64 MiB ({hint})\n"
    assert containers(token) == []


def test_a_job_that_kills_itself_is_not_called_out_of_memory(launcher: Launcher) -> None:
    done = launcher.job("sh", "-c", "kill -KILL $$")
    assert (done.returncode, done.stderr) == (137, "")


def test_much_output_arrives_whole(launcher: Launcher, tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(bytes(range(32, 127)) * 200_000)"
    done = launcher.job("python", "-c", code)
    assert hashlib.sha256(done.stdout.encode()).digest() == hashlib.sha256(bytes(range(32, 127)) * 200_000).digest()


def test_a_command_that_the_image_lacks_is_one_line(launcher: Launcher, token: str) -> None:
    done = launcher.job("no-such-command", token)
    assert done.returncode == 127
    assert done.stderr == "error: no-such-command cannot be run in the image: No such file or directory\n"


def test_an_engine_that_refuses_is_one_line(launcher: Launcher, tmp_path: Path) -> None:
    done = launcher.job("true", options=("--write", str(tmp_path), "--read", "/proc/self/status"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: the container could not be started: ")
    assert done.stderr.count("\n") == 1
    assert docker("ps", "--all", "--quiet", "--filter", "label=edgeproof.run", "--filter", "status=created") == ""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become a user without access")
def test_a_user_without_access_is_told_so(checkout: Launcher) -> None:
    done = Launcher(checkout.root, checkout.owner, stranger(str(checkout.owner)), checkout.environment).call("probe")
    assert done.returncode == 75
    assert "permission denied (add yourself to the group docker" in done.stderr


def test_no_folder_of_the_host_is_written_through_a_link(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "x").symlink_to(tmp_path / "home")
    (tmp_path / "root").symlink_to("/")
    for name in ("x", "x/train", "root"):
        done = launcher.job("touch", str(tmp_path / name / "pwned"), options=("--write", str(tmp_path / name)))
        assert done.returncode == 2
        assert "symbolic link" in done.stderr or "would hide" in done.stderr
    assert list((tmp_path / "home").iterdir()) == []


def test_a_stage_sees_what_its_own_arguments_name(launcher: Launcher, tmp_path: Path) -> None:
    experiment = tmp_path / "tiny.toml"
    experiment.write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "variants").mkdir()
    arguments = ("--experiment", str(experiment), "--variants", str(tmp_path / "variants"))
    done = launcher.call("stage", "benchmark", "--", *arguments, "--output", str(tmp_path / "out"))
    # The experiment was read and the folder looked into: there is no variant in it.
    assert done.returncode == 2
    assert "baseline/variant.json" in done.stderr
    assert done.stderr.count("\n") == 1
    assert launcher.call("stage", "toaster", "--", "x").stderr.startswith("error: toaster is no stage (give one of ")
