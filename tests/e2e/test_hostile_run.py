"""Somebody else's run through every stage, here and in containers: nothing runs, nothing outside is read or written,
and whatever is wrong is one line."""

import csv
import io
import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from common.artifact import MOST_FILE_BYTES
from common.trust import VARIABLE
from tests.container.conftest import BUILD_TIMEOUT_S, Built
from tests.e2e.attacks import (
    ATTACKS,
    FLOAT16,
    REPORT,
    a_linked_stage,
    linked_checkpoints,
    linked_logs,
    linked_outputs,
    words,
)
from tests.e2e.conftest import Make
from tests.e2e.test_bad_input import job
from tests.e2e.theirs import EVIL, Outside, Theirs
from tests.unit.report.pages import Page, markdown_page

pytestmark = [pytest.mark.timeout(BUILD_TIMEOUT_S)]
# Where what a container sees makes a difference; documents are read by the same code there.
CONTAINED = ("makefiles", "code in the model", "a linked stage", "linked outputs", "answers elsewhere", "words")
CASES = [
    *(pytest.param(name, "local", marks=pytest.mark.slow) for name in ATTACKS),
    *(pytest.param(name, "docker", marks=pytest.mark.container) for name in CONTAINED),
]
Finished = tuple[Path, Path, str]


@pytest.fixture
def theirs(finished: Finished, tmp_path: Path) -> Theirs:
    shutil.copytree(finished[1], tmp_path / "runs" / "theirs", symlinks=True)
    return Theirs(finished[0], tmp_path / "runs" / "theirs")


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    found = Outside(tmp_path / "outside")
    found.folder.mkdir()
    found.secret.write_text("precious, without an end of line", encoding="utf-8")
    return found


@pytest.fixture(autouse=True)
def untrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def assert_untouched(outside: Outside) -> None:
    assert [path.name for path in outside.folder.iterdir()] == ["secret"]
    assert outside.secret.read_text(encoding="utf-8") == "precious, without an end of line"


def assert_quiet(text: str) -> None:
    """Nothing that a terminal obeys, no traceback, at most one error."""
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cf"} and c not in "\n\t"], text
    assert "Traceback" not in text
    assert len([line for line in text.splitlines() if line.startswith("error: ")]) <= 1, text


def assert_harmless(folder: Path) -> None:
    """A report, or a choice, whose words are words."""
    for path in (path for name in ("*.html", "*.md") for path in folder.glob(name)):
        text = path.read_text(encoding="utf-8")
        page = Page(text) if path.suffix == ".html" else markdown_page(text)
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        assert not {"script", "iframe", "a"} & set(page.tags) or path.suffix == ".html"
        # A summary goes below the title of the page of a job, and brings none of its own.
        assert page.tags.count("h1") == (path.name != "summary.md")
        assert_quiet(text)
    for path in folder.glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            assert not [cell for cell in row if cell.lstrip()[:1] in {*"=+@"} or cell[:1] in {"\t", "\r", " "}]


@pytest.mark.parametrize(("name", "runtime"), CASES)
def test_a_run_of_somebody_else(
    name: str, runtime: str, theirs: Theirs, outside: Outside, request: pytest.FixtureRequest
) -> None:
    make = request.getfixturevalue("make")
    if runtime == "docker":
        for image in ("training_image", "data_image", "files_image", "adb_image"):
            assert isinstance(request.getfixturevalue(image), Built)
    change, made, here, contained = ATTACKS[name]
    change(theirs, outside)
    (theirs.run / made).unlink(missing_ok=True)
    done = make("all", check=False, EXPERIMENT=theirs.experiment, RUN=theirs.run, RUNTIME=runtime)
    assert_untouched(outside)
    assert_quiet(done.stdout)
    told = here if runtime == "local" else contained
    assert (done.returncode == 0) == (told is None), done.stdout
    if told is None:
        assert (theirs.run / made).is_file()
        for folder in ("best", "report"):
            assert not [path for path in (theirs.run / folder).iterdir() if path.is_symlink()]
            assert_harmless(theirs.run / folder)
    else:
        [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
        assert told in line
        assert not (theirs.run / made).exists()


@pytest.mark.slow
def test_cleaning_removes_links_and_not_what_they_lead_to(theirs: Theirs, outside: Outside, make: Make) -> None:
    for change in (linked_logs, linked_checkpoints, linked_outputs, a_linked_stage):
        change(theirs, outside)
    (theirs.run / "more").symlink_to(outside.folder)
    for link in (theirs.run / "more", theirs.run / "best"):
        assert make("clean", check=False, RUN=link).returncode == 2
        assert make("clean", check=False, RUN=f"{link}/..").returncode == 2
    # The link that make did not write stays, and nothing behind it is touched.
    assert "holds files that make did not write, which stay (1 of them)" in make("clean", RUN=theirs.run).stdout
    assert [path.name for path in theirs.run.iterdir()] == ["more"]
    assert_untouched(outside)


@pytest.mark.slow
def test_results_of_somebody_else(theirs: Theirs, outside: Outside, tmp_path: Path) -> None:
    """Words that a results file holds, in every place that takes any: one at a time would take hours."""
    words(theirs, outside)
    path = theirs.run / REPORT

    def change(value: object) -> object:
        if isinstance(value, dict):
            told = {"title", "label", "source", "reason", "file", "reproduce", "facts", "sentences"}
            return {key: evil(inner) if key in told else change(inner) for key, inner in value.items()}
        return [change(inner) for inner in value] if isinstance(value, list) else value

    def evil(value: object) -> object:
        if isinstance(value, list):
            return [evil(inner) for inner in value]
        return value + EVIL if isinstance(value, str) else change(value)

    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    done = job("report", "--results", path, "--output", tmp_path / "shown")
    assert_quiet(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    assert_harmless(tmp_path / "shown")
    done = job("report", "--summary", tmp_path / "shown")
    assert_quiet(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_file_of_somebody_else_is_inspected(finished: Finished, tmp_path: Path) -> None:
    content = (finished[1] / FLOAT16 / "float16.tflite").read_bytes()
    spoken = (
        content.replace(b"conv2d", b"\x1b]0;x\x07")
        .replace(b"dense", b"\x1b[31m")
        .replace(b"serving", b"\xe2\x80\xae\x1b[2J")
    )
    assert spoken != content
    for number, data in enumerate((spoken, content[: len(content) // 2], b"\x1c\0\0\0TFL3" + b"\xff" * 4096, b"")):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(data)
        for arguments in ((path,), (path, finished[1] / FLOAT16 / "float16.tflite"), (path, "--json")):
            done = job("inspect", *arguments)
            assert_quiet(done.stdout + done.stderr)
            assert done.returncode == 0 or done.stderr.startswith("error: ")
    os.truncate(path, MOST_FILE_BYTES + 1)
    assert "2048 MiB allowed" in job("inspect", path).stderr
