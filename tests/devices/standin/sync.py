"""The sync service: push, pull, stat and list (specification: AOSP SYNC.TXT, file_sync_protocol.h)."""

import stat
import struct
from collections.abc import Callable

from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.filesystem import Node
from tests.devices.standin.phone import Phone
from tests.devices.standin.wire import Closed, Stream

REQUEST = struct.Struct("<4sI")
STAT_V1 = struct.Struct("<III")
STAT_V2 = struct.Struct("<IQQIIIIQqqq")
PATH_LIMIT = 1024
CHUNK = 64 << 10


class Sync:
    """One sync session."""

    def __init__(self, phone: Phone, stream: Stream) -> None:
        """`phone`'s files through `stream`."""
        self._phone, self._stream = phone, stream
        self._files = phone.files

    def run(self) -> None:
        """Answer requests until QUIT or a failure."""
        answers: dict[bytes, Callable[[str], bool]] = {
            b"STAT": self._stat,
            b"STA2": lambda path: self._stat2(b"STA2", path, follow=True),
            b"LST2": lambda path: self._stat2(b"LST2", path, follow=False),
            b"LIST": lambda path: self._list(path, long=False),
            b"LIS2": lambda path: self._list(path, long=True),
            b"RECV": self._send_file,
            b"SEND": self._receive_file,
        }
        while True:
            word, length = REQUEST.unpack(self._stream.exactly(REQUEST.size))
            if word == b"QUIT":
                return
            if length > PATH_LIMIT:
                self._fail("path too long")
                return
            path = self._stream.exactly(length).decode(errors="surrogateescape")
            answer = answers.get(word)
            if answer is None:
                self._fail(f"unknown command {int.from_bytes(word, 'little'):08x}")
                return
            if not answer(path):
                return

    def _fail(self, message: str) -> bool:
        data = message.encode()
        self._stream.write(REQUEST.pack(b"FAIL", len(data)) + data)
        return False

    def _stat(self, path: str) -> bool:
        try:
            node = self._files.node(path, follow=False)
        except OSError:
            self._stream.write(b"STAT" + bytes(STAT_V1.size))
            return True
        self._stream.write(b"STAT" + STAT_V1.pack(node.mode, len(node.data), node.modified))
        return True

    def _stat2(self, word: bytes, path: str, *, follow: bool) -> bool:
        self._stream.write(word + self._details(path, follow=follow))
        return True

    def _details(self, path: str, *, follow: bool) -> bytes:
        try:
            node = self._files.node(path, follow=follow)
        except OSError as error:
            return STAT_V2.pack(error.errno or 0, *[0] * 10)
        return STAT_V2.pack(0, 1, 1, node.mode, 1, node.uid, node.uid, len(node.data), *[node.modified] * 3)

    def _list(self, path: str, *, long: bool) -> bool:
        answer = bytearray()
        try:
            names = [".", "..", *self._files.children(path)]
        except OSError:
            names = []
        for name in names:
            inner = path if name in (".", "..") else f"{path.rstrip('/')}/{name}"
            encoded = name.encode(errors="surrogateescape")
            if long:
                answer += b"DNT2" + self._details(inner, follow=False) + struct.pack("<I", len(encoded)) + encoded
            else:
                node = self._files.node(inner, follow=False)
                facts = STAT_V1.pack(node.mode, len(node.data), node.modified)
                answer += b"DENT" + facts + struct.pack("<I", len(encoded)) + encoded
        self._stream.write(bytes(answer) + b"DONE" + bytes(STAT_V2.size + 4 if long else 16))
        return True

    def _send_file(self, path: str) -> bool:
        fault = self._vanishing(Point.PULL, path)
        try:
            data = self._phone.read(path)
        except OSError as error:
            return self._fail(f"open failed: {error.strerror}")
        for start in range(0, len(data), CHUNK):
            part = data[start : start + CHUNK]
            if fault and start + len(part) > fault.after_bytes:
                self._vanish(fault)
            self._stream.write(REQUEST.pack(b"DATA", len(part)) + part)
        if fault:
            self._vanish(fault)
        self._stream.write(REQUEST.pack(b"DONE", 0))
        return True

    def _receive_file(self, request: str) -> bool:
        path, _, mode_text = request.rpartition(",")
        mode = int(mode_text, 0)
        fault = self._vanishing(Point.PUSH, path)
        problem = self._prepare(path)
        if problem:
            self._fail(problem)
        content = bytearray()
        while True:
            word, length = REQUEST.unpack(self._stream.exactly(REQUEST.size))
            if word == b"DONE":
                break
            if word != b"DATA":
                return self._fail("invalid data message")
            content += self._stream.exactly(length)
            if fault and len(content) >= fault.after_bytes:
                # What arrived stays on the device, as it does with adbd.
                self._store(path, bytes(content[: fault.after_bytes]), mode)
                self._vanish(fault)
            if not problem and (problem := self._space(path, len(content))):
                self._fail(problem)
        if problem:
            return False
        problem = self._store(path, bytes(content), mode, modified=length)
        if problem:
            return self._fail(problem)
        self._stream.write(REQUEST.pack(b"OKAY", 0))
        return True

    def _prepare(self, path: str) -> str:
        """Make the folders above; what adbd says where that fails."""
        above = path.rpartition("/")[0] or "/"
        try:
            if not self._files.exists(above):
                self._files.make_folder(above, parents_too=True)
        except OSError as error:
            return f"secure_mkdirs failed: {error.strerror}"
        try:
            if stat.S_ISLNK(self._files.node(path, follow=False).mode):
                self._files.remove(path)
        except OSError:
            pass
        return self._store(path, b"", 0o644)

    def _space(self, path: str, size: int) -> str:
        if size <= self._files.free().free_kb * 1024:
            return ""
        return "write failed: No space left on device"

    def _store(self, path: str, data: bytes, mode: int, modified: int | None = None) -> str:
        try:
            if stat.S_ISLNK(mode):
                self._files.link(path, data.rstrip(b"\0").decode())
                return ""
            self._files.write(path, data, _spread(mode))
            if modified is not None:
                node: Node = self._files.node(path)
                node.modified = modified
        except OSError as error:
            return f"couldn't create file: {error.strerror}"
        return ""

    def _vanishing(self, point: Point, path: str) -> Fault | None:
        orders = self._phone.due(point, path)
        for fault in orders:
            if fault.kind is not Kind.VANISH:
                self._phone.on_fault(fault)
        return next((fault for fault in orders if fault.kind is Kind.VANISH), None)

    def _vanish(self, fault: Fault) -> None:
        self._phone.on_fault(fault)
        raise Closed


def _spread(mode: int) -> int:
    """adbd gives the group and the others what the owner has."""
    mode &= 0o777
    return mode | (mode >> 3 & 0o070) | (mode >> 3 & 0o007)
