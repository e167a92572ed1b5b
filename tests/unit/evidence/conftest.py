"""Whole runs and their bundles, made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.evidence.pack import pack
from tests.whole_run import Whole, whole_run


@dataclass(frozen=True)
class Packed:
    """A run with its bundle."""

    whole: Whole
    bundle: Path


def _packed(folder: Path, *, images: bool, devices: tuple[str, ...]) -> Packed:
    whole = whole_run(folder, images=images, devices=devices)
    bundle = folder / "run.tar"
    pack(whole.run, whole.experiment, whole.path, bundle)
    return Packed(whole, bundle)


@pytest.fixture(scope="session")
def with_images(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Three files, labelled images, two devices. Tests only read it."""
    return _packed(tmp_path_factory.mktemp("images"), images=True, devices=("one", "two"))


@pytest.fixture(scope="session")
def with_samples(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Three files and samples without labels. Tests only read it."""
    return _packed(tmp_path_factory.mktemp("samples"), images=False, devices=("one",))
