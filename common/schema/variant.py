"""`variant.json`: one optimised model and the proof of what is in its file.

Version history: 1 first; 2 adds `proof` and the tensors' quantisation parameters (a file of version 1 can be read).
"""

from typing import Literal

from common.schema.base import Count, FileRef, Model
from common.schema.provenance import Artifact
from common.schema.recipe import Recipe
from common.schema.tflite import Port, Proof, Tensor


class LayerNote(Model):
    """What a pass did to a layer, or why it left the layer alone."""

    layer: str
    action: str


class PassReport(Model):
    """One pass as it ran."""

    name: str
    layers: tuple[LayerNote, ...]


class Promise(Model):
    """One claim of the recipe, checked on the file.

    `waived` says why a claim that is not kept does not fail the stage; None in every other case.
    """

    claim: str
    subject: str
    expected: str
    observed: str
    kept: bool
    waived: str | None = None


class Variant(Artifact):
    """`deflated_bytes` is the file's size in a zip (DEFLATE, level 6).

    `keras_outputs` holds float32 [n, classes]: the outputs for the reported images of the Keras model that the
    file was converted from. `proof` is None in a file of version 1.
    """

    schema_version: Literal[1, 2] = 2
    name: str
    recipe: Recipe
    classes: tuple[str, ...]
    model: FileRef
    deflated_bytes: Count
    keras_outputs: FileRef
    passes: tuple[PassReport, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, Count]
    tensors: tuple[Tensor, ...]
    promises: tuple[Promise, ...]
    proof: Proof | None = None
