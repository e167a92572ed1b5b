"""Pin the tools that run on devices: record in the checkout what they must be.

    python -m jobs.binaries --lock docker/adb/binaries.toml

Reads   <lock>, and the addresses in it
Writes  <lock>               size and sha256 of what was not pinned yet
        .cache/binaries/<sha256>/<name>
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    lock: Annotated[Path, typer.Option(help="Lock file to read and complete.")] = Path("docker/adb/binaries.toml"),
    cache: Annotated[Path | None, typer.Option(help="Where to keep the copies.")] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Record all anew, whatever was recorded before.")] = False,
) -> None:
    """Pin what is in use, or what the addresses give; go on past one that fails."""
    from common.binaries import cache_folder, record
    from common.errors import EdgeproofError, TryLaterError
    from common.printable import tell

    failed, recorded = [], 0
    for done in record(lock, cache or cache_folder(), renew=renew):
        if done.error is None:
            recorded += 1
            tell(f"{done.binary.name}  {done.binary.size_bytes} bytes  sha256 {done.binary.sha256}")
        else:
            tell(f"warning: {done.binary.name}: {done.error}", sys.stderr)
            failed.append(done)
    if failed:
        later = all(isinstance(done.error, TryLaterError) for done in failed)
        names = ", ".join(done.binary.name for done in failed)
        raise (TryLaterError if later else EdgeproofError)(
            f"not recorded: {names}", hint=f"the other {recorded} are" if recorded else None
        )


if __name__ == "__main__":
    cli.run(main)
