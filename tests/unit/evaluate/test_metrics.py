"""Figures of a classifier beside those of scikit-learn and SciPy, which are too large to be shipped for them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, roc_auc_score

from common.run.keeping import sign_test
from jobs.evaluate.metrics import confusion, roc_auc


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 2), min_size=6, max_size=60),
    seed=st.integers(0, 10_000),
    rounded=st.booleans(),
)
def test_figures_are_those_of_scikit_learn_and_scipy(labels: list[int], seed: int, rounded: bool) -> None:
    truth = np.array([0, 1, 2, *labels], np.int32)
    outputs = np.random.default_rng(seed).random((len(truth), 3), np.float32)
    outputs = outputs.round(1) if rounded else outputs
    found = confusion(outputs, truth)
    assert np.array_equal(found, confusion_matrix(truth, outputs.argmax(axis=1), labels=[0, 1, 2]))
    wanted = np.mean([roc_auc_score(truth == label, outputs[:, label]) for label in range(3)])
    assert roc_auc(outputs, truth) == pytest.approx(wanted, abs=1e-12)
    fewer, coins = int(truth.sum()) % len(truth), len(truth)
    assert sign_test(min(fewer, coins - fewer), coins) == pytest.approx(binomtest(fewer, coins).pvalue, rel=1e-9)


def test_a_sign_test_of_many_coins_takes_no_time() -> None:
    assert sign_test(4800, 10_000) == pytest.approx(binomtest(4800, 10_000).pvalue, rel=1e-9)
