"""What a given .tflite file is, beside what is in it: its ports' names for callers, its labels, its pixels."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import EdgeproofError, UsageError
from common.schema.tflite import Port
from common.schema.variant import Signature
from common.tflite.flat import FlatFile, parse
from common.tflite.kinds import IDENTIFIER, WHOLE, other_kind
from common.tflite.pixels import metadata_pixels
from common.tflite.reader import Inspection, inspect

# Of a label file: a thousand classes take 20 kB.
MOST_LABEL_BYTES = 1 << 20


def read_given(path: Path) -> bytes:
    """The content of a .tflite file. Raises UsageError for what is none, and says what it is instead where that is
    known."""
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        error = other_kind(content)
        raise UsageError(f"{path}: {error.message}", hint=error.hint)
    return content


def inspected(path: Path, content: bytes) -> Inspection:
    """What is in a file. Raises EdgeproofError naming the file where it is damaged."""
    try:
        return inspect(content)
    except EdgeproofError as error:
        raise EdgeproofError(f"{path}: {error.message}", hint=error.hint or WHOLE) from None


def described(
    path: Path, content: bytes, pixels: tuple[float, float] | None, found: Inspection | None = None
) -> dict[str, Any]:
    """What a variant's artifact says of a file's content; `found` is what is in it, where that is known already.
    Raises EdgeproofError naming the file where it is damaged."""
    found = found or inspected(path, content)
    flat = parse(content)
    return {
        "classes": (),
        "labels": labels(content),
        "pixels": pixels or metadata_pixels(content) or _quantised_pixels(found.inputs),
        "signatures": tuple(_signatures(flat)),
        "deflated_bytes": found.proof.deflated_bytes,
        "keras_outputs": None,
        "passes": (),
        "inputs": found.inputs,
        "outputs": found.outputs,
        "operators": found.operators,
        "tensors": found.tensors,
        "proof": found.proof,
    }


def labels(content: bytes) -> tuple[str, ...]:
    """The lines of the label file behind a flatbuffer; none where there is none that can be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts = [entry for entry in archive.infolist() if entry.filename.endswith(".txt")]
            if len(texts) != 1 or texts[0].file_size > MOST_LABEL_BYTES:
                return ()
            return tuple(archive.read(texts[0])[:MOST_LABEL_BYTES].decode("utf-8", "replace").splitlines())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return ()


def _signatures(flat: FlatFile) -> Sequence[Signature]:
    """Those of the main subgraph that name every port, in the order of its ports."""
    main = flat.graphs[0]
    kept = []
    for signature in flat.signatures:
        inputs, outputs = _ordered(signature.inputs, main.inputs), _ordered(signature.outputs, main.outputs)
        if signature.graph == 0 and inputs is not None and outputs is not None:
            kept.append(Signature(name=signature.name, inputs=inputs, outputs=outputs))
    return kept


def _ordered(names: Mapping[str, int], ports: Sequence[int]) -> tuple[str, ...] | None:
    by_tensor = {tensor: name for name, tensor in names.items()}
    return tuple(by_tensor[port] for port in ports) if set(ports) == set(by_tensor) else None


def _quantised_pixels(inputs: Sequence[Port]) -> tuple[float, float]:
    """What the darkest and brightest stored value stand for, in an image input of integers; 0 and 1 elsewhere."""
    port = inputs[0] if inputs else None
    if port is None or port.dtype not in ("int8", "uint8"):
        return 0.0, 1.0
    if port.scale is None or port.zero_point is None:
        return 0.0, 255.0
    ends = np.iinfo(port.dtype)
    return (ends.min - port.zero_point) * port.scale, (ends.max - port.zero_point) * port.scale
