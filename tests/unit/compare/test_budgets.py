"""A file of budgets is right, or one line says what is wrong."""

from pathlib import Path

import pytest

from common.errors import UsageError
from jobs.compare.budgets import load

WRONG = {
    "": "budget: is missing",
    "budget = 1": "budget: must be a list, not 1",
    "budget = []": "budget: ",
    "[[budget]]": "budget.0: limits nothing: give one of latency_ms, size_mb,",
    '[[budget]]\nlatency_ms = "fast"': "budget.0.latency_ms: must be a valid number, not 'fast'",
    "[[budget]]\nlatency_ms = 0": "budget.0.latency_ms: ",
    "[[budget]]\nlatency = 3": "budget.0.latency: is not a known key",
    "[[budget]]\nsize_mb = nan": "budget.0.size_mb: ",
    "[[budget]]\nfull_delegation = false": "budget.0.full_delegation: ",
    "[[budget]]\nsize_mb = 3\nnoise = 0.1": "budget.0: noise goes with regression",
    '[[budget]]\nsize_mb = 3\nvariants = "best"': "budget.0.variants: must be 'recommended', not 'best' (",
    "[[budget]]\nsize_mb = -3": "budget.0.size_mb: must be greater than 0, not -3 (",
    "[[budget]]\nsize_mb = -3\nlatency_ms = -1": "budget.0.latency_ms: must be greater than 0, not -1; 1 more (",
    "[[budget]\nsize_mb = 3": "are not readable TOML",
    "[[budget]]\nsize_mb = 1979-05-27": "are not readable TOML",
    "a = " + "[" * 5000 + "]" * 5000: "are not readable TOML",
    "#" * (2 << 20): "more than the 1 MiB allowed",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "budgets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load(tmp_path / "budgets.toml")
    assert WRONG[text] in str(raised.value) and "\n" not in str(raised.value)


def test_every_key_is_taken(tmp_path: Path) -> None:
    text = """
    [[budget]]
    variants = "recommended"
    targets = ["Google Pixel*"]
    backends = ["gpu"]
    threads = [1, 4]
    latency_ms = 12
    size_mb = 2.5
    memory_mib = 60
    accuracy_loss = 0.01
    regression = 0.05
    noise = 0.1
    full_delegation = true
    output_check = true
    [[budget]]
    variants = ["int8*"]
    size_mb = 3
    """
    (tmp_path / "budgets.toml").write_text(text, encoding="utf-8")
    first, second = load(tmp_path / "budgets.toml").budgets.budget
    assert first.variants == "recommended" and first.threads == (1, 4) and first.latency_ms == 12.0
    assert second.variants == ("int8*",) and second.regression is None
