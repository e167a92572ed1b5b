"""Which network to train: one of the project's, one of Keras' applications, or the user's own file."""

from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from common.schema.base import Model

# The project's own networks, and which settings each has.
SETTINGS = {
    "FireDetectionNet": frozenset({"batch_norm_momentum"}),
    "CompactNet": frozenset({"batch_norm_momentum", "width", "stride"}),
}
# Of tf_keras.applications 2.21, without ConvNeXt: it has a layer of its own, which a saved file cannot name.
APPLICATIONS = (
    *(f"DenseNet{depth}" for depth in (121, 169, 201)),
    *(f"EfficientNetB{size}" for size in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small"),
    *("NASNetLarge", "NASNetMobile"),
    *(
        f"RegNet{kind}{size}"
        for kind in "XY"
        for size in ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
    ),
    *(f"ResNet{depth}{version}" for depth in (50, 101, 152) for version in ("", "V2")),
    *(f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)),
    *("VGG16", "VGG19", "Xception"),
)
CODE_SUFFIX = ".py"
FILE_SUFFIXES = (CODE_SUFFIX, ".h5", ".keras")
# What other models' files end with, and what can be done with them.
GIVEN = 'measure it by [variants.NAME] file = "FILE", or quantise it by from = "FILE"'
EXPORTED = "export it to a .tflite file first (docs/ways-in.md)"
OTHER_SUFFIXES = {
    ".tflite": f"a .tflite file cannot be trained: its layers are gone; {GIVEN}",
    ".lite": f"a .tflite file cannot be trained: its layers are gone; {GIVEN}",
    ".litertlm": "a LiteRT-LM bundle cannot be trained",
    ".task": "a bundle of MediaPipe's cannot be trained; unzip it, and name the .tflite file in it as a variant",
    **dict.fromkeys((".onnx", ".pt", ".pth", ".pt2", ".safetensors"), f"only tf_keras' models are trained; {EXPORTED}"),
    ".pb": "a frozen graph has no layers; name the folder of a SavedModel",
}


class Network(Model):
    """`architecture` is a name, or the path of a saved Keras model or of a Python file that builds one.

    The other settings belong to the project's own networks; None is the network's default. `width`
    multiplies the number of channels, `stride` is that of the first convolution.
    """

    architecture: str = "FireDetectionNet"
    batch_norm_momentum: Annotated[float, Field(gt=0, lt=1)] | None = None
    width: Annotated[float, Field(gt=0, le=16)] | None = None
    stride: Annotated[int, Field(ge=1, le=4)] | None = None

    @property
    def is_file(self) -> bool:
        """Whether `architecture` is a path: it has a slash or ends with .py, .h5 or .keras."""
        return "/" in self.architecture or self.architecture.endswith(FILE_SUFFIXES)

    @property
    def is_saved(self) -> bool:
        """Whether it is a saved model, which comes with weights."""
        return self.is_file and not self.architecture.endswith(CODE_SUFFIX)

    @field_validator("architecture")
    @classmethod
    def _known(cls, name: str) -> str:
        names = (*SETTINGS, *APPLICATIONS)
        for suffix, reason in OTHER_SUFFIXES.items():
            if name.lower().endswith(suffix):
                raise ValueError(f"{name}: {reason}")
        if name in names or cls.model_construct(architecture=name).is_file:
            return name
        close = get_close_matches(name, names, n=1, cutoff=0.5)
        guess = f"did you mean {close[0]}? " if close else ""
        raise ValueError(
            f"{guess}It takes {', '.join(SETTINGS)}, a name of tf_keras.applications such as MobileNetV2, "
            f"or a path (with a slash, or ending with {', '.join(FILE_SUFFIXES)})"
        )

    @model_validator(mode="after")
    def _settings_belong(self) -> Self:
        for key in ("batch_norm_momentum", "width", "stride"):
            owners = [name for name, settings in SETTINGS.items() if key in settings]
            if getattr(self, key) is not None and self.architecture not in owners:
                raise ValueError(f"{key} is a setting of {' and '.join(owners)}, not of {self.architecture}")
        return self
