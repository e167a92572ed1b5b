"""What can go wrong between this machine and a device; a command that fails is none of it."""

from common.errors import EdgeproofError, TryLaterError


class TransportError(EdgeproofError):
    """The connection to a device failed. Nothing is known of the command's end.

    `command` and `output` are what was sent and what came back, `process` the number of the program that
    may still run on the device. `silent_s`: for so long nothing had come, though the connection stood.
    """

    def __init__(
        self, message: str, *, serial: str = "", command: str = "", output: str = "", process: int | None = None
    ) -> None:
        super().__init__(f"{serial}: {message}" if serial else message)
        self.serial, self.command, self.output, self.process = serial, command, output, process
        self.silent_s = 0.0


class LimitError(EdgeproofError):
    """A command went beyond its limit, on a device that answers. `output` is what came until then."""

    def __init__(self, message: str, *, serial: str = "", output: str = "") -> None:
        super().__init__(message)
        self.serial, self.output = serial, output


class TimeLimitError(LimitError):
    """A command did not end in time."""


class SizeLimitError(LimitError):
    """A command or a file gave more bytes than it may; the message says how many those are."""


class DeviceFileError(EdgeproofError):
    """The device refused a file, with its reason."""


class NotReadyError(TryLaterError):
    """No adb server, or no usable device."""
