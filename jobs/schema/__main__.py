"""Write the JSON Schema of `results.json`, for programs that read it without edgeproof.

    python -m jobs.schema --output docs/schema
    make schema

Reads   nothing: the schema is that of the models in common/schema/
Writes  <output>/results.schema.json
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(*, output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")] = Path("docs/schema")) -> None:
    """Write the schema as it follows from the models."""
    from common.artifact import write_bytes
    from jobs.schema.published import NAME, results_schema

    write_bytes(output / NAME, results_schema())
    print(output / NAME)


if __name__ == "__main__":
    cli.run(main)
