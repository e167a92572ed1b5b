"""The same chain with every stage in its container: the same artifacts come out."""

import shutil
from pathlib import Path

import pytest

from common.artifact import read
from common.schema.dataset import Dataset
from common.schema.results import Results
from common.schema.training import Training
from common.schema.variant import Variant
from tests.container.conftest import BUILD_TIMEOUT_S, Built
from tests.container.test_virtual_phone import Phone, phone
from tests.devices.fixtures import adb_server
from tests.e2e.conftest import SMALL, Make

__all__ = ["adb_server", "phone"]

pytestmark = [pytest.mark.container, pytest.mark.timeout(BUILD_TIMEOUT_S)]


def hashes(run: Path) -> dict[str, str]:
    """sha256 of everything that must not depend on where the stages ran."""
    dataset = read(run / "dataset" / "dataset.json", Dataset)
    found = {
        "train": dataset.train.images.sha256,
        "validation": dataset.validation.images.sha256,
        "model": read(run / "train" / "training.json", Training).model.sha256,
    }
    for name in ("baseline", "float16", "pruned"):
        found[name] = read(run / "variants" / name / "variant.json", Variant).model.sha256
    return found


def test_make_all_in_containers_makes_the_same_artifacts(
    make: Make, training_image: Built, files_image: Built, adb_image: Built, tmp_path: Path
) -> None:
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    variables = {"EXPERIMENT": tmp_path / "small.toml", "RUN": tmp_path / "run"}
    said = make("-j2", "all", RUNTIME="auto", V=1, **variables).stdout
    assert "jobs.launch stage train" in said
    results = read(tmp_path / "run" / "report" / "results.json", Results)
    images = {item.stage: item.runtime.image for item in results.provenance}
    assert images["train"] == training_image.id
    assert images["benchmark"] == adb_image.id
    assert images["choose"] == files_image.id
    assert all(measurement.result.kind == "latency" for measurement in results.measurements)
    in_containers = hashes(tmp_path / "run")
    said = make("all", RUNTIME="docker", **variables).stdout
    assert "Nothing to do" in said

    make("optimize", EXPERIMENT=tmp_path / "small.toml", RUN=tmp_path / "local")
    assert hashes(tmp_path / "local") == in_containers


def test_a_folder_of_images_reaches_the_container(make: Make, data_image: Built, tmp_path: Path) -> None:
    from tests.e2e.test_bad_input import photos

    source = photos(tmp_path / "my photos, all", fire=12, none=12)
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    make("dataset", RUNTIME="docker", EXPERIMENT=tmp_path / "small.toml", RUN=tmp_path / "run", DATA=source)
    card = read(tmp_path / "run" / "dataset" / "dataset.json", Dataset)
    assert sum(part.count for _, part in card.splits) == 24
    assert card.provenance.runtime.image == data_image.id


def test_the_virtual_phone_from_images_to_report(
    make: Make, training_image: Built, adb_image: Built, phone: Phone, tmp_path: Path
) -> None:
    """With every stage in its container, then without; and back to this machine, in the same run."""
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    run, env = tmp_path / "run", phone.server.address | {"EDGEPROOF_LOCKS": str(tmp_path / "locks")}
    chosen = {"EXPERIMENT": tmp_path / "small.toml", "RUN": run, "BENCHMARK_BINARY": phone.binary}
    for runtime, image in (("docker", adb_image.id), ("local", None)):
        make("all", env=env, RUNTIME=runtime, DEVICE=phone.serial, **chosen)
        results = read(run / "report" / "results.json", Results)
        [target] = results.targets
        assert (target.serial, target.functional_only) == (phone.serial, True)
        assert {m.result.kind for m in results.measurements} == {"latency"}
        assert [item.runtime.image for item in results.provenance if item.stage == "benchmark"] == [image]
        assert "functional only" in (run / "report" / "report.md").read_text(encoding="utf-8")
        shutil.rmtree(run / "benchmark")
    assert "edgeproof" not in phone.shell("ls /data/local/tmp").stdout
    make("all", **chosen)
    assert [target.serial for target in read(run / "report" / "results.json", Results).targets] == [None]
