"""An experiment that somebody else wrote is one line or an experiment, soon."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import UsageError
from common.experiment import load
from common.model_file import model_inputs
from tests.artifacts import EXPERIMENT, write_experiment

MOST_S = 2.0
TEXTS = {
    "a key of 50,000 parts": ".".join("a" * 50_000) + " = 1",
    "keys of 1,000 parts": "\n".join(".".join([f"k{line}", *"a" * 1000]) + " = 1" for line in range(120)),
    "tables of 1,000 parts": "\n".join("[" + ".".join([f"k{line}", *"a" * 1000]) + "]" for line in range(120)),
    "keys of 100 parts": "\n".join(".".join([f"k{line}", *"a" * 99]) + " = 1" for line in range(1_200)),
    "quoted keys": "\n".join(".".join([f"k{line}", *['""'] * 99]) + " = 1" for line in range(800)),
    "keys of inline tables": "\n".join(f"k{line} = {{ {'.'.join('a' * 99)} = 1 }}" for line in range(1_200)),
    "an integer of 2,000 digits": "seed = " + "9" * 2000,
    "an integer of 5,000 digits": "seed = " + "9" * 5000,
    "hexadecimal digits": "seed = 0x" + "f" * 2000,
    "a float without end": "seed = 1e" + "9" * 2000,
    "inline tables": "a = " + "{a = " * 400,
    "a file of zeros": "\0" * (300 << 10),
    "many line ends": "\n" * (255 << 10),
    "many tables": "\n".join(f"[a{number}]" for number in range(30_000)),
    "many tables of a list": "[[a]]\n" * 40_000,
}


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_has_no_end_is_not_read(kind: str, tmp_path: Path) -> None:
    def make(path: Path) -> Path:
        os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
        return path

    with pytest.raises(UsageError, match=r"theirs\.toml is no plain file"):
        load(make(tmp_path / "theirs.toml"))
    make(tmp_path / "net.h5")
    named = EXPERIMENT.replace("batch_norm_momentum = 0.9", 'architecture = "net.h5"')
    with pytest.raises(UsageError, match=r"net\.h5 is no plain file"):
        model_inputs("model", write_experiment(tmp_path, named).settings.model, tmp_path)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_it_is_one_line_and_soon(text: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.toml"
    path.write_text(text)
    start = time.process_time()
    with pytest.raises(UsageError) as caught:
        load(path)
    assert time.process_time() - start < MOST_S
    assert len(str(caught.value)) < 3000
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.text(max_size=60), at=st.integers(0, len(EXPERIMENT)))
def test_no_text_is_a_traceback(noise: str, at: int, tmp_path: Path) -> None:
    path = tmp_path / "theirs.toml"
    path.write_bytes((EXPERIMENT[:at] + noise + EXPERIMENT[at:]).encode("utf-8", "surrogatepass"))
    try:
        load(path)
    except UsageError as error:
        assert str(error).isprintable()
