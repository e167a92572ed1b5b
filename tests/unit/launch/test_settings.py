"""Limits and environment of a container."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UsageError
from jobs.launch.ingredients import Image
from jobs.launch.settings import EngineFacts, Limits, container_user, job_environment, limits, wants_gpu

GIB = 1 << 30
FACTS = EngineFacts("27.0", "linux/amd64", memory_bytes=10 * GIB, cpus=4, nvidia=False, rootless=False)
ROOTLESS = EngineFacts("27.0", "linux/amd64", memory_bytes=10 * GIB, cpus=4, nvidia=False, rootless=True)


def test_without_wishes_a_job_gets_most_of_the_memory_and_every_processor() -> None:
    assert limits({}, FACTS) == Limits(memory_bytes=8 * GIB, cpus=None)
    assert limits({"EDGEPROOF_MEMORY": "", "EDGEPROOF_CPUS": ""}, FACTS) == limits({}, FACTS)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("64m", 64 << 20), ("64M", 64 << 20), ("1.5g", 3 << 29), ("2G", 2 << 30), ("33554432", 32 << 20), ("1t", 1 << 40)],
)
def test_memory_is_read_with_its_unit(text: str, size_bytes: int) -> None:
    assert limits({"EDGEPROOF_MEMORY": text}, FACTS).memory_bytes == size_bytes


@pytest.mark.parametrize("text", ["lots", "8 gigabytes", "-1g", "0", "31m", "1", "g", "nan", "inf", "infg", "nang"])
def test_what_is_no_memory_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"EDGEPROOF_MEMORY={text} is not"):
        limits({"EDGEPROOF_MEMORY": text}, FACTS)


@pytest.mark.parametrize("text", ["all", "0", "-1", "4.01", "nan", "inf"])
def test_what_are_no_processors_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=rf"EDGEPROOF_CPUS={text} is not .*the engine has 4"):
        limits({"EDGEPROOF_CPUS": text}, FACTS)


def test_a_part_of_a_processor_is_a_limit() -> None:
    assert limits({"EDGEPROOF_CPUS": "1.5"}, FACTS).cpus == 1.5


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_nothing_of_the_callers_environment_goes_in_but_two_variables(caller: dict[str, str]) -> None:
    caller |= {"AWS_SECRET_ACCESS_KEY": "s", "PATH": "/evil", "TERM": "dumb", "EDGEPROOF_DEBUG": "1"}
    made = job_environment(caller, image_id="sha256:1", commit=None, code="/repo", columns=None)
    assert made == {
        "EDGEPROOF_IMAGE": "sha256:1",
        "EDGEPROOF_COMMIT": "",
        "PYTHONPATH": "/repo",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108
        "TERM": "dumb",
        "EDGEPROOF_DEBUG": "1",
    }


def test_the_job_learns_who_made_it() -> None:
    made = job_environment({}, image_id="sha256:1", commit="abc-dirty", code="/repo", columns=77)
    assert (made["EDGEPROOF_COMMIT"], made["COLUMNS"]) == ("abc-dirty", "77")
    assert "TERM" not in made


def test_the_caller_is_root_inside_of_a_rootless_engine() -> None:
    assert container_user(1000, 100, FACTS) == "1000:100"
    assert container_user(1000, 100, ROOTLESS) == "0:0"


def test_only_training_with_cuda_has_a_use_for_a_gpu() -> None:
    assert wants_gpu(Image.TRAINING, {"EDGEPROOF_TENSORFLOW": "cuda"})
    assert not wants_gpu(Image.TRAINING, {})
    assert not wants_gpu(Image.ADB, {"EDGEPROOF_TENSORFLOW": "cuda"})
