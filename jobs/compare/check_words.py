"""A check of budgets in words. Pure: nothing is decided or escaped here."""

from collections import Counter

from common.comparison_words import place
from common.numbers import listed
from common.schema.budget import Check, Checked


def checked(each: Checked) -> str:
    """A limit, what it is of, and what was found."""
    where = "" if each.setting is None else f" on {place(each.setting)}"
    who = f"budget {each.budget}" if each.variant is None else each.variant
    return f"{each.limit} of {who}{where}: {each.text}"


def status(check: Check) -> str:
    """The verdict in a sentence, with the exit status that goes with it."""
    heading = {"kept": "Budgets kept", "broken": "Budgets broken", "cannot say": "Cannot say whether budgets are kept"}
    return f"{heading[check.status]}: {counted(check)}"


def counted(check: Check) -> str:
    """How many limits came out how, and the exit status."""
    counts = Counter(each.status for each in check.checked)
    told = tuple(f"{number} {word}" for word in ("broken", "cannot say", "kept") if (number := counts[word]))
    return f"{listed(told)} (exit status {check.exit_code})."
