"""A stage is made anew when a module changes that it can reach by importing, and by no other change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.artifact import sha256_file
from common.closure import Tree, code_sha256, dotted, imports, reached, read_tree
from common.errors import UsageError
from common.job import IMAGES
from common.provenance import ROOT
from jobs.plan.stage import made

STAGES = sorted(IMAGES)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return read_tree(ROOT, tmp_path_factory.mktemp("cache") / "imports.json")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("common", "jobs", "docker"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "bin"))
    return folder


def test_a_change_of_a_module_concerns_the_stages_that_reach_it_and_no_other(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "imports.json"
    before = made(checkout, cache)
    reaches = {stage: reached(stage, read_tree(checkout, cache)) for stage in STAGES}
    for path in sorted(checkout.glob("common/**/*.py")):
        text = path.read_bytes()
        path.write_bytes(text + b"\n# changed\n")
        after = made(checkout, cache)
        changed = {stage for stage in STAGES if after[stage] != before[stage]}
        name = dotted(path.relative_to(checkout).as_posix())
        assert changed == {stage for stage in STAGES if name in reaches[stage]}, name
        path.write_bytes(text)
    assert made(checkout, cache) == before


def test_the_lock_is_the_one_that_the_stages_are_installed_from(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, folder = tmp_path / "imports.json", checkout / "docker" / "training"
    monkeypatch.delenv("RUNTIME", raising=False)
    plain = made(checkout, cache)
    assert plain["train"].lock == sha256_file(folder / "requirements.txt")
    monkeypatch.setenv("EDGEPROOF_TENSORFLOW", "cuda")
    # A virtual environment knows nothing of it.
    assert made(checkout, cache) == plain
    monkeypatch.setenv("RUNTIME", "docker")
    other = made(checkout, cache)
    assert other["train"].lock == sha256_file(folder / "requirements-cuda.txt")
    assert other["benchmark"] == plain["benchmark"]
    monkeypatch.setenv("EDGEPROOF_TENSORFLOW", "rocm")
    with pytest.raises(UsageError, match="EDGEPROOF_TENSORFLOW=rocm is unknown"):
        made(checkout, cache)


def test_what_is_known_to_be_used(tree: Tree) -> None:
    using = {stage: reached(stage, tree) for stage in STAGES}
    predict = {stage for stage in STAGES if "common.tflite.predict" in using[stage]}
    assert {"evaluate", "optimize"} <= predict
    assert "train" not in predict
    assert {"common.networks.own", "common.augment"} <= using["train"]
    for stage in ("dataset", "train", "optimize", "evaluate"):
        # The report's modules and the tools for phones make no training anew.
        assert not {name for name in using[stage] if name.startswith(("jobs.report", "common.adb"))}
        assert "common.schema.results" not in using[stage]


def test_what_checks_an_artifact_makes_none_anew(tree: Tree) -> None:
    checks = {name for name in tree if {"follows", "probe"} & set(name.split("."))}
    assert {"jobs.benchmark.follows.records", "jobs.choose.follows", "jobs.optimize.probe"} <= checks
    for stage in STAGES:
        assert not checks & reached(stage, tree)


IMPORT_ALL = """
import importlib, pkgutil, sys
import jobs.{stage}
for module in pkgutil.walk_packages(jobs.{stage}.__path__, "jobs.{stage}."):
    if not {{"follows", "probe"}} & set(module.name.split(".")):
        importlib.import_module(module.name)
print(*(name for name in sys.modules if name.split(".")[0] in ("common", "jobs")))
"""


# Importing TensorFlow takes ten seconds.
HEAVY = ("train", "optimize", "export")
SLOW = [pytest.param(stage, marks=pytest.mark.slow) if stage in HEAVY else stage for stage in STAGES]


@pytest.mark.parametrize("stage", SLOW)
def test_what_python_really_imports_is_in_the_closure(tree: Tree, stage: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL.format(stage=stage)],
        cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # To find what is in a package, Python imports it.
    loaded = {name for name in done.stdout.split() if not name.endswith(".follows")}
    assert f"jobs.{stage}" in loaded
    assert loaded - {"jobs"} <= reached(stage, tree) | {"jobs"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import common.a.b as c", {"common.a.b"}),
        ("def f():\n    from common.a import b, c", {"common.a.b", "common.a.c"}),
        ("from . import x\nfrom .y import z\nfrom ..up import w", {"common.p.x", "common.p.y.z", "common.up.w"}),
        ('RUNNER = "common.p.runner"\nwords = "not common.p.words"', {"common.p.runner"}),
        ('import importlib\nimportlib.import_module("tensorflow")', {"importlib"}),
        ("import importlib\nimportlib.import_module(name)", {"importlib", "common.*"}),
        ("__import__(name)", {"common.*"}),
    ],
)
def test_ways_to_import(text: str, found: set[str]) -> None:
    assert set(imports(text.encode(), "common/p/m.py")) == found


def test_what_cannot_be_known_counts_as_all(tmp_path: Path) -> None:
    for name, text in {
        "jobs/s/__init__.py": "",
        "jobs/s/m.py": "import importlib\nimportlib.import_module(name)",
        "common/__init__.py": "",
        "common/deep/__init__.py": "",
        "common/deep/x.py": "",
        "jobs/other/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = reached("s", read_tree(tmp_path, tmp_path / "cache", keep=False))
    assert found == {"jobs.s", "jobs.s.m", "common", "common.deep", "common.deep.x"}
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_is_damaged_or_old_is_no_loss(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    shutil.copy(ROOT / "common" / "cli.py", tmp_path / "common")
    cache = tmp_path / "imports.json"
    tree = read_tree(tmp_path, cache, keep=False)
    assert tree["common.cli"].path == "common/cli.py"
    for text in ("{", "[]", '{"common/cli.py": [1, 2]}', '{"common/cli.py": [1, 2, "x", []]}'):
        cache.write_text(text, encoding="utf-8")
        assert read_tree(tmp_path, cache) == tree


def test_templates_are_part_of_the_report(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / "page.html").write_text("1", encoding="utf-8")
    before = code_sha256("report", tree, [tmp_path])
    (tmp_path / "page.html").write_text("2", encoding="utf-8")
    assert code_sha256("report", tree, [tmp_path]) != before
