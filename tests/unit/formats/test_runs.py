"""Results as runs of an experiment tracker, before any store."""

import re

from common.provenance import ROOT
from common.schema.judgement import Obstacle
from common.schema.results import Latency, Results
from jobs.formats.cells import cells
from jobs.formats.runs import LONGEST_VALUE, Record, export
from tests.unit.report.rich import BEST, hostile, rich

# What MLflow takes as the name of a metric or a parameter.
NAME = re.compile(r"[\w. :/-]{1,250}")


def metrics(record: Record) -> dict[str, float]:
    return {metric.name: metric.value for metric in record.metrics if not metric.name.endswith("/process_us")}


def of(results: Results, variant: str) -> Record:
    [found] = [part for part in export(results).parts if part.model == variant]
    return found


def test_every_variant_is_a_run_on_every_target() -> None:
    results = rich()
    found = export(results)
    assert [part.model for part in found.parts] == [variant.name for variant in results.variants]
    assert found.experiment == "demo" and found.whole.model is None
    assert len({part.key for part in found.parts} | {found.whole.key}) == 1 + len(results.variants)


def test_figures_are_those_of_the_results() -> None:
    results = rich()
    told = metrics(of(results, BEST))
    known = [cell for cell in cells(results) if cell.measurement.variant == BEST]
    assert known
    for cell in known:
        label = f"{cell.measurement.backend}/threads-1"
        assert told[f"{label}/latency_us"] == cell.latency.latency_us
        assert told[f"{label}/memory_peak_mib"] == cell.latency.memory_peak_mb
        history = [m for m in of(results, BEST).metrics if m.name == f"{label}/process_us"]
        assert [m.value for m in history] == list(cell.processes_us)
        assert [m.step for m in history] == list(range(len(cell.processes_us)))
    variant = next(each for each in results.variants if each.name == BEST)
    share = next(each for each in results.evaluations if each.variant == BEST).accuracy
    assert told["size_bytes"] == variant.size_bytes and told["accuracy_low"] == share.low
    assert dict(of(results, BEST).tags)["recommended"] == "yes"


def test_what_failed_or_is_no_result_has_a_reason_and_no_figure() -> None:
    results = rich()
    first = results.variants[0].name
    assert dict(of(results, first).tags)["outcome.gpu/threads-1"] == "failed: killed by SIGSEGV"
    assert results.choice is not None and results.choice.judgement is not None
    judgement = results.choice.judgement
    speeds = [
        speed.model_copy(update={"obstacle": Obstacle(cause="fallback", text="plain kernels")})
        if (speed.variant, speed.setting.backend) == (BEST, "xnnpack")
        else speed
        for speed in judgement.speeds
    ]
    choice = results.choice.model_copy(update={"judgement": judgement.model_copy(update={"speeds": tuple(speeds)})})
    fallen = of(results.model_copy(update={"choice": choice}), BEST)
    assert dict(fallen.tags)["outcome.xnnpack/threads-1"] == "plain kernels"
    assert not [name for name in metrics(fallen) if name.startswith("xnnpack/")]
    assert [name for name in metrics(fallen) if name.startswith("cpu/")]
    emulators = tuple(target.model_copy(update={"functional_only": True}) for target in results.targets)
    shown = of(results.model_copy(update={"targets": emulators}), BEST)
    assert dict(shown.tags)["functional_only"] == "yes" and not [name for name in metrics(shown) if "/" in name]


def test_backends_that_look_alike_when_plain_are_kept_apart() -> None:
    results = rich()
    [made] = [m for m in results.measurements if (m.variant, m.backend) == (BEST, "cpu")]
    assert isinstance(made.result, Latency)
    other = made.model_copy(update={"backend": "cpu!", "result": made.result.model_copy(update={"latency_us": 7.0})})
    told = metrics(of(results.model_copy(update={"measurements": (*results.measurements, other)}), BEST))
    assert told["cpu/threads-1/latency_us"] == made.result.latency_us and told["cpu/threads-1-2/latency_us"] == 7.0


def test_hostile_words_stay_text_and_names_stay_plain() -> None:
    found = export(hostile())
    assert len(found.parts) == 5
    for record in (found.whole, *found.parts):
        assert record.name.isprintable() and record.key.isprintable()
        names = [metric.name for metric in record.metrics]
        for pairs in (record.params, record.tags):
            names += [name for name, _ in pairs]
            assert all(value.isprintable() and 0 < len(value) <= LONGEST_VALUE for _, value in pairs)
            assert len({name for name, _ in pairs}) == len(pairs)
        assert all(NAME.fullmatch(name) and ".." not in name for name in names)
        assert "<script" not in dict(record.tags).get("mlflow.note.content", "").replace("\\<script", "")


def test_a_published_table_is_runs_of_the_targets_it_names() -> None:
    text = (ROOT / "tests" / "data" / "published_results.json").read_text(encoding="utf-8")
    published = Results.model_validate_json(text)
    found = export(published)
    assert len(found.parts) == len(published.variants)
    assert all(dict(part.params)["target"] == "Xiaomi Mi A2" for part in found.parts)
    assert any(metrics(part).get("accuracy") for part in found.parts) or not published.evaluations
