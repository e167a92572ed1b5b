"""Look at a cell apart from the timed processes: its answers to images or samples, and its operators."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.adb.errors import LimitError, SizeLimitError, TimeLimitError
from common.adb.server import Device
from common.adb.shell import Ended
from common.artifact import file_ref, write_bytes
from common.errors import EdgeproofError
from common.schema.base import FileRef
from common.schema.benchmark import Cell
from common.schema.examination import Examination, LayerTime, Operator, OutputCheck
from common.schema.experiment import Benchmark as Settings
from common.tflite.predict import UNIT
from jobs.benchmark.android import command, outputs, profile, questions
from jobs.benchmark.android.classic import UNKNOWN_FLAGS, Printed, why_stopped
from jobs.benchmark.android.command import Dialect
from jobs.benchmark.android.delegation import delegation
from jobs.benchmark.android.feeding import flags, unfed
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.outputs import Values
from jobs.benchmark.android.questions import Questions
from jobs.benchmark.feeds import Material
from jobs.benchmark.layers import layers

# The CPU takes several images at once; delegates have compiled the model for one.
BATCHING = ("cpu", "xnnpack")
BATCH = 8
LIMIT_S = 300.0


class ExaminationError(EdgeproofError):
    """A look at a cell failed; its figures stand."""


@dataclass(frozen=True)
class Profile:
    """What a profile tells, by kind and by node, and the file that it stands in."""

    operators: tuple[Operator, ...] = ()
    layers: tuple[LayerTime, ...] = ()
    kept: FileRef | None = None


class Examiner:
    """Runs the tool on a device for another purpose than its figures."""

    def __init__(self, device: Device, files: RunFolder, tool: Path, material: Material) -> None:
        self.device, self.files, self.tool, self.material = device, files, tool, material

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination:
        """What the settings ask for. Raises TransportError; everything else that fails is a problem in words."""
        problems: list[str] = []
        checked: OutputCheck | None = None
        looked = Profile()
        if settings.outputs_images and self.material.asks(cell.variant):
            try:
                checked = self._outputs(model, cell, settings)
            except (ExaminationError, SizeLimitError, ValueError) as error:
                problems.append(f"answers: {error}")
        if settings.profile:
            try:
                looked = self._profile(model, cell, settings, folder / f"{log}.profile.csv")
            except (ExaminationError, SizeLimitError, ValueError) as error:
                problems.append(f"operators: {error}")
        return Examination(
            outputs=checked,
            operators=looked.operators,
            layers=looked.layers,
            profile=looked.kept,
            problems=tuple(problems),
        )

    def _outputs(self, model: Path, cell: Cell, settings: Settings) -> OutputCheck:
        asked = self._questions(model, cell.variant, settings.outputs_images)
        if why := unfed(Dialect.CLASSIC, asked.inputs, cell.runner):
            raise ExaminationError(why)
        answers: list[Values] = []
        size = BATCH if asked.images and cell.backend in BATCHING else 1
        at = 0
        while at < len(asked.samples):
            try:
                answers.append(self._answer(model, cell, settings, asked, range(at, at + size)))
                at += size
            except ExaminationError:
                # Some models cannot be resized: then one by one.
                if size == 1:
                    raise
                size = 1
        return outputs.compare(answers, asked)

    def _questions(self, model: Path, variant: str, most: int) -> Questions:
        sampled, images = self.material.samples.get(variant), self.material.images
        try:
            if sampled is not None:
                return questions.of_samples(model, sampled)
            if images is None:
                raise ExaminationError("there is nothing to ask")
            return questions.of_images(model, images[:most], self.material.pixels.get(variant, UNIT))
        except EdgeproofError as error:
            raise ExaminationError(error.message) from None

    def _answer(self, model: Path, cell: Cell, settings: Settings, asked: Questions, which: range) -> Values:
        """Answers to some questions, joined along the first side where they are several."""
        chosen = asked.samples[which.start : which.stop]
        written = self.files.new_path("output.bin")
        fed = []
        for place, (tensor, shape) in enumerate(asked.inputs):
            path = self.files.path_of(f"input-{place}.bin")
            self.files.write(path, b"".join(sample[place] for sample in chosen))
            fed.append((tensor, (len(chosen), *shape[1:]) if asked.images else shape, path))
        flags = command.one_run(self.files.put(model), fed, written)
        self._run(cell, (*flags, *command.delegate_flags(Dialect.CLASSIC, cell, settings, self.files.path)))
        content = self.files.take(written, outputs.size_bytes(asked, len(chosen)))
        for _, _, path in fed:
            self.files.drop(path)
        if content is None:
            raise ExaminationError("the tool wrote none")
        return outputs.decode(content, asked, len(chosen))

    def _profile(self, model: Path, cell: Cell, settings: Settings, path: Path) -> Profile:
        written = self.files.new_path("profile.csv")
        asked = command.arguments(Dialect.CLASSIC, cell, settings, self.files.put(model), self.files.path)
        self._run(cell, (*asked, *self._fed(cell), *command.profile_flags(written)))
        content = self.files.take(written)
        if content is None:
            raise ExaminationError("the tool wrote no profile")
        write_bytes(path, content)
        text = content.decode("utf-8", "replace")
        return Profile(
            profile.operators(text),
            layers(model.read_bytes(), profile.timed(text)),
            file_ref(path, path.parent.parent),
        )

    def _fed(self, cell: Cell) -> tuple[str, ...]:
        feed = self.material.feeds.get(cell.variant, ())
        if not feed or unfed(Dialect.CLASSIC, [(port.tensor, port.shape) for port in feed], cell.runner):
            return ()
        return flags(self.files, feed)

    def _run(self, cell: Cell, flags: tuple[str, ...]) -> Ended:
        tool = self.files.put(self.tool, executable=True)
        try:
            ended = self.device.run([tool, *flags], LIMIT_S, library_path(cell, self.files))
        except LimitError as over:
            late = isinstance(over, TimeLimitError)
            raise ExaminationError(f"not finished after {LIMIT_S:.0f} s" if late else over.message) from over
        printed = Printed(ended.stdout, ended.stderr, ended.status, "")
        for problem in _problems(printed, cell):
            raise ExaminationError(problem)
        return ended


def library_path(cell: Cell, files: RunFolder, npu: str | None = None) -> dict[str, str]:
    """Where the device's linker finds what the backend needs besides the tool; `npu` is the folder of an NPU's
    libraries there."""
    folder = {"hexagon": files.path, "npu": npu}.get(cell.backend)
    if folder is None:
        return {}
    return {
        "LD_LIBRARY_PATH": folder,
        "ADSP_LIBRARY_PATH": f"{folder};/system/lib/rfsa/adsp;/vendor/lib/rfsa/adsp;/vendor/dsp/cdsp",
    }


def _problems(printed: Printed, cell: Cell) -> Iterator[str]:
    if printed.status != 0:
        yield why_stopped(printed)
    if found := UNKNOWN_FLAGS.search(printed.text):
        yield f"the tool does not know {found[1].strip()}"
    if delegation(printed.text, cell.backend) is None:
        yield "this run did not use the backend"
