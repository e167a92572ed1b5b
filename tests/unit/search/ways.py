"""The recipe of a candidate that comes from a network."""

from common.schema.recipe import Recipe
from common.schema.search_result import Candidate


def recipe(one: Candidate) -> Recipe:
    """It is none of a file."""
    assert isinstance(one.recipe, Recipe)
    return one.recipe
