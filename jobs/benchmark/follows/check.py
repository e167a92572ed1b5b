"""The check of all benchmarks of a run."""

from pathlib import Path

from common.artifact import read, verified
from common.experiment import LoadedExperiment
from common.findings import figures
from common.ledger import kept, read_samples
from common.numbers import count
from common.run.layout import RESULTS, benchmarks, targets_of
from common.schema.evidence import Finding, Followed
from common.schema.inputs import Samples
from common.schema.results import Results
from common.schema.variant import Variant
from jobs.benchmark.follows.records import Files, Records, unlike_ledger, unlike_records

ALONE = (
    "{count:,} processes of which neither samples nor a log of the classic tool tells the figures: as the ledger has it"
)


def follows(run: Path, experiment: LoadedExperiment) -> tuple[list[Finding], Followed]:
    """All that does not follow. Raises UsageError for a file that is missing or was changed."""
    settings = experiment.settings
    made = {name: read(run / "variants" / name / "variant.json", Variant) for name in settings.variants}
    fed = None if settings.has_images else read(run / "inputs" / "inputs.json", Samples).arrays.sha256
    files = Files(made, fed)
    found: list[Finding] = []
    processes = logs = alone = told = 0
    stated_of = benchmarks(run, targets_of(read(run / RESULTS, Results)))
    for stated, folder in stated_of:
        records = Records(folder, f"benchmark/{folder.name}", stated.target.kind == "host")
        lines = []
        for number, line in enumerate(read_samples(verified(folder, stated.ledger)), 1):
            found += unlike_records(records, number, line)
            lines.append(kept(line))
        for row in stated.rows:
            if row.examination is not None and row.examination.profile is not None:
                verified(folder, row.examination.profile)
        found += unlike_ledger(f"{records.where}/benchmark.json", stated, lines, files, experiment)
        processes, logs, alone = processes + records.processes, logs + records.logs, alone + records.alone
        told += figures((stated.rows, stated.noise, stated.sessions, stated.sustained))
    what = f"{processes:,} processes on {count(len(stated_of), 'target')}, {count(logs, 'log')} read again"
    notes = (ALONE.format(count=alone),) if alone else ()
    return found, Followed(what=what, figures=told, notes=notes)
