"""The two images, built for real."""

import json
import os
import re
from pathlib import Path

import pytest

from common.provenance import ROOT, VERSION
from tests.container.conftest import BUILD_TIMEOUT_S, Built, Launcher, build, docker

pytestmark = [pytest.mark.container, pytest.mark.timeout(2 * BUILD_TIMEOUT_S)]
MB = 10**6
ADB_BAR_BYTES = 250 * MB


@pytest.fixture(params=["adb", "training", "files", "data"])
def image(request: pytest.FixtureRequest) -> Built:
    """Each image in turn."""
    built: Built = request.getfixturevalue(f"{request.param}_image")
    return built


def dockerfile(name: str) -> str:
    return (ROOT / "docker" / ("files" if name == "data" else name) / "Dockerfile").read_text(encoding="utf-8")


def test_an_image_is_nobodys_and_says_what_it_is(image: Built) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.user)
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in image.labels.items()}
    assert labels["title"] == f"edgeproof-{image.name}"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == VERSION
    default = re.search("^ARG BASE_IMAGE=(.*@sha256:[0-9a-f]{64})$", dockerfile(image.name), re.MULTILINE)
    assert default is not None
    assert labels["base.name"] == (os.environ.get("BASE_IMAGE") or default[1])
    assert {"source", "description"} <= set(labels)
    assert re.fullmatch(r"[0-9a-f]{64}", image.labels["edgeproof.identity"])


def test_an_image_holds_no_code_of_the_project_and_no_installer(image: Built) -> None:
    script = "find / -xdev -path /proc -prune -o -name 'experiment.py' -print | grep common; ls /opt/venv/bin/pip; true"
    seen = docker("run", "--rm", "--network", "none", image.id, "sh", "-c", f"({script}) 2>/dev/null")
    assert seen == ""


def test_the_adb_image_is_slim(adb_image: Built) -> None:
    added = adb_image.size_bytes - adb_image.base_size_bytes
    assert 0 < added < ADB_BAR_BYTES, f"{added / MB:.0f} MB"


def test_the_adb_image_has_what_the_benchmark_needs(launcher: Launcher, adb_image: Built) -> None:
    imports = "import ai_edge_litert.interpreter, adbutils, pydantic, filelock, numpy; import jobs.benchmark.stage"
    done = launcher.job("sh", "-c", f"adb version && python -c '{imports}' && which adb")
    assert done.returncode == 0, done.stderr
    assert "Android Debug Bridge" in done.stdout


def test_an_image_is_reused_and_its_id_file_keeps_its_time(
    launcher: Launcher, adb_image: Built, tmp_path: Path
) -> None:
    path = tmp_path / "adb.iid"
    first = launcher.call("build", "adb", "--iidfile", str(path))
    written = path.stat().st_mtime_ns
    second = launcher.call("build", "adb", "--iidfile", str(path))
    assert first.stderr == second.stderr == ""
    assert path.read_text(encoding="utf-8") == adb_image.id == second.stdout.strip()
    assert path.stat().st_mtime_ns == written


def test_two_that_ask_at_once_build_once(checkout: Launcher, adb_image: Built, token: str) -> None:
    with (checkout.root / "docker" / "adb" / "Dockerfile").open("a", encoding="utf-8") as stream:
        stream.write(f'LABEL edgeproof.test="{token}"\n')
    both = [checkout.start(["build", "adb"]) for _ in range(2)]
    results = [process.communicate(timeout=BUILD_TIMEOUT_S) for process in both]
    image_id = results[0][0].strip()
    try:
        assert [process.returncode for process in both] == [0, 0], results
        assert results[1][0].strip() == image_id != adb_image.id
        assert sum(errors.count("+ docker build") + errors.count("docker build --") for _, errors in results) == 1
        assert json.loads(docker("image", "inspect", image_id))[0]["Config"]["Labels"]["edgeproof.test"] == token
    finally:
        docker("image", "rm", image_id)


def test_a_changed_lock_makes_another_image(checkout: Launcher, adb_image: Built) -> None:
    lock = checkout.root / "docker" / "adb" / "requirements.txt"
    lock.write_text("", encoding="utf-8")
    # Without packages there is no adbutils, which the build then says.
    done = checkout.call("build", "adb", timeout_s=BUILD_TIMEOUT_S)
    assert done.returncode == 1
    assert "No module named 'adbutils'" in done.stderr
    assert build(Launcher(ROOT), "adb").id == adb_image.id


def test_tools_for_devices_are_no_matter_of_the_image(checkout: Launcher, adb_image: Built) -> None:
    """The publisher of a tool replaced it: that is nothing to a run on this machine."""
    sums = f'size_bytes = 1\nsha256 = "{"0" * 64}"\n'
    entry = '[[binary]]\nname = "tool"\ntool = "benchmark_model"\ndialect = "classic"\nabi = "arm64-v8a"\n'
    lock = checkout.root / "docker" / "adb" / "binaries.toml"
    lock.write_text(f'{entry}url = "http://127.0.0.1:9/tool"\n{sums}', encoding="utf-8")
    done = checkout.call("build", "adb", timeout_s=BUILD_TIMEOUT_S)
    assert (done.returncode, done.stdout.strip()) == (0, adb_image.id), done.stderr


def test_a_tampered_hash_fails_the_build(checkout: Launcher, adb_image: Built) -> None:
    lock = checkout.root / "docker" / "adb" / "requirements.txt"
    # Small, so that the refusal comes soon.
    lock.write_text(f"retry2==0.9.5 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    done = checkout.call("build", "adb", timeout_s=BUILD_TIMEOUT_S)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: building edgeproof-adb:")
    assert "was not what the lock file names" in last


def test_a_base_that_cannot_be_fetched_is_named(launcher: Launcher) -> None:
    done = launcher.call("build", "adb", environment={"BASE_IMAGE": "registry.invalid/python:3.11"})
    assert done.returncode == 1
    assert "name one that this engine has in BASE_IMAGE" in done.stderr.splitlines()[-1]


def test_no_docker_command_is_a_clear_line(launcher: Launcher, adb_image: Built) -> None:
    # The identity is new, so there is something to build.
    environment = {"EDGEPROOF_TENSORFLOW": "cuda", "DOCKER": "no-such-docker"}
    done = launcher.call("build", "training", environment=environment)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: no-such-docker cannot be run: No such file")
