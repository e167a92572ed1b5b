"""How training images are changed at random."""

from typing import Annotated

from pydantic import Field

from common.schema.base import Model


class Augmentation(Model):
    """Random changes per training image. `crop` is the largest share cut away per side pair,
    `colour` the largest relative change of brightness, contrast and saturation."""

    flip: bool = False
    crop: Annotated[float, Field(ge=0, lt=0.9)] = 0.0
    colour: Annotated[float, Field(ge=0, lt=1)] = 0.0
