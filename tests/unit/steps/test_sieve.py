"""Which lines are for people. The chatter is what TensorFlow, LiteRT, Python and Docker really print."""

import pytest

from jobs.steps.sieve import Kind, Several, Sieve, share

CHATTER = """\
2026-11-29 11:04:33.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
2026-11-29 11:04:33.123456: E external/local_xla/xla/stream_executor/cuda/cuda_fft.cc:467] Unable to register cuFFT
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1732878273.123456    1234 cuda_executor.cc:1015] successful NUMA node read
W0000 00:00:1732878273.123456    1234 tf_tfl_flatbuffer_helpers.cc:365] Ignored output_format.
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
WARNING:absl:Found untraced functions such as _jit_compiled_convolution_op
INFO:tensorflow:Assets written to: /tmp/x/assets
fully_quantize: 0, inference_type: 6, input_inference_type: FLOAT32
/x/site-packages/tf_keras/saving.py:12: UserWarning: You are saving your model
  warnings.warn("You are saving your model")
"""
TOLD = """\
error: the disk is full
warning: the engine has no NVIDIA runtime, so this runs on the CPU
note: 4711 ended with exit status 1
4711 vanished (no answer); waiting, 180 s left
4711 does not answer; waiting, 176 s left
2026-11-29 11:04:33.123456: F tensorflow/core/framework/tensor.cc:844] Check failed
Traceback (most recent call last):
  File "x.py", line 1, in <module>
ValueError: 3
Segmentation fault
"""


@pytest.mark.parametrize(("text", "kind"), [(CHATTER, Kind.CHATTER), (TOLD, Kind.TOLD)])
def test_standard_error(text: str, kind: Kind) -> None:
    sieve = Sieve()
    assert [line for line in text.splitlines() if sieve.sort(2, line) is not kind] == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("epoch 2/4  loss 0.5", Kind.PROGRESS),
        ("baseline: 1,292,420 bytes; 25 of 25 promises kept", Kind.PROGRESS),
        ("note: clustered: promise waived (clusters of conv): the converter multiplied", Kind.TOLD),
        ("Google Pixel 8 (4711)  note: hot (thermal status 3): waited 20 s", Kind.TOLD),
        ("[3/12] round 1  int8 gpu x1  FAILED: no delegate", Kind.TOLD),
        ("", Kind.PROGRESS),
    ],
)
def test_standard_output(line: str, kind: Kind) -> None:
    assert Sieve().sort(1, line) is kind


def test_the_build_of_an_image_is_progress() -> None:
    assert [Sieve().sort(2, line) for line in ("+ docker buildx build .", "#12 [3/5] RUN pip")] == [Kind.PROGRESS] * 2


def test_a_training_tells_its_share_and_a_benchmark_which_adds_rounds_does_not() -> None:
    assert share("epoch 3/12  loss 0.5") == 0.25
    assert share("epoch 3/0  loss") is None
    assert share("[3/12] round 1  a cpu x1  3 us") is None
    assert share("") is None


def test_several_devices_stand_in_one_line() -> None:
    several = Several()
    first, second = "Google Pixel 7 (192.168.1.5:5555)", "samsung SM-S918B (R5CT)"
    assert several.line(f"{first}  [1/8] round 1  a cpu x1  5 us") == f"{first}  [1/8] round 1  a cpu x1  5 us"
    assert several.line(f"{second}  [1/8] round 1  a cpu x1  4 us") == f"{first} 1/8 · {second} 1/8"
    assert several.line(f"{first}  [2/8] round 1  b cpu x1  5 us") == f"{first} 2/8 · {second} 1/8"
    assert several.line("[3/8] round 1  a cpu x1  9 us") == "[3/8] round 1  a cpu x1  9 us"
