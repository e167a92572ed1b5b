"""Which lock file an image is installed from."""

from collections.abc import Mapping

from common.errors import UsageError

TENSORFLOW_VARIABLE = "EDGEPROOF_TENSORFLOW"
# The lock file of each choice of TensorFlow, which is in one image.
TENSORFLOW_LOCKS = {"cpu": "requirements.txt", "cuda": "requirements-cuda.txt"}
TENSORFLOW_IMAGE = "training"


def tensorflow_variant(environment: Mapping[str, str]) -> str:
    """`cpu` or `cuda`. Raises UsageError for another value of the variable."""
    variant = environment.get(TENSORFLOW_VARIABLE) or "cpu"
    if variant not in TENSORFLOW_LOCKS:
        raise UsageError(f"{TENSORFLOW_VARIABLE}={variant} is unknown", hint="use cpu or cuda")
    return variant


def lock_name(image: str, environment: Mapping[str, str]) -> str:
    """File name of the lock in docker/<image>/ that an image is installed from."""
    return TENSORFLOW_LOCKS[tensorflow_variant(environment)] if image == TENSORFLOW_IMAGE else "requirements.txt"
