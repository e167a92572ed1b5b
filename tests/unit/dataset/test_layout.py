"""Which folder is a class."""

import pytest

from common.errors import UsageError
from jobs.dataset.layout import Entry, arrange


def files(*paths: str) -> list[Entry]:
    return [Entry(path) for path in paths]


def test_folders_at_the_top_are_classes_in_order_of_their_names() -> None:
    layout = arrange(files("b/1.png", "a/2.png", "a/deep/3.png"), "x")
    assert layout.classes == ("a", "b")
    assert layout.labels == {"b/1.png": 1, "a/2.png": 0, "a/deep/3.png": 0}


def test_one_wrapping_folder_is_looked_through() -> None:
    layout = arrange(files("photos/a/1.png", "photos/b/2.png", "photos/SOURCES.md", "README"), "x")
    assert layout.classes == ("a", "b")
    assert layout.labels == {"photos/a/1.png": 0, "photos/b/2.png": 1}


def test_files_beside_the_classes_and_litter_are_no_class() -> None:
    paths = ("manifest.csv", "__MACOSX/a/._1.png", "a/.DS_Store", "a/Thumbs.db", ".git/config", "a/1.png", "b/1.png")
    layout = arrange(files(*paths), "x")
    assert layout.labels == {"a/1.png": 0, "b/1.png": 1}


def test_paths_with_a_leading_dot_slash_are_the_same_paths() -> None:
    assert arrange(files("./a/1.png", "./b/1.png"), "x").classes == ("a", "b")


def test_composed_and_decomposed_names_are_one_class() -> None:
    layout = arrange(files("caf\u00e9/1.png", "cafe\u0301/2.png", "b/1.png"), "x")
    assert layout.classes == ("b", "caf\u00e9")


def test_odd_names_are_kept_as_they_are() -> None:
    names = ("-rf", "<b>bold", "two words", "line\nbreak", "\U0001f525")
    assert arrange(files(*(f"{name}/1.png" for name in names)), "x").classes == tuple(sorted(names))


def test_bytes_that_are_no_text_are_replaced() -> None:
    layout = arrange(files("a\udcff/1.png", "b/1.png"), "x")
    assert layout.classes == ("a\ufffd", "b")


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([], "no class folders"),
        (files("1.png", "2.png"), "no class folders"),
        (files("a/1.png"), "only one class folder, 'a'"),
        ([Entry("a", True), Entry("b", True), Entry("b/1.png")], "class 'a' has no files"),
        (files(".a/1.png", "__MACOSX/1.png"), "no class folders"),
    ],
)
def test_too_few_classes_are_refused(entries: list[Entry], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        arrange(entries, "photos")
