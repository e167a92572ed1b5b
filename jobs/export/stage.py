"""The export stage: a saved Keras model, a format, and the proof of what comes out."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifact import file_ref, sha256_file, write_bytes, write_model, writing
from common.calibration import calibrated_on
from common.converter import converted, refusal
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.given import described
from common.model_file import given_path
from common.ports import shapes
from common.promises import require_kept
from common.provenance import Recorder
from common.schema.base import FileRef
from common.schema.convert import Convert
from common.schema.given import INTEGER, FromKeras
from common.schema.variant import Origin, Promise, Variant
from common.tflite.aot import write_compiled
from common.tflite.ask import load
from common.tflite.delegated import asked
from common.tflite.kernel_promises import FLOAT, KERNEL_TYPES, kernel_promises
from common.tflite.parts import by_output
from common.tflite.quantizer import Calibration, Quantization, quantised_promises, quantized, require_reached
from common.tflite.reader import inspect
from jobs.export.agreement import agrees
from jobs.export.network import Network, network
from jobs.export.saved import load_saved

ARTIFACT = "variant.json"
PACKAGES = ("tensorflow", "keras", "h5py", "litert-quantizer", "ai-edge-litert", "flatbuffers", "numpy")
LEFT = "the converter leaves this kernel as it is: it is small, or the format has no operator for it"


@dataclass(frozen=True)
class Source:
    """What makes a variant of a content: the experiment, and the Keras model with its hash."""

    experiment: LoadedExperiment
    recorder: Recorder
    name: str
    making: FromKeras
    path: Path
    sha256: str

    def variant(self, content: bytes, model: FileRef, promises: tuple[Promise, ...], used: dict[str, str]) -> Variant:
        """What `variant.json` says of a content."""
        return Variant(
            provenance=self.recorder.finish({"file": self.sha256, **used}, PACKAGES),
            name=self.name,
            recipe=None,
            given=self.making,
            origin=Origin(file=self.making.source, sha256=self.sha256),
            model=model,
            promises=promises,
            # Of the float model, also where an integer input says what its own numbers stand for.
            **described(self.path, content, self.making.pixels or (0.0, 1.0)),
        )


def export(
    experiment: LoadedExperiment, name: str, dataset: Path | None, samples: Path | None, output: Path
) -> Variant:
    """Write variant `name` into `output`. An integer or static format is calibrated on the training images of
    `dataset` or on `samples`.

    Raises UsageError for a variant that comes from no Keras model, for a file that is none or may run code, and for
    calibrating on nothing real; EdgeproofError when the model cannot be converted, and when the file does not answer
    as Keras does or does not hold what was asked for.
    """
    recorder = Recorder("export", experiment)
    making = experiment.settings.variants.get(name)
    if not isinstance(making, FromKeras):
        text = f"variant '{name}' is not made from a Keras model"
        raise UsageError(text, hint='give it from = "mine.keras" and a convert table')
    path = given_path(making, experiment.folder)
    source = Source(experiment, recorder, name, making, path, sha256_file(path))
    loaded = network(path, load_saved(path), experiment.settings.inputs.shape)
    with writing(output, ARTIFACT), tempfile.TemporaryDirectory() as saved_model:
        loaded.save(Path(saved_model))
        content, promises, used = _made(source, loaded, Path(saved_model), (dataset, samples))
        require_kept(name, promises, "another format may suit the model; jobs.inspect shows what is in a file")
        file = output / f"{name}.tflite"
        write_bytes(file, content)
        variant = source.variant(content, file_ref(file, output), promises, used)
        load(file, shapes(variant, experiment.settings.inputs.shape))
        compiled = write_compiled(content, making.convert.npu, name, output)
        proof = asked(file, content, inspect(content)).proof
        variant = variant.model_copy(update={"compiled": compiled, "proof": proof})
        write_model(output / ARTIFACT, variant)
    return variant


def _made(
    source: Source, loaded: Network, saved_model: Path, asked: tuple[Path | None, Path | None]
) -> tuple[bytes, tuple[Promise, ...], dict[str, str]]:
    """The content of the file, what it keeps of what was asked for, and the hashes of what it was calibrated on."""
    making, settings = source.making, source.experiment.settings
    plain = _converted(source, saved_model, "float32", None)
    float_file = saved_model / "float32.tflite"
    write_bytes(float_file, plain)
    before = source.variant(plain, file_ref(float_file, saved_model), (), {})
    agreed = agrees(loaded, before, float_file, settings.inputs.range, settings.seed)
    calibration: Calibration | None = None
    used = {}
    if making.is_calibrated:
        calibration, used["calibration"] = calibrated_on(before, making.convert.calibration_samples, *asked)
    of_file = making.convert.of_file
    if of_file is not None:
        wanted = Quantization(of_file, by_output(plain))
        require_reached(source.path, wanted)
        content = quantized(source.path, plain, wanted, calibration)
        return content, (agreed, *quantised_promises(wanted, inspect(content))), used
    if making.convert.format == FLOAT:
        return plain, (agreed,), used
    content = _converted(source, saved_model, making.convert.format, calibration)
    found = inspect(content)
    # A network without kernels is all in integers where the converter says so; it converts nothing else to them.
    if making.convert.format in INTEGER and not found.kernels:
        return content, (agreed,), used
    return content, (agreed, *kernel_promises(KERNEL_TYPES[making.convert.format], found, LEFT)), used


def _converted(source: Source, saved_model: Path, format_: Any, calibration: Calibration | None) -> bytes:
    integers = source.making.convert.integer_io and format_ in INTEGER
    try:
        samples = None if calibration is None else calibration.inputs
        return converted(saved_model, Convert(format=format_, integer_io=integers), samples)
    except Exception as error:  # The converter raises whatever TensorFlow raises in it.
        text = f"{source.path} cannot be converted to {format_}: {refusal(error)}"
        raise EdgeproofError(
            text, hint="LiteRT has no operators for what is named; change the model or the format"
        ) from error
