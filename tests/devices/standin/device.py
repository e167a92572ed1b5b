"""The stand-in as a device on a port: connections, services by name, and faults of the whole device."""

import contextlib
import socket
import threading
import time
from dataclasses import replace
from types import TracebackType

from tests.devices.phone.personality import Personality, Storage, load
from tests.devices.standin.connection import Connection, Service
from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import Phone, Recording
from tests.devices.standin.programs.builtins import BUILTINS
from tests.devices.standin.programs.files import FILES
from tests.devices.standin.programs.filters import FILTERS
from tests.devices.standin.programs.services import ANDROID
from tests.devices.standin.programs.system import SYSTEM
from tests.devices.standin.services import shell
from tests.devices.standin.sync import Sync
from tests.devices.standin.tool import flood, run
from tests.devices.standin.wire import Closed, Link, Stream

LOOPBACK = "127.0.0.1"
KB = 1024


class StandIn:
    """A phone that the adb server can connect to. Use as a context manager, or call start() and stop()."""

    def __init__(self, personality: Personality | str = "pixel") -> None:
        """`personality` by value, or the name of a built-in one."""
        self.personality = load(personality) if isinstance(personality, str) else personality
        programs = {**FILES, **FILTERS, **SYSTEM, **ANDROID}
        self.phone = Phone(self.personality, programs, BUILTINS, run, on_fault=self._apply)
        self.port = 0
        self._authorized = True
        self._silent = False
        self._frozen = threading.Event()
        self._features = self.personality.features
        self._rate: int | None = None
        self._listener: socket.socket | None = None
        self._connections: list[Connection] = []
        self._lock = threading.Lock()
        self._stopped = False

    # ---- life ----------------------------------------------------------------------------------------
    @property
    def serial(self) -> str:
        """What adb calls it, and what `adb connect` takes."""
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> "StandIn":
        """Listen on a free port of the loopback interface."""
        self._listen()
        return self

    def stop(self) -> None:
        """Close everything and end every process."""
        self._stopped = True
        self._leave()
        for process in self.phone.processes:
            process.kill(9)

    def __enter__(self) -> "StandIn":
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    # ---- faults --------------------------------------------------------------------------------------
    def arm(self, fault: Fault) -> None:
        """Order a fault; one whose place is `now` happens at once."""
        if fault.place is Point.NOW:
            self.phone.faults.note(fault)
            self._apply(fault)
        else:
            self.phone.faults.arm(fault)

    def replay(self, recording: Recording) -> None:
        """Let the tool print a recorded run where the recording matches its command."""
        self.phone.recordings.append(recording)

    def heal(self) -> None:
        """End every fault of the device and forget the ones that wait."""
        self.phone.faults.disarm()
        self._authorized, self._silent, self._rate = True, False, None
        self.phone.survivors = False
        self.phone.processor.switch(range(len(self.personality.cores)), on=True)
        self.phone.apps = self.personality.apps
        self._features = self.personality.features
        self.phone.files.storage = self.personality.storage
        self._frozen.clear()
        self._drop()
        if self._listener is None and not self._stopped:
            self._listen()

    def _apply(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.VANISH:
                self._leave()
            case Kind.REBOOT | Kind.HOTPLUG | Kind.SURVIVORS | Kind.LOGCAT_FLOOD | Kind.APPS:
                self._happen(fault)
            case Kind.UNAUTHORIZED | Kind.OFFLINE | Kind.NO_SHELL_V2:
                self._change(fault.kind)
            case Kind.FROZEN:
                self._frozen.set()
            case Kind.SLOW_LINK:
                self._rate = fault.bytes_per_s
            case Kind.DISK_FULL:
                left_kb = fault.after_bytes // KB
                storage = self.personality.storage
                self.phone.files.storage = Storage(storage.total_kb, self.phone.files.used_kb() + left_kb)
            case _:
                raise ValueError(f"{fault.kind} belongs to a run of the tool, not to {fault.place}")
        if fault.seconds is not None and fault.kind is not Kind.LOGCAT_FLOOD:
            timer = threading.Timer(fault.seconds, self._recover, (fault,))
            timer.daemon = True
            timer.start()

    def _happen(self, fault: Fault) -> None:
        """What befalls the phone rather than its adbd."""
        if fault.kind is Kind.REBOOT:
            self._leave()
            self.phone.stop()
        elif fault.kind is Kind.HOTPLUG:
            self.phone.processor.switch(fault.cores, on=False)
        elif fault.kind is Kind.SURVIVORS:
            self.phone.survivors = True
        elif fault.kind is Kind.APPS:
            self.phone.apps = fault.apps
        else:
            threading.Thread(target=flood, args=(self.phone, fault.lines), daemon=True).start()

    def _change(self, kind: Kind) -> None:
        """What shows only to a server that connects anew."""
        if kind is Kind.UNAUTHORIZED:
            self._authorized = False
        elif kind is Kind.OFFLINE:
            self._silent = True
        else:
            self._features = tuple(name for name in self._features if name != "shell_v2")
        self._drop()

    def _recover(self, fault: Fault) -> None:
        kind = fault.kind
        if self._stopped:
            return
        if kind in (Kind.VANISH, Kind.REBOOT):
            if kind is Kind.REBOOT:
                self.phone.boot(fault.boot_s)
            if self._listener is None:
                self._listen()
        elif kind is Kind.HOTPLUG:
            self.phone.processor.switch(fault.cores, on=True)
        elif kind is Kind.DISK_FULL:
            self.phone.files.storage = self.personality.storage
        elif kind is Kind.SLOW_LINK:
            self._rate = None
        elif kind is Kind.APPS:
            self.phone.apps = self.personality.apps
        else:
            self._authorized, self._silent = True, False
            self._features = self.personality.features
            self._frozen.clear()
            self._drop()

    # ---- connections ---------------------------------------------------------------------------------
    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(accepted, self._pace)
            connection = Connection(link, self._banner, self._welcome, self._service)
            with self._lock:
                self._connections.append(connection)
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                if connection in self._connections:
                    self._connections.remove(connection)

    def _drop(self) -> None:
        with self._lock:
            dropped, self._connections = self._connections, []
        for connection in dropped:
            connection.link.close()

    def _leave(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                # Wakes the thread that accepts, which close() alone does not.
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._drop()

    def _pace(self, count: int) -> None:
        """Called for every packet: holds it up while frozen, and stretches it on a slow link."""
        while self._frozen.is_set() and not self._stopped:
            time.sleep(0.02)
        if self._rate:
            time.sleep(count / self._rate)

    def _welcome(self) -> bool:
        if self._silent:
            # Accepted, and never answered: the server calls that offline.
            while self._silent and not self._stopped:
                time.sleep(0.02)
            raise Closed
        return self._authorized

    def _banner(self) -> str:
        properties = self.phone.state.properties
        names = ("ro.product.name", "ro.product.model", "ro.product.device")
        facts = ";".join(f"{name}={properties.get(name, '')}" for name in names)
        return f"device::{facts};features={','.join(self._features)}"

    def _service(self, name: str) -> Service | None:
        head, _, command = name.partition(":")
        kind, *options = head.split(",")
        if kind == "shell" and "v2" in options:
            return shell(self.phone, command, framed=True) if "shell_v2" in self._features else None
        modern = "shell_v2" in self._features
        if kind == "shell" or (kind == "exec" and modern):
            return shell(self.phone, command, framed=False, terminal=not modern)
        if name == "sync:":
            return self._sync
        return self._root if name == "root:" else None

    def _root(self, stream: Stream) -> None:
        """What adbd says (restart_service.cpp of AOSP); one that may starts again, so that every connection breaks."""
        may = self.phone.state.properties.get("ro.debuggable") == "1"
        answer = "restarting adbd as root" if may else "adbd cannot run as root in production builds"
        stream.write(f"{answer}\n".encode())
        if may:
            threading.Timer(0.1, self._drop).start()

    def _sync(self, stream: Stream) -> None:
        Sync(self.phone, stream).run()


def paced(personality: Personality, pace: float) -> Personality:
    """The same phone, whose tool takes `pace` of the time that it says it took."""
    return replace(personality, timing=replace(personality.timing, pace=pace))
