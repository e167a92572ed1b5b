"""Complaints about an experiment, as the person who wrote it reads them: key, value, what is allowed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import UsageError
from common.experiment import load
from common.problems import PATTERNS
from common.schema.experiment import Experiment
from tests.artifacts import EXPERIMENT

PRUNE = 'pass = "prune", '
FLOAT16 = 'convert = { format = "float16" }'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            PRUNE,
            'pass = "shrink", ',
            "variants.pruned.passes.0.pass: must be one of 'distill', 'prune', 'cluster', 'quantize_aware', "
            "'factorize', 'fold_batch_norm', 'merge_separable', not 'shrink'",
        ),
        (PRUNE, "", "variants.pruned.passes.0.pass: is missing"),
        ("sparsity = 0.5", "sparsity = 1.5", "variants.pruned.passes.0.sparsity: must be less than 1, not 1.5"),
        ("sparsity = 0.5", "spars = 1", "variants.pruned.passes.0.spars: is not a known key"),
        (
            "[variants.float16]",
            '[variants."a/../b"]',
            "variants.a/../b: must be up to 64 letters, digits, dots, dashes and underscores, and start with a letter "
            "or digit, not 'a/../b'",
        ),
        (FLOAT16, "convert = 5", "variants.float16.convert: must be a table, not 5"),
        (FLOAT16, FLOAT16.replace("float16", "half"), "variants.float16.convert.format: must be 'float32', 'float16'"),
        (
            FLOAT16,
            FLOAT16.replace(" }", ", integer_io = true }"),
            "variants.float16.convert: integer_io goes with int8, int16x8, static_wi8_ai8 or static_wi8_ai16, "
            "not with float16",
        ),
        (FLOAT16, 'from = "a.tflite"', "variants.float16.convert: is missing"),
        (FLOAT16, 'from = "a.keras"', "variants.float16.convert: is missing"),
        (FLOAT16, 'file = "a\\nb.tflite"', "must be a path that can be shown in one line: without line breaks"),
        (
            FLOAT16,
            FLOAT16.replace("float16", "int8").replace(" }", ", npu = 'a' }"),
            "must be a maker and a chip as in",
        ),
        (FLOAT16, 'file = "a.tflite"\nform = 1', "variants.float16.form: is not a known key"),
        ("[variants.baseline]", "[variants.base]", "toml: reference 'baseline' is not among the variants"),
        ("rounds = 2", "threads = 3", "benchmark.threads: must be a list, not 3"),
        ("rounds = 2", "threads = [1, 'x']", "benchmark.threads.1: must be a valid integer, not 'x'"),
        ("rounds = 2", f"rounds = '{'9' * 500}'", f"rounds: must be a valid integer, not '{'9' * 59}…"),
        ("rounds = 2", "rounds = true", "rounds: must be a valid integer, not true"),
        ("[data]", "[data]\nsha256 = 'abc'", "data.sha256: must be 64 hexadecimal digits, not 'abc'"),
        ("[data]", "data = 5\n[benchmarks]", "data: must be a table, not 5; 1 more"),
        ("[data]", "[data]\nheight = {}", "is not readable TOML"),
        ("seed = 7", "seed = -7\nreference = 1", "seed: must be greater than or equal to 0, not -7; 1 more"),
    ],
)
def test_a_mistake_is_one_readable_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in EXPERIMENT
    path = tmp_path / "tiny.toml"
    path.write_text(EXPERIMENT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(path))
    for jargon in ("Value error", "Input tag", "discriminator", "{'"):
        assert jargon not in str(caught.value)


def test_every_pattern_of_an_experiment_has_words_of_its_own() -> None:
    def patterns(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("pattern"), str):
                yield part["pattern"]
            yield from (found for value in part.values() for found in patterns(value))
        elif isinstance(part, list):
            yield from (found for value in part for found in patterns(value))

    found = set(patterns(Experiment.model_json_schema()))
    assert len(found) >= 6
    assert found <= PATTERNS.keys()
