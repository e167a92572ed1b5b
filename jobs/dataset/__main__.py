"""Make the dataset: decode, check, split, describe.

    python -m jobs.dataset --experiment experiments/demo.toml --output runs/demo/dataset
    python -m jobs.dataset --experiment experiments/demo.toml --output runs/photos/dataset --data photos/
    python -m jobs.dataset ... --data https://example.org/photos.zip --data-sha256 <64 hex digits>

Reads   the experiment's data.source: a folder with one folder per class, a zip or tar of one, a
        URL of such an archive, or the generator synthetic-flames
Writes  <output>/{train,validation,test}_{images,labels}.npy
        <output>/items.jsonl          one line per image: file, hash, class, split, place, group
        <output>/contact_sheet.jpg    some images of each class
        <output>/dataset.json         last: the card
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
    data: Annotated[str, cli.DATA, typer.Option(help="Folder, archive or URL in place of the experiment's.")] = "",
    data_sha256: Annotated[str, typer.Option(help="Expected sha256 of --data; a URL needs it.")] = "",
    like: Annotated[
        Path | None,
        cli.READ,
        typer.Option(help="A given file's variant: its images' size, unless the experiment has one."),
    ] = None,
) -> None:
    """Turn images, one folder per class, into memory-mappable arrays and a dataset card."""
    from common.experiment import load

    loaded = load(experiment, data=data, data_sha256=data_sha256)
    from jobs.dataset.stage import build_dataset

    card = build_dataset(loaded, output, like)
    for split, part in card.splits:
        counts = ", ".join(f"{count} {name!r}" for name, count in zip(card.classes, part.per_class, strict=True))
        print(f"{split}: {part.count} images ({counts})")
    baseline = card.colour_baseline
    print(f"colour alone: accuracy {baseline.value:.3f} [{baseline.low:.3f}, {baseline.high:.3f}]")
    print(f"quarantined: {len(card.quarantine)}; exact copies dropped: {card.duplicates.exact_dropped}")
    print(f"wrote {output / 'dataset.json'}")


if __name__ == "__main__":
    cli.run(main)
