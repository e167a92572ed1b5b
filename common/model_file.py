"""Find the file that a network or a variant comes from, without loading it."""

from pathlib import Path

from common.artifact import sha256_file
from common.errors import UsageError
from common.provenance import hash_files
from common.schema.experiment import Making
from common.schema.given import GivenFile
from common.schema.network import Network
from common.schema.recipe import Recipe


def model_file(network: Network, folder: Path) -> Path | None:
    """Path of the network's file or SavedModel folder; a relative one starts at `folder`. None for a name.

    Raises UsageError when it does not exist.
    """
    if not network.is_file:
        return None
    # Not normalised: a container sees the path that the experiment names.
    path = folder / network.architecture
    if path.is_dir() and not (path / "saved_model.pb").is_file():
        raise UsageError(f"{path} is a folder without saved_model.pb", hint="name a SavedModel, .h5, .keras or .py")
    if not path.exists():
        raise UsageError(f"model file {path} does not exist", hint="its path starts at the experiment file's folder")
    if not (path.is_dir() or path.is_file()):
        # Reading a pipe would never end.
        raise UsageError(f"model file {path} is no plain file", hint="name a SavedModel, .h5, .keras or .py")
    return path


def model_inputs(role: str, network: Network, folder: Path) -> dict[str, str]:
    """The file's hash under `role`; nothing for a network that comes from no file."""
    path = model_file(network, folder)
    return {} if path is None else {role: model_sha256(path)}


def model_sha256(path: Path) -> str:
    """Hash of a file's content, or of the names and contents of a folder's files."""
    if path.is_file():
        return sha256_file(path)
    return hash_files([file for file in path.rglob("*") if file.is_file()], path)


def given_path(making: Making, folder: Path) -> Path:
    """The file that a variant comes from; a relative path starts at `folder`. Raises UsageError when it is missing."""
    if isinstance(making, Recipe):
        raise UsageError("this variant has a recipe for the trained network and comes from no file")
    path = folder / (making.file if isinstance(making, GivenFile) else making.source)
    if not path.is_file():
        raise UsageError(f"model file {path} does not exist", hint="its path starts at the experiment file's folder")
    return path
