"""The command line: what it prints and how it exits."""

import hashlib
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.dataset import read_card
from tests.command import command
from tests.unit.dataset.pictures import experiment_text, photos, write_files, zipped

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def experiment(tmp_path: Path) -> str:
    path = tmp_path / "test.toml"
    path.write_text(experiment_text(), encoding="utf-8")
    return str(path)


def test_a_folder_given_on_the_command_line(tmp_path: Path, experiment: str) -> None:
    photos_folder = write_files(tmp_path / "two words", photos(6))
    argv = [sys.executable, "-m", "jobs.dataset", "--experiment", experiment, "--output", str(tmp_path / "out")]
    argv += ["--data", str(photos_folder)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "train: " in done.stdout
    assert "colour alone: accuracy" in done.stdout
    assert done.stderr == ""
    assert read_card(tmp_path / "out").source == str(photos_folder)


def test_a_url(tmp_path: Path, experiment: str) -> None:
    served = write_files(tmp_path / "served", {"photos.zip": zipped(photos(6))})
    digest = hashlib.sha256((served / "photos.zip").read_bytes()).hexdigest()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/photos.zip"
    common = ("--experiment", experiment, "--output", str(tmp_path / "out"), "--data", url)
    try:
        without = command("dataset", *common)
        right = command("dataset", *common, "--data-sha256", digest)
    finally:
        server.shutdown()
        server.server_close()
    assert without.returncode == 2
    assert "needs its sha256" in without.stderr
    assert right.returncode == 0, right.stderr
    card = read_card(tmp_path / "out")
    assert (card.source_kind, card.source) == ("url", url)
    assert not [path for path in (tmp_path / "out").iterdir() if "download" in path.name]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--data", "no/such/folder"), "does not exist"),
        (("--data-sha256", "0" * 64), "without --data"),
        (("--data", "x", "--data-sha256", "abc"), "sha256"),
    ],
)
def test_wrong_arguments_are_one_line(
    tmp_path: Path, experiment: str, arguments: tuple[str, ...], complaint: str
) -> None:
    done = command("dataset", "--experiment", experiment, "--output", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
