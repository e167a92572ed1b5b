"""A variant's file as a model of MLflow: what stands beside it in the file MLmodel."""

from typing import TYPE_CHECKING

from common.ports import input_names, output_names
from common.schema.tflite import Port
from jobs.formats.files import Packed

if TYPE_CHECKING:
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema

FLAVOR = "tflite"


def described(packed: Packed, run_id: str) -> "Model":
    """The description of a file: name, size and hash under the flavor `tflite`, inputs and outputs as the signature."""
    from mlflow.models import Model

    variant = packed.variant
    found = Model(artifact_path="model", run_id=run_id, signature=_signature(packed))
    found.add_flavor(FLAVOR, data=packed.path.name, sha256=variant.model.sha256, size_bytes=variant.model.size_bytes)
    return found


def _signature(packed: Packed) -> "ModelSignature | None":
    """None for types that NumPy does not know, such as int4."""
    from mlflow.models import ModelSignature

    variant = packed.variant
    try:
        inputs = _schema(input_names(variant), variant.inputs)
        return ModelSignature(inputs=inputs, outputs=_schema(output_names(variant), variant.outputs))
    except TypeError:
        return None


def _schema(names: tuple[str, ...], ports: tuple[Port, ...]) -> "Schema":
    import numpy as np
    from mlflow.types import Schema, TensorSpec

    sides = [port.open_shape or port.shape for port in ports]
    return Schema(
        [TensorSpec(np.dtype(port.dtype), side, name) for name, port, side in zip(names, ports, sides, strict=True)]
    )
