"""List the Android devices that are attached: what they are, and what is in the way of those that cannot be used.

    python -m jobs.devices
    python -m jobs.devices --connect 192.168.1.5:5555

Reads   the adb server of ADB_SERVER_SOCKET, or of ANDROID_ADB_SERVER_HOST and _PORT
Writes  nothing
"""

from typing import Annotated

import typer

from common import cli


def main(connect: Annotated[str, typer.Option(help="host:port to connect to first.")] = "") -> None:
    """One row per device: serial, state, model, SoC, ABIs, Android version, and what to do."""
    from jobs.devices.listing import inspect_all, show

    show(inspect_all(connect))


if __name__ == "__main__":
    cli.run(main)
