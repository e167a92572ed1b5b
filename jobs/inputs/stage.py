"""The inputs stage: samples for the reference's inputs, drawn or read."""

from pathlib import Path
from typing import Any

import numpy as np

from common.artifact import atomic, file_ref, read, verified, write_model, writing
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.ports import input_names, shapes
from common.provenance import Recorder, hash_files
from common.samples import CALIBRATING, INPUT
from common.schema.inputs import SampledPort, Samples
from common.schema.variant import Variant
from jobs.inputs.draw import drawn
from jobs.inputs.files import Found, find, targets
from jobs.inputs.part import parted
from jobs.inputs.ports import Wanted, wanted

ARTIFACT = "inputs.json"
PACKAGES = ("ai-edge-litert", "numpy", "pillow")


def sample(experiment: LoadedExperiment, reference: Path, output: Path) -> Samples:
    """Write samples for the variant in folder `reference` into `output`.

    Raises UsageError for an input that cannot be filled, and for samples that do not fit.
    """
    recorder = Recorder("inputs", experiment)
    settings = experiment.settings.inputs
    variant = read(reference / "variant.json", Variant)
    unknown = sorted({*settings.shape, *settings.range} - {*input_names(variant), *(p.name for p in variant.inputs)})
    if unknown:
        names = ", ".join(input_names(variant))
        raise UsageError(f"inputs names {unknown[0]!a}, which is no input of {variant.name}", hint=f"it has {names}")
    content = verified(reference, variant.model).read_bytes()
    ports = wanted(variant, content, shapes(variant, settings.shape), settings.range)
    used = {"variant": variant.model.sha256}
    with writing(output, ARTIFACT, reference):
        if settings.source:
            folder = experiment.folder / settings.source
            found = find(folder, ports, variant.pixels)
            used["samples"] = hash_files(found.paths, folder if folder.is_dir() else folder.parent)
        else:
            found = drawn(ports, settings.samples, experiment.settings.seed)
        found, calibrating, apart = _parted(experiment, found)
        arrays = {f"{INPUT}{place}": array for place, array in enumerate(found.arrays)}
        arrays |= {f"{CALIBRATING}{place}": array for place, array in enumerate(calibrating)}
        with atomic(output / "samples.npz") as path, path.open("wb") as stream:
            np.savez(stream, **arrays)
        kept = targets(found, experiment.settings.evaluate.targets, experiment.folder, output)
        samples = Samples(
            provenance=recorder.finish(used, PACKAGES),
            kind="files" if settings.source else "drawn",
            count=len(found.arrays[0]),
            ports=tuple(_port(port, found, place) for place, port in enumerate(ports)),
            names=found.names,
            arrays=file_ref(output / "samples.npz", output),
            targets=kept,
            apart=apart,
        )
        write_model(output / ARTIFACT, samples)
    return samples


def _parted(experiment: LoadedExperiment, found: Found) -> tuple[Found, tuple[Any, ...], int]:
    """The samples that are asked with, those that are calibrated on where they are others, and how many are so that
    nothing is asked with them."""
    part, source = experiment.settings.evaluate.part, experiment.settings.inputs.source
    if part is None:
        return found, (), 0
    if not source:
        raise UsageError("samples that are drawn have no parts", hint="give INPUTS (in an experiment: [inputs] source)")
    chosen = parted(found, part, experiment.folder / source)
    return chosen.found, chosen.calibrating, len(chosen.calibrating[0]) if chosen.apart or part == "judge" else 0


def _port(port: Wanted, found: Found, place: int) -> SampledPort:
    array = found.arrays[place]
    low, high = (port.low, port.high) if not found.names else (float(array.min()), float(array.max()))
    why = port.why if not found.names else "of the samples"
    return SampledPort(name=port.name, shape=port.shape, dtype=port.dtype, low=low, high=high, why=why)
