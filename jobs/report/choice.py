"""The recommendation in words. Pure."""

from common.schema.choice import Choice, Standing
from common.schema.results import Results


def sentences(choice: Choice) -> tuple[str, ...]:
    """What to ship, and whether the network or the quantiser mattered more."""
    return (choice.recommendation[0], *((choice.network,) if choice.network else ()))


def standing(results: Results, name: str) -> Standing | None:
    """What was decided of a variant; None without a choice."""
    standings = () if results.choice is None else results.choice.standings
    return next((found for found in standings if found.candidate.name == name), None)
