"""The rules that keep the house in order, checked on the tree itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.provenance import ROOT

SOURCES = sorted([*ROOT.glob("common/**/*.py"), *ROOT.glob("jobs/**/*.py")])
STAGES = sorted(path.parent.name for path in ROOT.glob("jobs/*/__main__.py"))
KERAS_2 = {"tf_keras", "tensorflow_model_optimization"}
TRAINING = ("jobs/train/", "jobs/optimize/", "common/networks/", "common/augment.py")
# Which outside package may be imported only where.
RESERVED = {
    **dict.fromkeys(KERAS_2, TRAINING),
    "tensorflow": (*TRAINING, "common/converter.py", "jobs/export/"),
    # One process has one of the two: what is read with Keras 3 is not mixed with what is trained with Keras 2.
    "keras": ("jobs/export/",),
    "docker": ("jobs/launch/container.py",),
    "ray": ("jobs/farm/cluster.py",),
    "adbutils": ("common/adb/server.py",),
    "jinja2": ("jobs/report/",),
    # It is installed for the history alone.
    "duckdb": ("jobs/history/",),
    # Nor are these, but for a search.
    "optuna": ("jobs/search/draws.py",),
    "tomli_w": ("jobs/search/runs.py",),
    "mlflow": ("jobs/formats/tracking.py", "jobs/formats/mlmodel.py"),
    "ai_edge_litert": ("common/tflite/", "jobs/benchmark/", "jobs/inspect/outputs.py", "jobs/choose/package.py"),
}
LONGEST_FILE = 300


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    for module in imports(path):
        package = module.split(".", maxsplit=1)[0]
        if package in RESERVED:
            assert name.startswith(RESERVED[package]), f"{name} imports {module}"
        if package == "jobs":
            stage = "/".join(module.split(".")[:2]) + "/"
            assert name.startswith(stage), f"{name} imports another stage: {module}"
        if name.startswith("common/schema/"):
            known = package in sys.stdlib_module_names or package == "pydantic" or module.startswith("common.schema")
            assert known, f"{name} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("stage", STAGES)
def test_help_loads_nothing_heavy(stage: str) -> None:
    code = (
        "import runpy, sys\nsys.argv = ['job', '--help']\n"
        f"try:\n    runpy.run_module('jobs.{stage}', run_name='__main__')\nexcept SystemExit as stop:\n"
        "    assert stop.code == 0, stop.code\n"
        "heavy = {'tensorflow', 'numpy', 'pandas', 'PIL', 'sklearn', 'docker', 'duckdb', 'mlflow', 'optuna', 'ray'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout


@pytest.mark.parametrize("path", sorted(ROOT.glob("**/requirements*/*.txt")) + sorted(ROOT.glob("docker/*/*.txt")))
def test_locks_are_hashed_and_name_no_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
    for word in ("http:", "https:", "--index-url", "--extra-index", "--find-links", "--trusted-host"):
        assert word not in text
