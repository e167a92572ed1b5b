"""An artifact that lost a file is made anew; one that is whole, or whose JSON is nothing we know, is left alone."""

import json
from pathlib import Path

from jobs.plan.missing import incomplete


def artifact(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def reference(name: str) -> dict[str, object]:
    return {"path": name, "sha256": "0" * 64, "size_bytes": 1}


def test_only_artifacts_that_lost_a_file_are_made_anew(tmp_path: Path) -> None:
    whole = artifact(tmp_path / "variants" / "a" / "variant.json", {"model": reference("a.tflite")})
    (whole.parent / "a.tflite").write_bytes(b"x")
    lost = artifact(tmp_path / "variants" / "b" / "variant.json", {"model": reference("b.tflite")})
    arrays = artifact(tmp_path / "dataset" / "dataset.json", {"train": {"images": reference("train.npy")}})
    others = artifact(tmp_path / "best" / "choice.json", {"rows": [{"model": reference("elsewhere.tflite")}]})
    damaged = artifact(tmp_path / "train" / "training.json", [])
    damaged.write_text("{", encoding="utf-8")
    results = artifact(tmp_path / "report" / "results.json", {"dataset": {"items": reference("items.jsonl")}})
    paths = [whole, lost, arrays, others, damaged, tmp_path / "benchmark" / "host" / "benchmark.json", results]
    assert incomplete(tmp_path, [path.relative_to(tmp_path).as_posix() for path in paths]) == {
        "variants/b/variant.json": [lost.parent / "b.tflite"],
        "dataset/dataset.json": [arrays.parent / "train.npy"],
    }
    assert all(path.exists() for path in (whole, lost, arrays, others, damaged))
