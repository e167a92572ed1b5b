"""What is said of promises that were let pass."""

from common.promises import waived
from common.schema.variant import Promise


def promise(subject: str, *, kept: bool = False, reason: str | None = None) -> Promise:
    return Promise(claim="clusters", subject=subject, expected="8", observed="90", kept=kept, waived=reason)


def test_each_reason_is_a_line_with_all_that_it_let_pass() -> None:
    promises = [promise("a", reason="folded"), promise("b", reason="float"), promise("c", reason="folded")]
    promises += [promise("d", kept=True), promise("e")]
    assert list(waived("small", promises)) == [
        "note: small: promise waived (clusters of b): float",
        "note: small: promise waived (clusters of a and clusters of c): folded",
    ]
    assert list(waived("small", promises[3:])) == []
