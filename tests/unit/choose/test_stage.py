"""From the folders of a run to the one file to ship, and what is refused."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt
from PIL import Image

from common.artifact import read, sha256_file
from common.errors import UsageError
from common.experiment import load
from common.provenance import ROOT
from common.run.read import Folders
from common.schema.choice import Choice
from jobs.choose.stage import choose
from jobs.report.stage import report
from tests.artifacts import EXPERIMENT, make_alive
from tests.conftest import Chain
from tests.unit.report import factories as f

# How much faster than the baseline each variant is made to look.
SPEEDS = {"baseline": None, "dynamic_range": 1.1, "float16": 1.0, "int8": 3.0, "clustered": 1.1, "pruned": 1.2}


@pytest.fixture
def folders(chain: Chain, tmp_path: Path) -> Folders:
    rows = []
    for name, variant in chain.variants.items():
        speed = SPEEDS[name]
        summary = f.summary(1000 / (speed or 1), None if speed is None else 1000)
        rows.append(f.row(name, summary, sha256=variant.model.sha256))
    benchmark = tmp_path / "benchmark"
    f.write_benchmark(benchmark, f.benchmark(rows))
    run = chain.folder
    return Folders(run / "dataset", run / "train", run / "variants", run / "evaluation", (benchmark,))


def arguments(chain: Chain, folders: Folders) -> list[str]:
    pairs = {
        "--experiment": chain.folder / "tiny.toml",
        "--dataset": folders.dataset,
        "--training": folders.training,
        "--variants": folders.variants,
        "--evaluations": folders.evaluations,
        "--benchmark": folders.benchmarks[0],
    }
    return [str(part) for pair in pairs.items() for part in pair]


def test_the_command_writes_the_best_file_and_its_card(chain: Chain, folders: Folders, tmp_path: Path) -> None:
    output = tmp_path / "best"
    output.mkdir()
    (output / "earlier.tflite").write_bytes(b"")
    argv = [sys.executable, "-m", "jobs.choose", *arguments(chain, folders), "--output", str(output)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    choice = read(output / "choice.json", Choice)
    assert choice.model is not None and choice.judgement is not None
    names = {path.name for path in output.iterdir()} - {".lock"}
    assert names == {f"{choice.best}.tflite", "model_card.md", "choice.json"}
    assert done.stdout.splitlines() == [choice.recommendation[0], str(output / f"{choice.best}.tflite")]
    assert sha256_file(output / choice.model.path) == choice.model.sha256
    assert {standing.candidate.name for standing in choice.standings} == set(chain.variants)
    assert zipfile.ZipFile(output / choice.model.path).read("labels.txt") == b"lower\nupper\n"


def best_of(chain: Chain, folders: Folders, tmp_path: Path, *names: str) -> Choice:
    """The choice among these variants only."""
    blocks = re.split(r"(?=\[variants\.)", EXPERIMENT)
    kept = [block for block in blocks if not block.startswith("[variants.") or block[10:].split("]")[0] in names]
    (tmp_path / "few.toml").write_text("".join(kept) + "[choose]\nmargin = 1.0\n", encoding="utf-8")
    evaluations = shutil.copytree(folders.evaluations, tmp_path / "evaluation")
    for name in names:
        make_alive(evaluations / name)
    return choose(load(tmp_path / "few.toml"), replace(folders, evaluations=evaluations), tmp_path / "best")


@pytest.mark.parametrize("name", ["baseline", "int8"])
def test_the_cards_program_runs_and_agrees_with_the_evaluation(
    chain: Chain, folders: Folders, tmp_path: Path, name: str
) -> None:
    choice = best_of(chain, folders, tmp_path, "baseline", name)
    # The int8 variant is made to look far better; whether it kept its accuracy is another question.
    assert choice.best == name and choice.model is not None
    card = (tmp_path / "best" / "model_card.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    image = np.load(chain.folder / "dataset" / "test_images.npy")[0]
    Image.fromarray(image).save(tmp_path / "photo.png")
    argv = [sys.executable, "-c", program, str(tmp_path / "photo.png")]
    done = subprocess.run(argv, cwd=tmp_path / "best", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    shown = {label: float(score) for score, label in (line.split() for line in done.stdout.splitlines())}
    expected = np.load(folders.evaluations / name / "outputs.npy")[0]
    assert [shown["lower"], shown["upper"]] == pytest.approx(expected.tolist(), abs=1e-3)
    assert ("```kotlin" in card) == (name == "baseline")
    assert choice.model.sha256 in card and choice.standings[0].candidate.model_sha256[:6]


def test_the_report_takes_the_choice_of_its_own_run_only(chain: Chain, folders: Folders, tmp_path: Path) -> None:
    choice = choose(chain.experiment, folders, tmp_path / "best")
    chosen = tmp_path / "best"
    results = report(chain.experiment, chain.folder / "tiny.toml", folders, chosen, tmp_path / "report")
    assert results.choice == choice
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "## Decision" in text and "**Ship: " in text
    content = json.loads((folders.benchmarks[0] / "benchmark.json").read_text(encoding="utf-8"))
    content["warnings"] = []
    (folders.benchmarks[0] / "benchmark.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match="the benchmark host of the choice is"):
        report(chain.experiment, chain.folder / "tiny.toml", folders, chosen, tmp_path / "report")


def test_a_benchmark_of_other_files_is_refused(chain: Chain, folders: Folders, tmp_path: Path) -> None:
    rows = [f.row(name, f.summary(1, None)) for name in chain.variants]
    f.write_benchmark(folders.benchmarks[0], f.benchmark(rows))
    with pytest.raises(UsageError, match=r"\(sha256\) of baseline in the benchmark on host is 0123456789ab"):
        choose(chain.experiment, folders, tmp_path / "best")
    assert not (tmp_path / "best").exists()


def test_a_hostile_title_stays_text(chain: Chain, folders: Folders, tmp_path: Path) -> None:
    text = EXPERIMENT.replace('"Tiny"', '"<script>x</script> | `a` [b](http://c)"')
    (tmp_path / "odd.toml").write_text(text, encoding="utf-8")
    choose(load(tmp_path / "odd.toml"), folders, tmp_path / "best")
    page = MarkdownIt("commonmark").render((tmp_path / "best" / "model_card.md").read_text(encoding="utf-8"))
    assert "<script" not in page and "<a " not in page and "&lt;script&gt;" in page
