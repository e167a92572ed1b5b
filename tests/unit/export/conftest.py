"""Keras 3 beside these tests, which themselves may have tf_keras in their process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from common.artifact import read
from common.provenance import ROOT
from common.schema.variant import Variant


@dataclass(frozen=True)
class Keras3:
    """The process, the folder of models that it made, and the file that a planted Lambda touches."""

    process: "subprocess.Popen[str]"
    models: Path
    mark: Path

    def ask(self, request: dict[str, Any]) -> str | None:
        """The error of a request, None where there was none."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process ended, see its standard error"
        answer = json.loads(line)
        assert not answer["keras_2"], "tf_keras was loaded beside keras"
        return None if answer["error"] is None else str(answer["error"])

    def export(self, folder: Path, file: Path, convert: str, more: str = "", **how: Any) -> Variant | str:
        """The variant that `file` becomes, or the line that says why it does not."""
        table = f'[variants.made]\nfrom = "{file}"\nconvert = {{ {convert} }}\n'
        # What is calibrated cannot come first; no stage looks at a file that it is not asked for.
        given = '[variants.first]\nfile = "first.tflite"\n'
        (folder / "mine.toml").write_text(
            f'title = "Mine"\nreference = "first"\n{more}\n{given}{table}', encoding="utf-8"
        )
        asked = {"experiment": str(folder / "mine.toml"), "variant": "made", "output": str(folder / "out")}
        error = self.ask({"samples": None, "trust": False, **asked, **how})
        return read(folder / "out" / "variant.json", Variant) if error is None else error


@pytest.fixture(scope="session")
def keras3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keras3]:
    """One process for all tests: it takes seconds to start."""
    models = tmp_path_factory.mktemp("keras3")
    argv = [sys.executable, "-m", "tests.unit.export.worker"]
    environment = {**os.environ, "MARK": str(models / "mark"), "CUDA_VISIBLE_DEVICES": "-1"}
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        found = Keras3(process, models, models / "mark")
        assert found.ask({"make": str(models)}) is None
        found.mark.unlink()
        yield found
        assert process.stdin is not None
        process.stdin.close()
