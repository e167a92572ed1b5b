"""Promises held against what a file holds, on made-up inspections."""

from typing import Any

import numpy as np
import pytest

from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.tflite import Tensor
from common.tflite.reader import Inspection, Kernel
from jobs.optimize.pass_result import Expectation
from jobs.optimize.promises import check
from tests.proofs import proof

FLOAT = Recipe(convert=Convert(format="float32"))
DYNAMIC = Recipe(convert=Convert(format="dynamic_range"))


PROOF = proof()


def kernel(values: Any, name: str = "dense/MatMul") -> Kernel:
    values = np.asarray(values)
    tensor = Tensor(
        name=name,
        shape=values.shape,
        dtype=values.dtype.name,
        elements=values.size,
        zeros=float(np.mean(values == 0)),
        unique_per_channel=max(len(np.unique(row)) for row in values),
    )
    return Kernel("FULLY_CONNECTED", tensor, lambda: values)


def seen(*kernels: Kernel) -> Inspection:
    return Inspection(tuple(item.tensor for item in kernels), kernels, (), (), {}, (), PROOF)


def expected(layer: str, claim: Any, bound: float, **more: int) -> Expectation:
    return Expectation(layer, claim, 32, 64, bound, **more)


def sparse(share: float, dtype: type = np.float32) -> np.ndarray:
    values: np.ndarray = np.random.default_rng(1).uniform(1, 2, 2048).astype(dtype)
    values[: round(share * 2048)] = 0
    return values.reshape(32, 64)


def clustered(values: int, dtype: type = np.int8) -> np.ndarray:
    return (np.arange(2048, dtype=np.int32) % values + 1).astype(dtype).reshape(32, 64)


FLOATS = clustered(8, np.float32)


def verdicts(recipe: Recipe, expectation: Expectation, inspection: Inspection) -> dict[str, bool]:
    return {promise.claim: promise.kept for promise in check(recipe, [expectation], inspection)}


@pytest.mark.parametrize(
    ("recipe", "expectation", "values", "kept"),
    [
        (FLOAT, expected("d", "sparsity", 0.5), sparse(0.5), {"sparsity": True, "type": True, "weights": True}),
        (FLOAT, expected("d", "sparsity", 0.5), sparse(0.4), {"sparsity": False, "type": True, "weights": True}),
        (FLOAT, expected("d", "sparsity", 0.5), sparse(1.0), {"sparsity": True, "type": True, "weights": False}),
        (DYNAMIC, expected("d", "clusters", 8), clustered(8), {"clusters": True, "type": True, "weights": True}),
        (DYNAMIC, expected("d", "clusters", 8), clustered(9), {"clusters": False, "type": True, "weights": True}),
        (DYNAMIC, expected("d", "clusters", 8), FLOATS, {"clusters": True, "type": False, "weights": True}),
    ],
)
def test_verdicts(recipe: Recipe, expectation: Expectation, values: np.ndarray, kept: dict[str, bool]) -> None:
    assert verdicts(recipe, expectation, seen(kernel(values))) == kept


def test_every_group_must_have_its_zeros() -> None:
    groups = np.tile(np.array([0, 1, 0, 2], np.float32), 512).reshape(32, 64)
    claim = expected("d", "groups", 0.5, zeros=2, group=4)
    assert verdicts(FLOAT, claim, seen(kernel(groups)))["groups"]
    groups[3, 4] = 1
    broken = check(FLOAT, [claim], seen(kernel(groups)))[0]
    assert not broken.kept
    assert broken.observed == "99.8% of the groups have them"


def test_a_kernel_that_is_not_in_the_file_is_missed() -> None:
    promise = check(FLOAT, [expected("gone", "sparsity", 0.5)], seen(kernel(np.ones((4, 4), np.float32))))[0]
    assert (promise.subject, promise.observed, promise.kept) == ("gone", "no such kernel", False)


def test_kernels_of_one_size_are_told_apart_by_what_they_hold() -> None:
    claims = [expected("less", "sparsity", 0.25), expected("more", "sparsity", 0.75)]
    both = seen(kernel(sparse(0.25), "a"), kernel(sparse(0.75), "b"), kernel(sparse(0.0), "c"))
    kept = {promise.subject: promise.kept for promise in check(FLOAT, claims, both) if promise.claim == "sparsity"}
    assert kept == {"less": True, "more": True}
    one_lost = seen(kernel(sparse(0.1), "a"), kernel(sparse(0.75), "b"), kernel(sparse(0.0), "c"))
    kept = {promise.subject: promise.kept for promise in check(FLOAT, claims, one_lost) if promise.claim == "sparsity"}
    assert kept == {"less": False, "more": True}


def test_a_fold_by_the_converter_is_told_and_does_not_fail() -> None:
    folded = kernel(clustered(90), "net/batch_normalization/batchnorm/mul_1;net/dense/MatMul")
    clusters = check(DYNAMIC, [expected("dense", "clusters", 8)], seen(folded))[0]
    assert not clusters.kept
    assert clusters.waived is not None
    assert clusters.observed == "64 values per channel"
