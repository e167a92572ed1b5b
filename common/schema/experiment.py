"""An experiment file (`experiments/*.toml`) as one frozen model: what to run, never where."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from common.schema.answers import Evaluate
from common.schema.augmentation import Augmentation
from common.schema.base import Count, Model, Name, Sha256, Share
from common.schema.device_tool import OWN_FLAGS, Cores, Flag
from common.schema.duration import Duration, seconds
from common.schema.fine_tuning import Positive, Rate
from common.schema.given import FromFile, FromKeras, GivenFile, kind
from common.schema.inputs import Inputs
from common.schema.network import Network
from common.schema.recipe import Recipe
from common.schema.search import Search
from common.schema.source import SYNTHETIC, checked, is_url

# Some tools print hashes in capitals.
GivenSha256 = Annotated[Sha256, BeforeValidator(lambda given: given.lower() if isinstance(given, str) else given)]
# Far more than any machine that this runs on has cores; LiteRT would try to start them all.
MOST_THREADS = 1024
Backend = Literal["cpu", "xnnpack", "gpu", "npu", "nnapi", "hexagon"]
DEVICE_SECS = {"warmup_min_secs": 0.5, "min_secs": 1.0}
Tool = Literal["classic", "newest", "both"]
Side = Annotated[int, Field(ge=16, le=1024)]


class Data(Model):
    """Where the images come from and how they are split.

    `source` is a folder (one sub-folder per class), a zip or tar file, an http(s) URL of one (then
    `sha256` is mandatory) or `synthetic-flames`. What `validation_share` and `test_share` leave is for
    training. A file that names `validation_share` alone is of a time without test images and keeps none.
    """

    source: Annotated[str, AfterValidator(checked)] = SYNTHETIC
    sha256: GivenSha256 | None = None
    synthetic_images: Annotated[int, Field(ge=40, le=100_000)] = 1200
    height: Side = 128
    width: Side = 128
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.20
    test_share: Annotated[float, Field(ge=0, lt=1)] = 0.25
    max_bad_share: Share = 0.05
    near_duplicate_bits: Annotated[int, Field(ge=0, le=32)] = 4

    @model_validator(mode="before")
    @classmethod
    def _two_way_as_before(cls, given: Any) -> Any:
        if isinstance(given, dict) and "validation_share" in given and "test_share" not in given:
            return {**given, "test_share": 0.0}
        return given

    @model_validator(mode="after")
    def _something_to_train_on(self) -> Self:
        if self.validation_share + self.test_share >= 1:
            shares = f"validation_share {self.validation_share:g} and test_share {self.test_share:g}"
            raise ValueError(f"{shares} leave nothing for training")
        return self

    @model_validator(mode="after")
    def _url_has_hash(self) -> Self:
        if is_url(self.source) and self.sha256 is None:
            raise ValueError("a URL source needs its sha256")
        return self


class Train(Model):
    """Hyperparameters. The defaults are the original's (fire.toml). No epochs: a saved model as it is."""

    epochs: Count = 50
    batch_size: Positive = 64
    learning_rate: Rate = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    loss: Literal["binary_crossentropy", "categorical_crossentropy"] = "binary_crossentropy"
    class_weights: Literal["none", "balanced"] = "none"
    deterministic: bool = True
    augmentation: Augmentation = Augmentation()


class Benchmark(Model):
    """The matrix (every variant x backend x threads) and the protocol of one process.

    A process is that of Google's `benchmark_model`: warm-up of at least `warmup_runs` and `warmup_min_secs`, steady
    state of at least `num_runs` and `min_secs`, both cut off at `max_secs`. The seconds have other defaults on devices
    (`on`). `rounds` is the number of processes per cell at least; there are more while intervals are wide, up to
    `most_rounds` and as long as `budget` lasts.

    Of Android devices only: `extra_flags` are passed on to `benchmark_model` for a backend;
    `outputs_images` images of the reported split, or samples of models without one, are answered on the device and
    compared with this machine's answers; `app` measures the tool as an app beside the binary. `profile` times
    every operator, apart from the other processes: None does so on the host alone, where it costs a third of a second.
    `tool` says which of the two published programs measures what both can (xnnpack and gpu): the classic
    `benchmark_model`, the one of LiteRT 2.x where there is one for the device (newest), or each in columns of its own.

    `fixed_performance` asks the device for clocks that it can keep up; `cores` pins the tool, never the app, to the
    fastest cores (big), the slowest ones (little), or those with these numbers (4-7).

    `sustained`: so long each of `sustained_variants` runs without a pause on `sustained_backends`, after everything
    else (empty: the reference and the two fastest others, on the backend that decides).
    """

    backends: tuple[Backend, ...] = ("cpu", "xnnpack")
    threads: tuple[Annotated[int, Field(gt=0, le=MOST_THREADS)], ...] = (1,)
    rounds: Positive = 6
    most_rounds: Positive = 15
    budget: Duration | None = None
    warmup_runs: Positive = 1
    warmup_min_secs: Annotated[float, Field(ge=0)] = 0.25
    num_runs: Positive = 50
    min_secs: Annotated[float, Field(ge=0)] = 0.3
    max_secs: Annotated[float, Field(gt=0)] = 150.0
    extra_flags: dict[str, tuple[Flag, ...]] = Field(default_factory=dict)
    outputs_images: Annotated[int, Field(ge=0, le=1000)] = 0
    profile: bool | None = None
    app: bool = False
    tool: Tool = "classic"
    fixed_performance: bool = False
    cores: Cores | None = None
    sustained: Duration | None = None
    sustained_variants: tuple[Name, ...] = ()
    sustained_backends: tuple[Backend, ...] = ()

    @model_validator(mode="after")
    def _sustained_is_measured(self) -> Self:
        if self.sustained is None and (self.sustained_variants or self.sustained_backends):
            raise ValueError('sustained_variants and sustained_backends need sustained = "10m" or another duration')
        for backend in self.sustained_backends:
            if backend not in self.backends:
                raise ValueError(f"sustained_backends {backend} is not among the benchmark's backends")
        return self

    @model_validator(mode="after")
    def _the_app_is_not_pinned(self) -> Self:
        if self.cores is not None and self.app:
            raise ValueError("cores pins the tool, and nothing pins an app: leave cores or app out")
        return self

    @property
    def budget_s(self) -> float | None:
        """`budget` in seconds."""
        return None if self.budget is None else seconds(self.budget)

    def on(self, kind: Literal["host", "android"]) -> Self:
        """As they are for this kind of target: a device gets `benchmark_model`'s own seconds unless others are given,
        since its clock takes longer to rise."""
        looked = {"profile": kind == "host"} if self.profile is None else {}
        if kind == "host":
            return self.model_copy(update=looked)
        own = {key: min(value, self.max_secs) for key, value in DEVICE_SECS.items() if key not in self.model_fields_set}
        return self.model_copy(update={**own, **looked})

    @model_validator(mode="after")
    def _flags_are_extra(self) -> Self:
        for backend, flags in self.extra_flags.items():
            if backend not in get_args(Backend):
                raise ValueError(f"extra_flags.{backend} is none of {', '.join(get_args(Backend))}")
            for flag in flags:
                if flag.removeprefix("--").partition("=")[0] in OWN_FLAGS:
                    raise ValueError(f"extra_flags.{backend}: {flag} is set by the protocol itself")
        return self

    @model_validator(mode="after")
    def _no_repeats(self) -> Self:
        for key, values in (("backends", self.backends), ("threads", self.threads)):
            if not values or len(set(values)) != len(values):
                raise ValueError(f"{key} must list at least one value, each once")
        return self

    @model_validator(mode="after")
    def _time_enough(self) -> Self:
        for key, least in (("min_secs", self.min_secs), ("warmup_min_secs", self.warmup_min_secs)):
            if least > self.max_secs:
                raise ValueError(f"{key} is {least:g}, more than the {self.max_secs:g} of max_secs")
        return self


# What makes a variant: a recipe for the trained network, a finished file, a recipe for one, or a Keras model's export.
Making = Annotated[
    Annotated[Recipe, Tag("recipe")]
    | Annotated[GivenFile, Tag("finished file")]
    | Annotated[FromFile, Tag("from a file")]
    | Annotated[FromKeras, Tag("from Keras")],
    Discriminator(kind),
]


class Choose(Model):
    """What a variant must keep to be recommended, and where its latency counts.

    It must be shown to lose less than `margin` (a share of the images) against the reference, at one-sided `alpha`;
    `classes` names margins for the recall of single classes. `backend` is xnnpack where it was measured, else the
    first one; `threads` the first thread count.
    """

    margin: Share = 0.02
    classes: dict[str, Share] = Field(default_factory=dict)
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    backend: str | None = None
    threads: Positive | None = None


class Experiment(Model):
    """The whole file. `reference` names the variant that every other one is compared with."""

    title: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    reference: Name = "baseline"
    data: Data = Data()
    model: Network = Network()
    train: Train = Train()
    benchmark: Benchmark = Benchmark()
    choose: Choose = Choose()
    inputs: Inputs = Inputs()
    evaluate: Evaluate = Evaluate()
    search: Search = Search()
    variants: dict[Name, Making]

    @property
    def recipes(self) -> dict[str, Recipe]:
        """The variants that are made from the trained network."""
        return {name: making for name, making in self.variants.items() if isinstance(making, Recipe)}

    @property
    def npu_targets(self) -> tuple[str, ...]:
        """What files are compiled for ahead of time."""
        converted = (making.convert for making in self.variants.values() if not isinstance(making, GivenFile))
        return tuple(dict.fromkeys(convert.npu for convert in converted if convert.npu is not None))

    @property
    def calibrated(self) -> tuple[str, ...]:
        """The variants that come from a file and need samples to be made."""
        given = {name: made for name, made in self.variants.items() if not isinstance(made, Recipe)}
        return tuple(name for name, made in given.items() if made.is_calibrated)

    @property
    def has_images(self) -> bool:
        """Whether there is a data set: something is trained, or images for finished files are named."""
        return bool(self.recipes) or "data" in self.model_fields_set

    @model_validator(mode="after")
    def _samples_and_images_exclude_each_other(self) -> Self:
        asked = self.inputs.source or self.evaluate.score or self.evaluate.targets
        if self.has_images and asked:
            raise ValueError("inputs.source and evaluate.score are for models without a data set; leave [data] out")
        return self

    @model_validator(mode="after")
    def _reference_comes_first(self) -> Self:
        # Samples are made for its inputs, and images brought to their size.
        if not self.recipes and self.reference in self.calibrated:
            text = f"reference '{self.reference}' must be a file, or a float format, where nothing is trained"
            raise ValueError(text)
        return self

    @model_validator(mode="after")
    def _something_is_trained(self) -> Self:
        if self.recipes and self.train.epochs == 0 and not self.model.is_saved:
            raise ValueError(f"train.epochs = 0 is for saved models; {self.model.architecture} has to be trained")
        return self

    @model_validator(mode="after")
    def _reference_exists(self) -> Self:
        if self.reference not in self.variants:
            raise ValueError(f"reference '{self.reference}' is not among the variants")
        return self

    @model_validator(mode="after")
    def _what_decides_is_measured(self) -> Self:
        for key, value, measured in (
            ("backend", self.choose.backend, self.benchmark.backends),
            ("threads", self.choose.threads, self.benchmark.threads),
        ):
            if value is not None and value not in measured:
                raise ValueError(f"choose.{key} {value} is not among the benchmark's {key}")
        return self

    @model_validator(mode="after")
    def _what_is_sustained_exists(self) -> Self:
        for name in self.benchmark.sustained_variants:
            if name not in self.variants:
                raise ValueError(f"sustained_variants '{name}' is not among the variants")
        return self
