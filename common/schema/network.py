"""Which network to train."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.schema.base import Model

# The project's own networks, and which settings each has.
SETTINGS = {
    "FireDetectionNet": frozenset({"batch_norm_momentum"}),
    "CompactNet": frozenset({"batch_norm_momentum", "width", "stride"}),
}


class Network(Model):
    """The other settings belong to the project's own networks; None is the network's default. `width`
    multiplies the number of channels, `stride` is that of the first convolution.
    """

    architecture: Literal["FireDetectionNet", "CompactNet"] = "FireDetectionNet"
    batch_norm_momentum: Annotated[float, Field(gt=0, lt=1)] | None = None
    width: Annotated[float, Field(gt=0, le=16)] | None = None
    stride: Annotated[int, Field(ge=1, le=4)] | None = None

    @model_validator(mode="after")
    def _settings_belong(self) -> Self:
        for key in ("batch_norm_momentum", "width", "stride"):
            owners = [name for name, settings in SETTINGS.items() if key in settings]
            if getattr(self, key) is not None and self.architecture not in owners:
                raise ValueError(f"{key} is a setting of {' and '.join(owners)}, not of {self.architecture}")
        return self
