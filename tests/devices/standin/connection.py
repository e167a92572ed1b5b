"""One connection of the adb server: the handshake, then streams, each served by a thread of its own."""

import contextlib
import os
import threading
from collections.abc import Callable

from tests.devices.standin.wire import MAX_PAYLOAD, VERSION, Closed, Command, Link, Packet, Stream

AUTH_TOKEN = 1
AUTH_SIGNATURE = 2
TOKEN_BYTES = 20

Service = Callable[[Stream], None]


class Connection:
    """Answers packets until the link breaks."""

    def __init__(
        self,
        link: Link,
        banner: Callable[[], str],
        authorized: Callable[[], bool],
        open_: Callable[[str], Service | None],
    ) -> None:
        """`banner` says who we are, `open_` finds the service of a name, None for one that does not exist."""
        self.link = link
        self._banner = banner
        self._authorized = authorized
        self._open = open_
        self._streams: dict[int, Stream] = {}
        self._next = 1
        self._lock = threading.Lock()

    def run(self) -> None:
        """Serve until the other side or a fault ends it."""
        answers = {
            Command.CNXN: self._greet,
            Command.AUTH: self._challenge,
            Command.OPEN: self._start,
            Command.OKAY: self._okay,
            Command.WRTE: self._data,
            Command.CLSE: self._closed,
        }
        try:
            while True:
                packet = self.link.receive()
                answer = answers.get(Command(packet.command)) if packet.command in set(Command) else None
                if answer:
                    answer(packet)
        except Closed:
            pass
        finally:
            self.link.close()
            for stream in list(self._streams.values()):
                stream.hang_up()

    def _greet(self, _: Packet) -> None:
        if self._authorized():
            self.link.send(Packet(Command.CNXN, VERSION, MAX_PAYLOAD, self._banner().encode()))
        else:
            self.link.send(Packet(Command.AUTH, AUTH_TOKEN, 0, os.urandom(TOKEN_BYTES)))

    def _challenge(self, packet: Packet) -> None:
        # A refused signature gets a new token; a public key waits for a finger on the screen, that is, for ever.
        if packet.first == AUTH_SIGNATURE:
            self._greet(packet)

    def _start(self, packet: Packet) -> None:
        service = self._open(packet.data.rstrip(b"\0").decode(errors="surrogateescape"))
        if service is None:
            self.link.send(Packet(Command.CLSE, 0, packet.first))
            return
        with self._lock:
            stream = Stream(self.link, self._next, packet.first)
            self._streams[self._next] = stream
            self._next += 1
        self.link.send(Packet(Command.OKAY, stream.local, stream.remote))
        threading.Thread(target=self._serve, args=(service, stream), daemon=True).start()

    def _serve(self, service: Service, stream: Stream) -> None:
        try:
            service(stream)
        except Closed:
            pass
        finally:
            if self._streams.pop(stream.local, None):
                with contextlib.suppress(Closed):
                    self.link.send(Packet(Command.CLSE, stream.local, stream.remote))
                # What the service started may still be writing.
                stream.hang_up()

    def _okay(self, packet: Packet) -> None:
        if stream := self._streams.get(packet.second):
            stream.taken()

    def _data(self, packet: Packet) -> None:
        if stream := self._streams.get(packet.second):
            stream.arrived(packet.data)

    def _closed(self, packet: Packet) -> None:
        if stream := self._streams.pop(packet.second, None):
            stream.hang_up()
            self.link.send(Packet(Command.CLSE, stream.local, stream.remote))
