"""What every stored model shares: frozen, nothing unknown accepted, no silent coercion."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SHA256_PATTERN = r"^[0-9a-f]{64}$"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
# Names become folder names, Make targets and page anchors, so nothing else is let in.
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Model(BaseModel):
    """Immutable value; unknown keys and wrong types are errors, NaN and infinity too."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FileRef(Model):
    """A file beside the artifact's JSON, so that a reader can tell whether it is still the same."""

    path: str
    sha256: Sha256
    size_bytes: Count


class Interval(Model):
    """An estimate with the ends of its confidence interval, all in the estimate's unit."""

    value: float
    low: float
    high: float
    confidence: Share = 0.95


class Proportion(Model):
    """`successes` of `total` with a Wilson score interval."""

    successes: Count
    total: Count
    value: Share
    low: Share
    high: Share
    confidence: Share = 0.95
