"""Download the tools that run on devices and record what they are.

    python -m jobs.binaries --lock docker/adb/binaries.toml

Reads   <lock>, and the addresses in it
Writes  <lock>               size and sha256 of what was downloaded for the first time
        .cache/binaries/<sha256>/<name>
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    lock: Annotated[Path, typer.Option(help="Lock file to read and complete.")] = Path("docker/adb/binaries.toml"),
    cache: Annotated[Path | None, typer.Option(help="Where to keep the copies.")] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Record all anew, whatever was recorded before.")] = False,
) -> None:
    """Trust on first use, verify ever after."""
    from common.binaries import cache_folder, record

    for binary in record(lock, cache or cache_folder(), renew=renew):
        print(f"{binary.name}  {binary.size_bytes} bytes  sha256 {binary.sha256}")


if __name__ == "__main__":
    cli.run(main)
