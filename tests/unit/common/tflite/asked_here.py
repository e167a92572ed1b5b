"""What XNNPACK takes of a file, asked as the asking process does, but in this one: for tests of many files."""

import json
import tempfile
from pathlib import Path

from common.tflite.ask import PLANS, NoPlan, Plan
from common.tflite.ask_runner import plans
from common.tflite.delegated import taken
from common.tflite.flat import parse
from common.tflite.reader import inspect


def plan_here(content: bytes) -> Plan | NoPlan:
    """The runtime's nodes of the main subgraph, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        [said] = plans({"model": str(path), "cuts": [[]]})
    return PLANS.validate_json(json.dumps(said))


def taken_here(content: bytes) -> tuple[bool | None, ...]:
    """For each operator of the main subgraph whether XNNPACK takes it. Fails where LiteRT does not load the file."""
    plan = plan_here(content)
    assert not isinstance(plan, NoPlan), plan
    answer = taken(parse(content).graphs[0], plan)
    assert not isinstance(answer, str), answer
    return answer


def unlike(content: bytes) -> list[tuple[str, str | None, bool | None]]:
    """The operators of the main graph of which the rules say something else than LiteRT, with both words."""
    table, answer = inspect(content).table, taken_here(content)
    return [
        (op.name, op.refusal, took) for op, took in zip(table, answer, strict=True) if took is not (op.refusal is None)
    ]
