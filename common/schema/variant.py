"""`variant.json`: one optimised model and the proof of what is in its file.

Version history: 1 first; 2 adds `proof` and the tensors' quantisation parameters; 3 adds variants that come from a
file, without recipe, classes and Keras outputs; 4 adds the file that an NPU runs; 5 has in `proof` what the runtime
said of XNNPACK, where 4 has only the rules' word, the figures of the first subgraph and what it calls, where the
others' were added, operators whose multiply-accumulates cannot be counted, and faults; and the tensors' subgraph and
scales that are not finite; 6 adds how the file does on the validation images, and whether a layer was changed.
All are still read.
"""

from typing import Literal

from common.schema.base import Count, FileRef, Model, NpuTarget, Sha256
from common.schema.given import Given
from common.schema.provenance import Artifact
from common.schema.recipe import Recipe
from common.schema.tflite import Port, Proof, Tensor


class LayerNote(Model):
    """What a pass did to a layer, or why it left the layer alone, which is then not `changed`; files before version 6
    do not tell."""

    layer: str
    action: str
    changed: bool = True


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


class Validation(Model):
    """Answers to the validation images, of which the trained network has `right` of `images` right. The file lost
    `lost` of those and has `won` others right."""

    images: Count
    right: Count
    lost: Count
    won: Count

    def loss(self, reference: "Validation") -> float:
        """The share of the images by which it has fewer right than the reference."""
        return (reference.own - self.own) / max(1, self.images)

    @property
    def own(self) -> int:
        """How many the file has right itself."""
        return self.right - self.lost + self.won


class Origin(Model):
    """The file that a variant comes from: its path as it was given, and its hash."""

    file: str
    sha256: Sha256


class Signature(Model):
    """A signature of a file: its name, and the names of its inputs and outputs."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Compiled(Model):
    """The file with what the NPU of `target` takes compiled for it ahead of time, and that file's `operators`."""

    target: NpuTarget
    model: FileRef
    operators: dict[str, Count]


class Variant(Artifact):
    """`deflated_bytes` is the file's size in a zip (DEFLATE, level 6).

    `recipe` is None where the file was given or made from one that was, `origin` where it was made from the trained
    network.
    `keras_outputs` holds float32 [n, classes]: the outputs for the reported images of the Keras model that the
    file was converted from; None without one. `classes` are those that the network was trained for, `labels` those
    of the label file inside a given one; both may be empty. `pixels` is what an image input takes for 0 and 255.
    `proof` is None in a file of version 1. `compiled` is what an NPU runs in place of `model`, which is what all else
    runs and what is evaluated. `validation` is None where the file does not come from the trained network, and before
    version 6.
    """

    schema_version: Literal[1, 2, 3, 4, 5, 6] = 6
    name: str
    recipe: Recipe | None
    given: Given | None = None
    origin: Origin | None = None
    classes: tuple[str, ...]
    labels: tuple[str, ...] = ()
    pixels: tuple[float, float] = (0.0, 1.0)
    signatures: tuple[Signature, ...] = ()
    model: FileRef
    deflated_bytes: Count
    keras_outputs: FileRef | None
    passes: tuple[PassReport, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, Count]
    tensors: tuple[Tensor, ...]
    promises: tuple[Promise, ...]
    validation: Validation | None = None
    proof: Proof | None = None
    compiled: Compiled | None = None
