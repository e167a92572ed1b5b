"""Input flags: which tensors they mean, and what the tool feeds them."""

from dataclasses import dataclass

from tests.devices.phone.classic.flags import Flags
from tests.devices.phone.classic.runtime import Model, Runtime, Tensor, ToolError, shape_of

EXAMPLE = "For example --input_layer=input1,input2 --input_layer_shape=1,224,224,4:1,20"


@dataclass(frozen=True)
class Inputs:
    """Every input's shape, none for the model's own, and the bytes for each input that has a file."""

    shapes: tuple[tuple[int, ...], ...]
    contents: tuple[bytes, ...]


def check(flags: Flags) -> None:
    """Refuse layers and shapes that do not go together. Raises ToolError."""
    layers, shapes = _layers(flags), _shapes(flags)
    if len(layers) != len(shapes):
        raise ToolError(
            f"The number of items in --input_layer_shape ({flags.text('input_layer_shape')}, with {len(shapes)} items)"
            f" must match the number of items in --input_layer ({flags.text('input_layer')}, with {len(layers)} "
            f"items). {EXAMPLE}"
        )


def read_inputs(flags: Flags, model: Model, runtime: Runtime) -> Inputs:
    """Check the flags against the model and read the files. Raises ToolError."""
    shapes: list[tuple[int, ...]] = []
    if _layers(flags) and len(_layers(flags)) != len(model.inputs):
        raise ToolError(f"Inputs mismatch: Model inputs #:{len(model.inputs)} expected: {len(_layers(flags))}")
    for index, (layer, text) in enumerate(zip(_layers(flags), _shapes(flags), strict=True)):
        tensor = model.inputs[index]
        if layer != tensor.name:
            runtime.out(f"WARN: Tensor # {index} is named {tensor.name} but flags call it {layer}\n")
        shapes.append(shape_of(text))
        if len(shapes[-1]) != len(tensor.shape):
            raise ToolError(f"Input tensor #{index} should have {len(tensor.shape)} dimensions!")
    tensors = [
        Tensor(tensor.name, shapes[index] if index < len(shapes) else tensor.shape, tensor.item_bytes)
        for index, tensor in enumerate(model.inputs)
    ]
    contents = [_read(tensor, files, runtime) for tensor in tensors if (files := _files(flags))]
    return Inputs(tuple(shapes), tuple(contents))


def _layers(flags: Flags) -> list[str]:
    return [name for name in flags.text("input_layer").split(",") if name]


def _shapes(flags: Flags) -> list[str]:
    return [shape for shape in flags.text("input_layer_shape").split(":") if shape]


def _files(flags: Flags) -> dict[str, str]:
    """`name:path,…` with a colon of a name written twice."""
    files = {}
    for item in filter(None, flags.text("input_layer_value_files").split(",")):
        name, colon, path = item.replace("::", "\0").partition(":")
        if not colon:
            raise ToolError("Wrong input value file item specified: " + item)
        files[name.replace("\0", ":")] = path.replace("\0", ":")
    return files


def _read(tensor: Tensor, files: dict[str, str], runtime: Runtime) -> bytes:
    path = files.get(tensor.name)
    if path is None:
        raise ToolError(f"No input value file for {tensor.name}")
    try:
        content = runtime.read(path)
    except OSError:
        raise ToolError(f"Failed to read the input_layer_value_file:{path}") from None
    if len(content) != tensor.size_bytes:
        raise ToolError(f"The size of {path} is {len(content)} bytes. It should be {tensor.size_bytes} bytes.")
    return content
