"""Open the target that a name stands for, and run the stage on it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from common.adb.names import HOST
from common.artifact import read
from common.dataset import read_card, read_split
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.schema.benchmark import Benchmark
from common.schema.outcome import Failed
from common.schema.variant import Variant
from common.stopping import end_in_order
from jobs.benchmark.clock import Clock
from jobs.benchmark.feeds import Feed, Material, feeds, sampled
from jobs.benchmark.ledger import facts_of_sessions
from jobs.benchmark.stage import LEDGER, benchmark
from jobs.benchmark.targets import Target
from jobs.benchmark.targets.device_options import DeviceOptions
from jobs.benchmark.targets.host import HostTarget


def measure_on(
    device: str,
    experiment: LoadedExperiment,
    *,
    variants: Path,
    dataset: Path | None,
    samples: Path | None = None,
    output: Path,
    options: DeviceOptions,
    named: bool = False,
    clock: Clock | None = None,
) -> Benchmark:
    """Measure on this machine (host) or on an Android device (any, a serial or host:port). With `named`, of several
    devices, every line of the progress says which one it is of."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="edgeproof-feeds-"))
        fed = feeds(samples, variants, tuple(experiment.settings.variants), Path(folder))
        if device == HOST:
            target: Target = HostTarget(fed)
        else:
            material = _material(experiment, variants, dataset, samples, fed)
            target = stack.enter_context(_android(device, experiment, output, options, material))
        return benchmark(experiment, variants, target, output, samples=samples, named=named, clock=clock)


def last_words(result: Benchmark, output: Path) -> str:
    """What a run ends with: what there is, and what to do about what there is not."""
    failed = sum(isinstance(row.result, Failed) or row.failed_rounds > 0 for row in result.rows)
    again = f", {failed} of them with failed processes ({output / 'logs'} has their words; the next run measures"
    again = f"{again} them again)" if failed else ""
    return f"{len(result.rows)} rows{again}; wrote {output / 'benchmark.json'}"


@contextmanager
def _android(
    device: str, experiment: LoadedExperiment, output: Path, options: DeviceOptions, material: Material
) -> Iterator[Target]:
    # adb is of no use to a run on this machine.
    from jobs.benchmark.targets.android import android

    # Ended by a signal, the device is to be cleaned up all the same.
    end_in_order()
    before = facts_of_sessions(output / LEDGER)
    with android(device, str(output.resolve()), options, experiment.settings.benchmark, material) as target:
        target.told_before = before
        yield target


def _material(
    experiment: LoadedExperiment, variants: Path, dataset: Path | None, samples: Path | None, fed: Mapping[str, Feed]
) -> Material:
    """What a device is fed and asked with: images where there is a dataset, else samples."""
    count, names = experiment.settings.benchmark.outputs_images, tuple(experiment.settings.variants)
    made = {name: read(variants / name / "variant.json", Variant) for name in names}
    compiled = [variant.compiled.model for variant in made.values() if variant.compiled is not None]
    models = [*(variant.model for variant in made.values()), *compiled]
    sizes = {model.sha256: model.size_bytes for model in models}
    if not count:
        return Material(feeds=fed, sizes=sizes)
    if dataset is None:
        if samples is None:
            raise UsageError("outputs_images needs the dataset or samples", hint="give --dataset or --samples")
        return Material(feeds=fed, samples=sampled(samples, variants, names, count), sizes=sizes)
    card = read_card(dataset)
    images, _ = read_split(dataset, card, card.reported)
    pixels = {name: variant.pixels for name, variant in made.items()}
    return Material(np.asarray(images[:count]), fed, pixels, sizes=sizes)
