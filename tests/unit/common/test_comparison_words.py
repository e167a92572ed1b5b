"""A comparison in words says what was shown, and no more."""

import pytest

from common import comparison_words as words
from common.schema.results import Results
from tests.unit.common.run.test_between import LAST
from tests.unit.compare.runs import another, compared, results, slower
from tests.unit.report import factories as f

BASE = results()


def larger(given: Results) -> Results:
    """The last variant's file has a byte more."""
    *others, last = given.variants
    return given.model_copy(update={"variants": (*others, last.model_copy(update={"size_bytes": last.size_bytes + 1}))})


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (BASE, ("No difference.", "Latencies: 10 the same file.")),
        (another(BASE, LAST), ("Nothing shown to differ.", "Latencies: 8 the same file and 2 not resolved.")),
        (another(slower(BASE, 2, LAST), LAST), ("Worse.", "Latencies: 2 slower and 8 the same file.")),
        (
            another(slower(slower(BASE, 2, LAST), 0.4, "float16"), LAST, "float16"),
            ("Worse and better.", "Latencies: 2 slower, 2 faster and 6 the same file."),
        ),
        # A byte of metadata makes nothing worse.
        (larger(BASE), ("No difference.", "Latencies: 10 the same file; 1 file larger.")),
    ],
)
def test_the_verdict_is_what_was_shown(head: Results, told: tuple[str, str]) -> None:
    assert words.verdict(compared(BASE, head)) == told


def test_what_only_one_run_has_is_named() -> None:
    more = (*BASE.variants, f.variant_result("int8", 10))
    fewer = tuple(m for m in BASE.measurements if m.backend == "cpu")
    found = compared(BASE, BASE.model_copy(update={"variants": more, "measurements": fewer}))
    assert list(words.alone(found)) == [
        "only in the base: host, xnnpack, 1 thread, binary",
        "only in the head: variant int8",
    ]
