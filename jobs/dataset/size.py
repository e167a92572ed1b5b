"""The size of the images where a given file decides it."""

from pathlib import Path

from common.artifact import read
from common.errors import UsageError
from common.schema.experiment import Data
from common.schema.variant import Variant

IMAGE_SIDES, COLOURS = 4, 3
# Those of common.schema.experiment.Side.
SIDES = (16, 1024)


def sized(settings: Data, like: Path | None) -> Data:
    """The settings with the height and width of the input of the variant in folder `like`, unless they say it.

    Raises UsageError for a file that takes no image of three colours, or one of any size.
    """
    if like is None or {"height", "width"} & settings.model_fields_set:
        return settings
    variant = read(like / "variant.json", Variant)
    shapes = [port.open_shape or port.shape for port in variant.inputs]
    if len(shapes) != 1 or len(shapes[0]) != IMAGE_SIDES or shapes[0][3] != COLOURS:
        taken = " and ".join(str(list(shape)) for shape in shapes)
        text = f"images with labels are for classifiers of [1, height, width, 3], but {variant.name} takes {taken}"
        raise UsageError(text, hint="leave the data out: then the files' answers are compared")
    _, height, width, _ = shapes[0]
    if -1 in (height, width):
        raise UsageError(
            f"{variant.name} takes images of any size", hint="set [data] height and width in an experiment"
        )
    least, most = SIDES
    if not (least <= height <= most and least <= width <= most):
        text = f"{variant.name} takes images of {height} x {width}; from {least} to {most} pixels a side can be read"
        raise UsageError(text, hint="leave the data out: then the files' answers are compared")
    return Data.model_validate({**settings.model_dump(), "height": height, "width": width})
