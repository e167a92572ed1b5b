"""The whole stage: any source to arrays and a card, and nothing but a clear line when it cannot."""

import hashlib
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.artifact import verified
from common.dataset import read_card, read_split
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment, load
from common.schema.dataset import Dataset, Item
from jobs.dataset import ingest
from jobs.dataset.stage import build_dataset
from tests.unit.dataset.pictures import encode, experiment_text, noise, photos, write_files, zipped

ARRAYS = tuple(f"{split}_{part}.npy" for split in ("train", "validation", "test") for part in ("images", "labels"))


def experiment(folder: Path, **data: object) -> LoadedExperiment:
    path = folder / "test.toml"
    path.write_text(experiment_text(**data), encoding="utf-8")
    return load(path)


def build(tmp_path: Path, files: dict[str, bytes], name: str = "out", **data: object) -> tuple[Dataset, Path]:
    source, output = write_files(tmp_path / f"{name}-photos", files), tmp_path / name
    return build_dataset(experiment(tmp_path, source=str(source), **data), output), output


def items(folder: Path) -> list[Item]:
    lines = (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
    return [Item.model_validate_json(line) for line in lines]


def hashes(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ARRAYS]


def test_a_folder_becomes_arrays_items_a_sheet_and_a_card(tmp_path: Path) -> None:
    card, output = build(tmp_path, photos(8) | {"SOURCES.md": b"where from"})
    assert read_card(output) == card
    assert card.classes == ("fire", "no_fire")
    assert (card.source_kind, card.quarantine, card.bad_share) == ("folder", (), 0)
    assert card.test is not None
    assert (card.train.per_class, card.validation.per_class, card.test.per_class) == ((4, 4), (2, 2), (2, 2))
    assert (card.reported, card.colour_baseline.total) == ("test", 4)
    for ref in (card.items, card.contact_sheet):
        verified(output, ref)
    with Image.open(output / card.contact_sheet.path) as sheet:
        sheet.load()
    assert sorted(path.name for path in output.iterdir()) == sorted(
        [*ARRAYS, ".lock", "contact_sheet.jpg", "dataset.json", "items.jsonl"]
    )


def test_items_say_what_lies_where(tmp_path: Path) -> None:
    files = photos(8)
    card, output = build(tmp_path, files)
    rows = items(output)
    assert len(rows) == 16
    for split, part in card.splits:
        images, labels = read_split(output, card, split)
        assert images.shape == (part.count, 24, 24, 3)
        assert images.dtype == np.uint8
        assert labels.dtype == np.int32
        own = [item for item in rows if item.split == split]
        assert [item.index for item in own] == list(range(part.count))
        for item in own:
            assert hashlib.sha256(files[item.file]).hexdigest() == item.sha256
            assert card.classes[int(labels[item.index])] == item.file.split("/")[0]
            index = int(Path(item.file).stem)
            assert np.array_equal(images[item.index], noise(100 * item.label + index))


def test_names_order_and_workers_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = photos(10)
    _, first = build(tmp_path, files, "first")
    other = {f"{name.split('/')[0]}/{hashlib.md5(data).hexdigest()}.png": data for name, data in files.items()}  # noqa: S324
    monkeypatch.setattr(ingest, "_cores", lambda: 5)
    _, second = build(tmp_path, other, "second")
    assert hashes(first) == hashes(second)


def test_another_seed_gives_another_split(tmp_path: Path) -> None:
    _, first = build(tmp_path, photos(12), "first")
    text = experiment_text(source=str(tmp_path / "first-photos")).replace("seed = 7", "seed = 8")
    (tmp_path / "other.toml").write_text(text, encoding="utf-8")
    build_dataset(load(tmp_path / "other.toml"), tmp_path / "second")
    assert hashes(first) != hashes(tmp_path / "second")


def archive(tmp_path: Path, form: str, files: dict[str, bytes]) -> Path:
    path = tmp_path / f"photos.{form}"
    if form == "zip":
        path.write_bytes(zipped(files))
        return path
    folder = write_files(tmp_path / "to-pack", files)
    with tarfile.open(path, "w:gz") as packed:
        packed.add(folder, "photos")
    return path


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_an_archive_gives_the_same_arrays_as_its_folder(tmp_path: Path, form: str) -> None:
    files = photos(8)
    _, folder = build(tmp_path, files, "folder")
    path = archive(tmp_path, form, files)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = build_dataset(experiment(tmp_path, source=str(path), sha256=digest), tmp_path / "packed")
    assert hashes(folder) == hashes(tmp_path / "packed")
    assert card.source_kind == "archive"
    assert [(ref.role, ref.sha256) for ref in card.provenance.inputs] == [("data", digest)]


def test_the_generator_is_deterministic(tmp_path: Path) -> None:
    first = build_dataset(experiment(tmp_path, synthetic_images=40), tmp_path / "first")
    build_dataset(experiment(tmp_path, synthetic_images=40), tmp_path / "second")
    assert first.source_kind == "synthetic"
    assert [part.per_class for _, part in first.splits] == [(11, 11), (4, 4), (5, 5)]
    assert hashes(tmp_path / "first") == hashes(tmp_path / "second")
    for name in ("items.jsonl", "contact_sheet.jpg"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_bad_files_are_quarantined_with_the_reason(tmp_path: Path) -> None:
    photo = encode(noise(77, 90, 90), "JPEG")
    bad = {"fire/text.jpg": b"hello", "fire/cut.jpg": photo[: len(photo) // 2], "no_fire/empty.png": b""}
    card, _ = build(tmp_path, photos(10) | bad, max_bad_share=0.2)
    assert [item.file for item in card.quarantine] == sorted(bad)
    reasons = " | ".join(item.reason for item in card.quarantine)
    assert "truncated" in reasons
    assert "not an image" in reasons
    assert "empty" in reasons
    assert card.bad_share == pytest.approx(3 / 23)
    assert sum(part.count for _, part in card.splits) == 20


def test_too_many_bad_files_fail_and_are_named(tmp_path: Path) -> None:
    bad = {f"fire/bad{n}.jpg": b"hello" for n in range(5)}
    with pytest.raises(EdgeproofError, match=r"5 of 17 files .* 5\.0%: 'fire/bad0\.jpg': not an .* 2 more") as caught:
        build(tmp_path, photos(6) | bad)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


def test_links_and_pipes_are_never_followed(tmp_path: Path) -> None:
    write_files(tmp_path / "out-photos", photos(8))
    (tmp_path / "secret.png").write_bytes(encode(noise(999)))
    (tmp_path / "out-photos/fire/link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "out-photos/fire/inside.png").symlink_to(tmp_path / "out-photos/fire/0.png")
    os.mkfifo(tmp_path / "out-photos/fire/pipe.png")
    card, _ = build(tmp_path, {}, max_bad_share=0.5)
    assert [(item.file, item.reason) for item in card.quarantine] == [
        ("fire/link.png", "a link that leaves the folder"),
        ("fire/pipe.png", "not a regular file"),
    ]
    assert card.duplicates.exact_dropped == 1


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path / "out-photos", photos(4))
    (tmp_path / "out-photos/more").symlink_to(tmp_path)
    with pytest.raises(UsageError, match=r"'more' in .* is a link to a folder"):
        build(tmp_path, {})


def test_copies_and_conflicts(tmp_path: Path) -> None:
    files = photos(8)
    files["fire/again.png"] = files["fire/0.png"]
    files["fire/as-bitmap.bmp"] = encode(noise(1), "BMP")
    files["no_fire/wrong.png"] = files["fire/2.png"]
    card, output = build(tmp_path, files)
    assert card.duplicates.exact_dropped == 2
    assert card.duplicates.conflicting == ("fire/2.png", "no_fire/wrong.png")
    used = {item.file for item in items(output)}
    assert not used & {"fire/2.png", "no_fire/wrong.png"}
    assert len(used) == 15


@pytest.mark.parametrize("seed", range(4))
def test_near_copies_stay_on_one_side(tmp_path: Path, seed: int) -> None:
    files = {}
    for label, name in enumerate(("fire", "no_fire")):
        for index in range(6):
            pixels = noise(1000 * seed + 100 * label + index, 80, 80)
            files[f"{name}/{index}.png"] = encode(pixels)
            files[f"{name}/{index}-small.jpg"] = encode(Image.fromarray(pixels).resize((60, 60)), "JPEG", quality=80)
    card, output = build(tmp_path, files)
    assert (card.duplicates.near_groups, card.duplicates.near_images) == (12, 24)
    sides: dict[int, set[str]] = {}
    for item in items(output):
        sides.setdefault(item.group, set()).add(item.split)
    assert all(len(side) == 1 for side in sides.values())


def test_odd_names_survive(tmp_path: Path) -> None:
    classes = ("-rf two words", "<img src=x>\n\u706b")
    files = photos(4, classes)
    files[f"{classes[0]}/-x \u00e9\n'\"$(id).png"] = encode(noise(500))
    card, output = build(tmp_path, files)
    assert card.classes == tuple(sorted(classes))
    assert len(items(output)) == 9


def test_names_that_are_no_text_survive(tmp_path: Path) -> None:
    write_files(tmp_path / "out-photos", photos(4))
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/out-photos/fire/\xff.png")).write_bytes(encode(noise(500)))
    _, output = build(tmp_path, {})
    assert "fire/\ufffd.png" in {item.file for item in items(output)}


def test_many_classes(tmp_path: Path) -> None:
    card, output = build(tmp_path, photos(4, tuple(f"class {n:02d}" for n in range(15))))
    assert len(card.classes) == 15
    assert card.validation.per_class == (1,) * 15
    assert (output / "contact_sheet.jpg").stat().st_size < 300_000


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "does not exist"),
        ({"1.png": b""}, "no class folders"),
        ({"a/1.png": b""}, "only one class folder"),
        (photos(1), "too few distinct images"),
        (
            photos(2),
            r"'fire' has too few distinct images for test .*, at least 3 per class, or set data.test_share = 0",
        ),
        (photos(2) | {"fire/1.png": photos()["fire/0.png"]}, "class 'fire' has too few distinct images"),
    ],
)
def test_unusable_sources_touch_nothing(tmp_path: Path, files: dict[str, bytes], complaint: str) -> None:
    _, output = build(tmp_path, photos(4))
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    source = tmp_path / "other"
    write_files(source, files)
    with pytest.raises(UsageError, match=complaint):
        build_dataset(experiment(tmp_path, source=str(source)), output)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_a_share_that_leaves_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"0\.999 leave none of the 8 images of class 'fire' for training"):
        build(tmp_path, photos(8), validation_share=0.999)
    card, _ = build(tmp_path, photos(8), validation_share=0.9)
    assert card.train.per_class == (1, 1)


def test_an_experiment_without_test_images_reports_on_validation(tmp_path: Path) -> None:
    card, output = build(tmp_path, photos(8), validation_share=0.25)
    assert (card.test, card.reported, card.colour_baseline.total) == (None, "validation", 4)
    assert not list(output.glob("test_*"))
    with pytest.raises(UsageError, match="has no test images"):
        read_split(output, card, "test")


def test_a_card_of_before_there_were_test_images_is_read(tmp_path: Path) -> None:
    _, output = build(tmp_path, photos(8), validation_share=0.25)
    table = json.loads((output / "dataset.json").read_text(encoding="utf-8"))
    table["schema_version"] = 1
    del table["test"]
    (output / "dataset.json").write_text(json.dumps(table), encoding="utf-8")
    assert read_card(output).reported == "validation"


@pytest.mark.parametrize("output", ["photos", "photos/out", "."])
def test_an_output_among_the_images_is_refused(tmp_path: Path, output: str) -> None:
    source = write_files(tmp_path / "photos", photos(4))
    before = sorted(tmp_path.rglob("*"))
    loaded = experiment(tmp_path, source=str(source))
    with pytest.raises(UsageError, match=r"output .* the input .*photos"):
        build_dataset(loaded, tmp_path / output)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "test.toml"])


def test_a_wrong_or_useless_sha256_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, "tar.gz", photos(4))
    with pytest.raises(UsageError, match="expected 0000"):
        build_dataset(experiment(tmp_path, source=str(path), sha256="0" * 64), tmp_path / "out")
    with pytest.raises(UsageError, match="no file whose sha256"):
        build_dataset(experiment(tmp_path, source=str(tmp_path / "to-pack"), sha256="0" * 64), tmp_path / "out")


def test_the_card_is_plain_json_with_both_numbers(tmp_path: Path) -> None:
    _, output = build(tmp_path, photos(8))
    card = json.loads((output / "dataset.json").read_text(encoding="utf-8"))
    assert card["colour_baseline"]["total"] == card["validation"]["count"] == 4
    assert card["decode_images_per_s"] > 0
