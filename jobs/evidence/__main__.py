"""Pack a run as evidence, or check such a bundle: every hash, every figure, every verdict, every byte of the report.

    python -m jobs.evidence bundle --run runs/demo --experiment experiments/demo.toml --output demo.tar
    python -m jobs.evidence verify demo.tar

Reads   <run>/ and the lock files of this checkout; or the bundle
Writes  <output>, a plain tar; verify writes into a temporary folder, which it removes
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.printable import tell


def bundle(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a finished run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Its experiment file (TOML).")],
    output: Annotated[Path, typer.Option(help="The archive to write.")],
) -> None:
    """Pack a run. The same run gives the same bytes."""
    from common.experiment import load
    from jobs.evidence.pack import pack

    packed = pack(run, load(experiment), experiment, output)
    tell(f"{output}: {packed.files:,} files, {packed.size_bytes:,} bytes, sha256 {packed.sha256}")


def verify(
    file: Annotated[Path, typer.Argument(help="A bundle.")],
) -> None:
    """Check a bundle without a device, training or network. Exit status 1 where something does not follow."""
    from jobs.evidence.verify import verify as check

    check(file)


if __name__ == "__main__":
    cli.run(bundle, verify)
