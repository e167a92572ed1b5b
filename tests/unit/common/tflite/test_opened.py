"""A file's bytes, of which a small part is in memory at a time."""

from pathlib import Path

import pytest

from common.tflite.opened import leave, opened, pieces

MIB = 1 << 20


def mapped_bytes() -> int:
    """What this process holds of files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("RssFile"))


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 18) + 5])
def test_pieces_are_the_whole(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    path = tmp_path / "file"
    path.write_bytes(content[:size])
    assert b"".join(pieces(opened(path))) == content[:size]
    assert b"".join(pieces(content[:size])) == content[:size]


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(64 * MIB))
    held = opened(path)
    before = mapped_bytes()
    most = max(mapped_bytes() - before for piece in pieces(held) if not any(piece[::4096]))
    assert most < 8 * MIB
    # Whoever looks all over it has it as a whole, until it is left.
    assert not any(held[::4096])
    assert mapped_bytes() - before > 32 * MIB
    leave(held)
    assert mapped_bytes() - before < 8 * MIB
