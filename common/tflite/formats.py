"""In which format litert-quantizer left each layer or operator, in the file's words. Pure."""

from common.schema.variant import LayerNote, PassReport
from common.tflite.parts import Part
from common.tflite.quantizer import LEFT, Quantization
from common.tflite.reader import Inspection

# What a conversion is called among the passes.
CONVERT = "convert"
INTEGERS = ("int8", "int16x8", "hybrid")
KERNELS = ("int8", "int4")


def formats(wanted: Quantization, found: Inspection) -> PassReport:
    """What became of every layer that has an operator in the file, in the file's order, or of every operator of a file:
    changed are those that are quantised, a layer where one of its operators is. `wanted` has the operators of the very
    file that `found` tells of."""
    domains = {(entry.subgraph, entry.index): entry.domain for entry in found.table}
    stored = {tensor.name for tensor in found.tensors if tensor.dtype in KERNELS}
    told: dict[str, dict[str, bool]] = {}
    for part in wanted.parts:
        domain = domains.get((part.graph, part.index), "conversion")
        if domain == "conversion" or not part.owner:
            continue
        quantised = domain in INTEGERS or any(name in stored for name in part.constants)
        told.setdefault(part.owner, {}).setdefault(_said(wanted, part, quantised=quantised), quantised)
    return PassReport(
        name=CONVERT,
        layers=tuple(
            LayerNote(layer=layer, action="; ".join(actions), changed=any(actions.values()))
            for layer, actions in told.items()
        ),
    )


def _said(wanted: Quantization, part: Part, *, quantised: bool) -> str:
    format_ = wanted.format(part)
    if quantised:
        return f"in {format_}"
    return "left in float32: as the recipe says" if format_ == "float32" else f"left in float32: {LEFT}"
