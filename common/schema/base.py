"""What every stored model shares: frozen, nothing unknown accepted, no silent coercion."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SHA256_PATTERN = r"^[0-9a-f]{64}$"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
# What 64 bits hold; more would be no count, and no float either.
MOST = (1 << 63) - 1
Count = Annotated[int, Field(ge=0, le=MOST)]
# Names become folder names, Make targets and page anchors, so nothing else is let in.
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Model(BaseModel):
    """Immutable value; unknown keys and wrong types are errors, NaN and infinity too."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _inside(path: str) -> str:
    parts = path.split("/")
    if not path.isprintable() or "\\" in path or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("must be a path inside the artifact's folder: no slash first, no '..', no control characters")
    return path


# Read on a machine that did not write it, so it must not lead out of its folder.
Inside = Annotated[str, AfterValidator(_inside)]


class FileRef(Model):
    """A file beside the artifact's JSON, so that a reader can tell whether it is still the same."""

    path: Inside
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


# A vendor and one of its systems on chip, as LiteRT's compiler plugins call them.
NPU_PATTERN = r"^[A-Za-z]{1,32}/[A-Za-z0-9_]{1,32}$"
NpuTarget = Annotated[str, Field(pattern=NPU_PATTERN)]
