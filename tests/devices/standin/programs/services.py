"""Android's own programs over the stand-in's state, files and processes."""

import threading

from tests.devices.phone import android, system
from tests.devices.phone.logcat import Log
from tests.devices.phone.personality import Apps
from tests.devices.standin.filesystem import KB
from tests.devices.standin.phone import Call, Program
from tests.devices.standin.tool import start_app


class _System:
    """The phone as Android's programs see it, from one process."""

    def __init__(self, call: Call) -> None:
        self._call = call

    @property
    def state(self) -> system.State:
        return self._call.phone.state

    @property
    def log(self) -> Log:
        return self._call.phone.log

    @property
    def apps(self) -> Apps:
        return self._call.phone.apps

    def write_log(self, level: str, tag: str, text: str) -> None:
        self._call.phone.write_log(self._call.process.pid, level, tag, text)

    def read(self, path: str) -> bytes:
        return self._call.phone.read(self._call.shell.path(path))

    def free_bytes(self) -> int:
        return self._call.phone.files.free().free_kb * KB

    def start_app(self, package: str, given: str) -> None:
        threading.Thread(target=start_app, args=(self._call.phone, package, given), daemon=True).start()

    def stop_app(self, package: str) -> None:
        for process in self._call.phone.processes:
            if process.argv[0] == package:
                process.kill(9)

    def check(self) -> None:
        self._call.process.check()


def _adapted(program: system.Program) -> Program:
    return lambda call: program(system.Call(call.argv, _System(call), call.files.stdin, call.out, call.err))


ANDROID: dict[str, Program] = {name: _adapted(program) for name, program in android.ANDROID.items()}
