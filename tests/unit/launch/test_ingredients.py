"""An image's identity follows from everything that it is made from, and from nothing else."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UsageError
from common.image_lock import lock_name
from jobs.launch.ingredients import BuildArgument, Image, Ingredients, build_arguments, build_command

INGREDIENTS = Ingredients(
    image=Image.TRAINING,
    dockerfile=b"FROM x\n",
    lock=b"numpy==1\n",
    arguments=(BuildArgument("VERSION", "1"), BuildArgument("TENSORFLOW", "cpu")),
    platform="linux/amd64",
    base_id="sha256:1",
)
ARGUMENTS = st.builds(BuildArgument, st.text(max_size=5), st.text(max_size=5))
RECIPES = st.builds(
    Ingredients,
    image=st.sampled_from(Image),
    dockerfile=st.binary(max_size=5),
    lock=st.binary(max_size=5),
    arguments=st.lists(ARGUMENTS, max_size=3).map(tuple),
    platform=st.text(max_size=5),
    base_id=st.text(max_size=5),
)


@pytest.mark.parametrize(
    "other",
    [
        replace(INGREDIENTS, image=Image.ADB),
        replace(INGREDIENTS, dockerfile=b"FROM y\n"),
        replace(INGREDIENTS, lock=b"numpy==2\n"),
        replace(INGREDIENTS, arguments=(BuildArgument("VERSION", "2"), BuildArgument("TENSORFLOW", "cpu"))),
        replace(INGREDIENTS, arguments=(BuildArgument("VERSION", "1"), BuildArgument("TENSORFLOW", "cuda"))),
        replace(INGREDIENTS, arguments=INGREDIENTS.arguments[:1]),
        replace(INGREDIENTS, platform="linux/arm64"),
        replace(INGREDIENTS, base_id="sha256:2"),
        # The same bytes, shared out differently.
        replace(INGREDIENTS, dockerfile=b"FROM x\nnumpy", lock=b"==1\n"),
    ],
)
def test_every_ingredient_changes_the_identity(other: Ingredients) -> None:
    assert other.identity != INGREDIENTS.identity
    assert other.tag != INGREDIENTS.tag


@given(RECIPES, RECIPES)
def test_images_share_an_identity_only_when_they_are_equal(one: Ingredients, other: Ingredients) -> None:
    same = replace(one, arguments=()) == replace(other, arguments=()) and sorted(
        (a.name, a.value) for a in one.arguments
    ) == sorted((a.name, a.value) for a in other.arguments)
    assert (one.identity == other.identity) == same


def test_the_order_of_arguments_means_nothing() -> None:
    assert replace(INGREDIENTS, arguments=INGREDIENTS.arguments[::-1]).identity == INGREDIENTS.identity


def test_a_tag_is_the_start_of_the_identity() -> None:
    assert INGREDIENTS.tag == f"edgeproof-training:{INGREDIENTS.identity[:12]}"
    assert len(INGREDIENTS.identity) == hashlib.sha256().digest_size * 2


def test_the_build_command_is_an_argument_list() -> None:
    argv = build_command(INGREDIENTS, "docker", Path("/a repo, here"))
    assert argv[:2] == ("docker", "build")
    assert argv[argv.index("--file") + 1] == "/a repo, here/docker/training/Dockerfile"
    assert argv[argv.index("--tag") + 1] == INGREDIENTS.tag
    assert argv[argv.index("--label") + 1] == f"edgeproof.identity={INGREDIENTS.identity}"
    assert [argv[i + 1] for i, part in enumerate(argv) if part == "--build-arg"] == ["VERSION=1", "TENSORFLOW=cpu"]
    assert argv[-1] == "/a repo, here"


def test_the_environment_chooses_base_and_tensorflow() -> None:
    chosen = {"BASE_IMAGE": "python:local", "EDGEPROOF_TENSORFLOW": "cuda", "HOME": "/root"}
    assert build_arguments(Image.TRAINING, chosen, "9") == (
        BuildArgument("VERSION", "9"),
        BuildArgument("BASE_IMAGE", "python:local"),
        BuildArgument("TENSORFLOW", "cuda"),
    )
    assert lock_name(Image.TRAINING, chosen) == "requirements-cuda.txt"
    assert lock_name(Image.ADB, chosen) == "requirements.txt"
    # Empty is what an unset variable looks like when make exports it.
    assert build_arguments(Image.ADB, {"BASE_IMAGE": ""}, "9") == (BuildArgument("VERSION", "9"),)


def test_an_unknown_tensorflow_is_refused() -> None:
    with pytest.raises(UsageError, match=r"EDGEPROOF_TENSORFLOW=rocm is unknown \(use cpu or cuda\)"):
        build_arguments(Image.TRAINING, {"EDGEPROOF_TENSORFLOW": "rocm"}, "9")
