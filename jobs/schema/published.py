"""The schema of the results file as text. Pure."""

from common.artifact import indented
from common.schema.results import Results

NAME = "results.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def results_schema() -> bytes:
    """JSON Schema (draft 2020-12) of `results.json` of every version. What a younger version added may be missing;
    edgeproof itself writes every key."""
    schema = {"$schema": DIALECT, **Results.model_json_schema()}
    return indented(schema)
