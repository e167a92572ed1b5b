"""The search of a finished float file: its number formats, and which of its operators stay in float32. Nothing is
trained."""

from pathlib import Path
from typing import get_args

from common.dataset import read_card
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.given import inspected, read_given
from common.model_file import given_path
from common.run.quality import FEWEST_SAMPLES as FEWEST
from common.schema.experiment import Experiment
from common.schema.given import FileFormat, GivenFile
from common.schema.search import Search
from common.tflite.quantizer import require_float
from jobs.search.answered import basis
from jobs.search.budget import Budget
from jobs.search.mixing import mix
from jobs.search.runs import GIVEN, Runs
from jobs.search.searching import Searching
from jobs.search.space import quantised

# Of the budget, what is spent when a step has to end.
FORMATS, MIXED = 0.5, 0.95
EVERY: tuple[FileFormat, ...] = get_args(FileFormat)


class Files(Searching):
    """Of a file: every format, then groups of its operators left in float32."""

    def __init__(self, experiment: LoadedExperiment, runs: Runs, budget: Budget) -> None:
        super().__init__(experiment, runs, budget)
        self.space = self.space.model_copy(update={"formats": formats(self.space)})

    @classmethod
    def require(cls, experiment: LoadedExperiment) -> None:
        """Raise UsageError for a reference that is no float file, and where there is nothing to judge by."""
        settings = experiment.settings
        making = settings.variants[settings.reference]
        if not isinstance(making, GivenFile):
            hint = 'such as convert = { format = "float32" }, or file = "mine.tflite"'
            raise UsageError(
                "a search begins with a recipe for a trained network, or a finished file, as the reference", hint=hint
            )
        _require_judge(settings)
        if not formats(settings.search):
            raise UsageError(f"[search] formats has none for files: {', '.join(EVERY)}")
        path = given_path(making, experiment.folder)
        require_float(path, inspected(path, read_given(path)))

    @classmethod
    def prepare(cls, runs: Runs, _file: Path) -> None:
        """Have the reference, and its answers to what is chosen on. Raises UsageError for too few images."""
        runs.ask()
        dataset = runs.folder(GIVEN) / "dataset"
        if dataset.is_dir():
            for name, split in read_card(dataset).splits:
                if name != "train" and split.count < FEWEST:
                    text = f"the data set has {split.count} {name} images, and a search of files needs {FEWEST}"
                    raise UsageError(text, hint="give more images, or larger validation_share and test_share")

    @property
    def hint(self) -> str:
        """More room."""
        return "raise it" if self.basis == "agreement" else "raise [choose] margin"

    def look(self) -> None:
        """Measure the file in every format, then with groups of operators in float32."""
        making = self._settings.variants[self._settings.reference]
        if not isinstance(making, GivenFile):
            raise TypeError
        candidates = quantised(self._runs.led_home(making.file), making.pixels, formats(self.space))
        self.screening.screen("formats", "the file in every format", candidates, FORMATS)
        self.mixed = mix(self.screening, MIXED)
        self.settle(self.screening.standings())


def formats(space: Search) -> tuple[FileFormat, ...]:
    """Those that a file is quantised to: all, unless the experiment names some."""
    return EVERY if "formats" not in space.model_fields_set else tuple(one for one in EVERY if one in space.formats)


def _require_judge(settings: Experiment) -> None:
    if settings.has_images:
        if not settings.data.test_share:
            raise UsageError(
                "a search needs test images that it never sees", hint="give [data] a test_share, such as 0.5"
            )
    elif not settings.inputs.source:
        raise UsageError(
            "a search of files needs samples, or images with labels",
            hint="[inputs] source, or DATA=photos/ with a folder per class",
        )
    elif basis(settings) == "cost":
        raise UsageError("a search of files needs something to judge by", hint="[evaluate] score or tolerance, or DATA")
