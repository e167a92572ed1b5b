"""Compiling for an NPU ahead of time: what is refused, and what the real plugin says without its vendor's SDK."""

from pathlib import Path

import pytest

from common.errors import EdgeproofError, UsageError
from common.npu_sdk import require
from common.schema.convert import Convert
from common.tflite import aot
from tests.devices import tiny_model


def test_without_the_sdk_one_line_says_what_to_install() -> None:
    require([])
    with pytest.raises(UsageError) as missing:
        require(["Qualcomm/SM8750"])
    assert "takes Qualcomm's SDK, which is not installed" in missing.value.message
    assert "install ai-edge-litert-sdk-qualcomm" in str(missing.value.hint)
    with pytest.raises(UsageError, match="no NPU of Acme can be compiled for"):
        require(["Acme/X1"])


def test_a_target_is_a_vendor_and_a_chip() -> None:
    assert Convert(format="int8", npu="Qualcomm/SM8750").npu == "Qualcomm/SM8750"
    for wrong in ("SM8750", "Qualcomm/", "Qualcomm/SM8750;rm", "../SM8750"):
        with pytest.raises(ValueError, match="npu"):
            Convert(format="int8", npu=wrong)


def test_the_plugins_reason_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's own compiler runs; only the SDK is not there."""
    monkeypatch.setattr(aot, "require", lambda _targets: None)
    content = tiny_model.PATH.read_bytes()
    with pytest.raises(EdgeproofError) as refused:
        aot.compiled(content, "Qualcomm/SM8750")
    assert "could not be compiled for Qualcomm/SM8750: Could not load shared library" in refused.value.message
    with pytest.raises(UsageError, match=r"Qualcomm's plugin knows no SM1"):
        aot.compiled(content, "Qualcomm/SM1")


def test_the_reason_is_in_the_log_that_is_named(tmp_path: Path) -> None:
    log = tmp_path / "x.error"
    log.write_text("INFO: fine\nCould not load shared library /a/libQnnHtp.so: no such file\n", encoding="utf-8")
    assert aot.reason(f"failed. See {log} for details.").startswith("Could not load shared library")
    assert aot.reason("See /nowhere/y.error for details.") == "See /nowhere/y.error for details."
