"""A whole run, made once."""

import pytest

from tests.whole_run import Whole, whole_run


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Three files, labelled images, two devices. Tests only read it."""
    return whole_run(tmp_path_factory.mktemp("whole"), devices=("one", "two"))
