"""What a check says to others: JUnit XML, annotations of GitHub, and the summary of a pull request. Pure."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from common import comparison_words as words
from common.printable import clean
from common.run import directions
from common.schema.budget import Check, Checked
from common.schema.comparison import Comparison
from common.summary import Summary, Table, markdown
from jobs.compare import check_words

# GitHub shows ten of a kind for a step.
MOST_ANNOTATIONS = 10
CHECK_HEADS = ("Limit", "Variant", "Where", "Verdict", "Found")
# What XML 1.0 has no form for, not even an escaped one.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(check: Check) -> bytes:
    """A test case per limit, a suite per budget: broken ones are failures, what cannot be said is an error."""
    root = ElementTree.Element("testsuites", _counts("edgeproof check", check.checked))
    for number in dict.fromkeys(each.budget for each in check.checked):
        own = tuple(each for each in check.checked if each.budget == number)
        suite = ElementTree.SubElement(root, "testsuite", _counts(f"budget {number}", own))
        for each in own:
            _case(suite, each)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _counts(name: str, checked: tuple[Checked, ...]) -> dict[str, str]:
    statuses = [each.status for each in checked]
    counts = {"tests": len(statuses), "failures": statuses.count("broken"), "errors": statuses.count("cannot say")}
    return {"name": name, **{key: str(number) for key, number in counts.items()}, "time": "0"}


def _case(suite: ElementTree.Element, each: Checked) -> None:
    where = "" if each.setting is None else f" on {words.place(each.setting)}"
    name = f"{each.limit} of {each.variant or f'budget {each.budget}'}{where}"
    attributes = {"name": _xml(name), "classname": f"edgeproof.{each.limit.replace(' ', '_')}", "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if each.status != "kept":
        kind = "failure" if each.status == "broken" else "error"
        found = ElementTree.SubElement(case, kind, {"message": _xml(each.text), "type": each.status.replace(" ", "_")})
        found.text = _xml(check_words.checked(each))


def _xml(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", clean(text))


def annotations(check: Check) -> Iterator[str]:
    """Lines that GitHub shows at a job: an error for what is broken, a warning for what cannot be said."""
    for status, command in (("broken", "error"), ("cannot say", "warning")):
        found = [each for each in check.checked if each.status == status]
        # The last of ten says how many more there are.
        shown = found if len(found) <= MOST_ANNOTATIONS else found[: MOST_ANNOTATIONS - 1]
        for each in shown:
            title = f"{each.limit} {status}"
            yield f"::{command} title={_property(title)}::{_data(check_words.checked(each))}"
        if len(found) > len(shown):
            yield f"::{command} title={status}::and {len(found) - len(shown)} more"


def _data(text: str) -> str:
    """The text of a workflow command; its forms are those of the runner's toolkit."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(check: Check, comparison: Comparison) -> bytes:
    """`summary.md`: the verdict, what decides it, and every row folded."""
    grave = sorted(check.checked, key=lambda each: ("broken", "cannot say", "kept").index(each.status))
    deciding = tuple(_row(each) for each in grave if each.status != "kept")
    word = {"kept": "Budgets kept", "broken": "Budgets broken", "cannot say": "Cannot say"}[check.status]
    _, counts = words.verdict(comparison)
    rows = tuple(words.cell(change)[:-2] for change in directions.cells(comparison))
    notes = (*map(words.differs, comparison.setup), words.method(comparison))
    return markdown(
        Summary(
            marker=f"check of {check.experiment}",
            verdict=f"{word}.",
            reason=f"{check_words.counted(check)} {counts}",
            deciding=Table(CHECK_HEADS, deciding),
            notes=notes if not comparison.itself else (),
            title=f"{len(rows)} rows, what changed first; everything else is in compare.md",
            everything=Table(words.HEADS[:-2], rows),
        )
    )


def _row(each: Checked) -> tuple[str, ...]:
    where = "" if each.setting is None else words.place(each.setting)
    return each.limit, each.variant or f"budget {each.budget}", where, each.status, each.text
