"""What a container sees of the host: what was asked for, at its own path, read-only unless it is an output."""

import os
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.errors import UsageError
from jobs.launch.mounts import OWN, Bind, binds_for, prepare

CODE = (Path("/repo/jobs"), Path("/repo/common"))
PARTS = st.text(min_size=1, max_size=6).filter(lambda part: "/" not in part and "\0" not in part)
PATHS = st.tuples(st.booleans(), st.lists(PARTS, min_size=1, max_size=4)).map(
    lambda drawn: Path("/data", *drawn[1]) if drawn[0] else Path(*drawn[1])
)


def bind(path: str | Path, *, read_only: bool) -> Bind:
    return Bind(Path(path), read_only=read_only, source=Path(path))


def utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.lists(PATHS, max_size=4), st.lists(PATHS, max_size=4))
def test_every_path_is_mounted_once_at_its_own_place(read: list[Path], write: list[Path]) -> None:
    cwd = Path("/cwd")
    try:
        binds = binds_for(CODE, read, write, cwd)
    except UsageError:
        paths = [os.path.normpath(cwd / path) for path in (*read, *write)]
        odd = [path for path in paths if not utf8(Path(path)) or any(own.is_relative_to(path) for own in OWN)]
        assert odd
        return
    planned = {bind.path: bind.read_only for bind in binds}
    assert len(planned) == len(binds)
    wanted = {Path(os.path.normpath(cwd / path)) for path in (*read, *write)} | set(CODE)
    assert set(planned) == wanted
    assert {path for path, read_only in planned.items() if not read_only} == {
        Path(os.path.normpath(cwd / path)) for path in write
    }
    for position, bind in enumerate(binds):
        assert bind.path.is_absolute()
        # An inner folder mounted first would be hidden by the outer one.
        assert not any(later.path in bind.path.parents for later in binds[position:])


@given(st.lists(PATHS, min_size=1, max_size=4))
def test_code_stays_read_only_whatever_is_written(write: list[Path]) -> None:
    assume(all(utf8(path) for path in write))
    try:
        binds = binds_for(CODE, [], [*write, Path("/repo")], Path("/repo"))
    except UsageError:
        return
    assert {bind.read_only for bind in binds if bind.path in CODE} == {True}


@pytest.mark.parametrize("path", ["/", "/usr", "/opt", "/opt/venv", "/tmp", "/proc", "/etc/", "..", "/repo/../usr"])  # noqa: S108
def test_what_would_hide_the_container_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="would hide the container's own"):
        binds_for(CODE, [Path(path)], [], Path("/repo"))


def test_writing_the_code_is_refused() -> None:
    with pytest.raises(UsageError, match="holds the code"):
        binds_for(CODE, [], [Path("jobs")], Path("/repo"))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        binds_for(CODE, [Path(os.fsdecode(b"/data/\xff"))], [], Path("/repo"))


def test_a_path_that_is_read_and_written_is_writable() -> None:
    assert bind("/repo/out", read_only=False) in binds_for(CODE, [Path("out")], [Path("/repo/out")], Path("/repo"))


def test_going_up_from_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    with pytest.raises(UsageError, match="goes up from a symbolic link"):
        binds_for(CODE, [Path("link/../data")], [], tmp_path)
    # Up from a real folder is where it looks like.
    expected = Bind(tmp_path / "link", read_only=True, source=tmp_path / "far" / "away")
    assert binds_for((), [Path("far/../link")], [], tmp_path) == (expected,)


def test_inputs_must_exist_before_an_output_is_made(tmp_path: Path) -> None:
    out = bind(tmp_path / "deep" / "out", read_only=False)
    with pytest.raises(UsageError, match="none does not exist"):
        prepare([out, bind(tmp_path / "none", read_only=True)])
    assert list(tmp_path.iterdir()) == []
    prepare([out])
    assert out.path.is_dir()
    prepare([out])


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        prepare([bind(tmp_path / "file", read_only=False)])
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("target", ["/", "/usr", "/etc", "home"])
def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path, target: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "x").symlink_to(tmp_path / target)
    for path in ("x", "x/deep/out"):
        with pytest.raises(UsageError, match=r"goes through a symbolic link to|would hide the container's own"):
            binds_for(CODE, [], [Path(path)], tmp_path)
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("target", ["/", "/usr", "/etc", "/tmp"])  # noqa: S108
def test_nothing_of_the_hosts_system_is_read_through_a_symbolic_link(tmp_path: Path, target: str) -> None:
    (tmp_path / "x").symlink_to(target)
    with pytest.raises(UsageError, match=r"x would hide the container's own"):
        binds_for(CODE, [Path("x")], [], tmp_path)


def test_a_link_is_followed_when_it_is_checked_and_not_again(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "x").symlink_to(tmp_path / "photos")
    [planned] = binds_for((), [Path("x")], [], tmp_path)
    (tmp_path / "x").unlink()
    (tmp_path / "x").symlink_to("/")
    assert planned.source == tmp_path / "photos"
