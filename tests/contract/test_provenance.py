"""An artifact names the version of everything that made or judged it."""

import ast
import importlib
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from common.closure import Tree, imports, reached, read_tree
from common.provenance import ROOT

STAGES = sorted(
    path.parent.name for path in ROOT.glob("jobs/*/stage.py") if "PACKAGES" in path.read_text(encoding="utf-8")
)
# They check values, read options, print, lock and carry bytes: another version changes no artifact.
HARMLESS = {"pydantic", "typer", "rich", "filelock", "adbutils", "protobuf"}


INSIDE = {*sys.stdlib_module_names, "common", "jobs"}
packages = cache(metadata.packages_distributions)


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def modules() -> Tree:
    return read_tree(ROOT, Path("unused"), keep=False)


@cache
def distributions_of(path: str) -> frozenset[str]:
    """What a module imports from outside, by its path in the checkout."""
    known = packages()
    return frozenset(
        normal(one)
        for module in imports((ROOT / path).read_bytes(), path)
        if (top := module.partition(".")[0]) not in INSIDE
        for one in known.get(top, ())
        if len(known[top]) == 1 or holds(one, module)
    )


@cache
def holds(distribution: str, module: str) -> bool:
    """Whether a module is one of a distribution's: several share a folder such as google/."""
    start = module.replace(".", "/")
    return any(str(file).startswith(start) for file in metadata.files(distribution) or ())


def outside(stage: str) -> set[str]:
    """The distributions that any module of a stage, or of `common` that it reaches, imports."""
    tree = modules()
    return set().union(*(distributions_of(tree[name].path) for name in reached(stage, tree)))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_the_packages_that_make_its_artifact(stage: str) -> None:
    tree = ast.parse((ROOT / "jobs" / stage / "stage.py").read_text(encoding="utf-8"))
    assert any(isinstance(node, ast.Name) and node.id == "PACKAGES" for node in ast.walk(tree))
    named = {normal(name) for name in importlib.import_module(f"jobs.{stage}.stage").PACKAGES}
    assert outside(stage) - HARMLESS == named


def test_what_quantises_and_what_checks_a_file_is_seen() -> None:
    assert {"litert-quantizer", "ai-edge-litert", "tensorflow", "tf-keras"} <= outside("optimize")
