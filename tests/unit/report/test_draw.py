"""Every chart, with any names and figures: well-formed, inside its frame, no label on another, the same every time."""

import re
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from common.artifact import read
from common.schema.base import Interval
from common.schema.benchmark import RoundRatio
from common.schema.choice import Winner
from common.schema.judgement import Setting as Place
from common.schema.results import Latency, Results
from jobs.report.document import CHART_FILES, Chart
from jobs.report.draw import curves, forest, operators, quality, trace, tradeoff
from jobs.report.draw.canvas import NARROW, THEME, WIDE, standalone
from jobs.report.draw.points import VIEWS
from jobs.report.names import Grid
from tests.unit.report import drawn
from tests.unit.report import factories as f
from tests.unit.report.svg import drawings

# A failing example is found at once; making it smaller takes minutes.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
EXTREMES = st.sampled_from([0.0, -1.0, 1e308, -1e308, 5e-324, 1e-300, 1.0, 1234.5])
NAMES = st.lists(st.text(max_size=60), max_size=6)
OTHER = Place(target="phone", backend="gpu", threads=2)


def charts(results: Results) -> list[Chart]:
    """Every chart of all settings."""
    names = [variant.name for variant in results.variants]
    made: list[Chart | None] = []
    for setting in Grid(results).settings:
        made += [tradeoff.tradeoff(results, setting, by) for by in VIEWS]
        made += [forest.forest(results, setting), operators.work(results, setting)]
        made.append(operators.beside(results, setting, results.reference, names[-1]))
    for one in results.traces:
        made += [trace.trace(results, one), trace.strip(results, one)]
    made += [quality.won_lost(results), quality.recalls(results), quality.confusion(results)]
    made += [*curves.sustained(results), *([] if results.training is None else [curves.training(results.training)])]
    return [chart for chart in made if chart is not None]


def check(found: list[Chart]) -> None:
    """Both drawings of every chart are in order."""
    for chart in found:
        shown = drawings(chart.svg)
        assert [d.size[0] for d in shown] == [WIDE, NARROW], chart.name
        for one in shown:
            assert one.problems() == [], chart.name
            assert one.root.get("role") == "img" and one.root.get("aria-label")


def say_numbers(found: list[Chart]) -> None:
    """No text says what is no number."""
    for chart in found:
        texts = [words.text for one in drawings(chart.svg) for words in one.words]
        told = " ".join((chart.alt, chart.caption, *texts)).lower()
        assert not re.search(r"\b(nan|inf)\b", told), chart.name


@settings(max_examples=25, deadline=None, phases=UNSHRUNK)
@given(st.integers(1, 20), st.integers(0, 10**6), NAMES)
def test_any_number_of_variants_of_any_name(count: int, seed: int, labels: list[str]) -> None:
    results = drawn.results(count, seed, labels[:count])
    found = charts(results)
    check(found)
    assert charts(Results.model_validate_json(results.model_dump_json())) == found


def _hostile(results: Results, figures: list[float]) -> Results:
    """The same with figures that no machine measures."""
    at = iter(figures * 5000)
    cells = []
    for cell in results.measurements:
        assert isinstance(cell.result, Latency)
        layers = tuple(x.model_copy(update={"mean_us": next(at)}) for x in cell.result.layers)
        kinds = tuple(x.model_copy(update={"mean_us": next(at)}) for x in cell.result.operators)
        changes = {"latency_us": next(at), "memory_mb": next(at), "layers": layers, "operators": kinds}
        cells.append(cell.model_copy(update={"result": cell.result.model_copy(update=changes)}))
    traces = [
        one.model_copy(
            update={
                "floor": abs(next(at)),
                "processes": tuple(
                    p.model_copy(update={"latency_us": next(at), "start_s": next(at), "load": next(at)})
                    for p in one.processes
                ),
            }
        )
        for one in results.traces
    ]
    endured = [
        one.model_copy(
            update={
                "result": one.result.model_copy(
                    update={
                        "first_us": next(at),
                        "points": tuple(
                            p.model_copy(update={"at_s": next(at), "latency_us": next(at)}) for p in one.result.points
                        ),
                    }
                )
            }
        )
        for one in results.sustained
    ]
    choice, training = results.choice, results.training
    assert choice is not None and choice.judgement is not None and training is not None
    speeds = [
        speed.model_copy(
            update={
                "floor": abs(next(at)),
                "ratio": Interval(value=next(at), low=next(at), high=next(at)),
                "ratios": (RoundRatio(round=0, value=next(at)),),
            }
        )
        for speed in choice.judgement.speeds
    ]
    judgement = choice.judgement.model_copy(update={"speeds": tuple(speeds)})
    epochs = [e.model_copy(update={"loss": next(at), "val_loss": next(at)}) for e in training.epochs]
    return results.model_copy(
        update={
            "measurements": tuple(cells),
            "traces": tuple(traces),
            "sustained": tuple(endured),
            "choice": choice.model_copy(update={"judgement": judgement}),
            "training": training.model_copy(update={"epochs": tuple(epochs)}),
            "variants": tuple(
                v.model_copy(update={"size_bytes": int(min(9e18, abs(next(at)))), "deflated_bytes": 0})
                for v in results.variants
            ),
        }
    )


@settings(max_examples=40, deadline=None, phases=UNSHRUNK)
@given(
    st.integers(1, 7), st.lists(EXTREMES | st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=11)
)
def test_figures_that_no_machine_measures(count: int, figures: list[float]) -> None:
    found = charts(_hostile(drawn.results(count), figures))
    check(found)
    say_numbers(found)


def test_every_chart_is_drawn_where_everything_is_known() -> None:
    found = charts(drawn.results(7))
    assert {chart.name for chart in found} - {"tradeoff-s0-download", "tradeoff-s0-memory"} | {"beside"} == {
        *CHART_FILES,
        "beside-s0-baseline-variant_6",
    }
    assert operators.beside(drawn.results(2), Grid(drawn.results(2)).settings[0], "baseline", "variant_1") is not None
    check(found)


def test_every_setting_has_charts_of_its_own() -> None:
    results = drawn.results(4, places=(drawn.PLACE, OTHER))
    found = charts(results)
    assert len({chart.name for chart in found}) == len(found)
    assert {chart.setting for chart in found} == {"", "s0", "s1"}
    choice = results.choice
    assert choice is not None
    other = Winner(setting=OTHER, best="variant_3", reason="for the test")
    turned = results.model_copy(update={"choice": choice.model_copy(update={"winners": (other,)})})
    second = Grid(turned).settings[1]
    chart = tradeoff.tradeoff(turned, second, "latency")
    assert chart is not None and "recommended: variant_3 label" in chart.alt


def test_a_large_run_is_small_and_its_labels_are_apart() -> None:
    found = charts(drawn.results(20))
    check(found)
    assert max(len(chart.svg) for chart in found) < 60_000


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "data").glob("*results*.json")))
def test_results_of_earlier_versions_are_drawn(path: Path) -> None:
    check(charts(read(path, Results)))


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_results_that_nobody_judged_claim_nothing(version: int) -> None:
    results = f.results(schema_version=version, choice=None)
    found = charts(results)
    check(found)
    words = " ".join(chart.alt for chart in found)
    assert "not judged" in words and "recommended" not in words
    assert charts(f.results(measurements=(), evaluations=(), training=None, variants=results.variants[:1])) == []


def test_without_quality_latency_stands_against_size() -> None:
    results = f.results(evaluations=(), choice=None)
    setting = Grid(results).settings[0]
    chart = tradeoff.tradeoff(results, setting, "latency")
    assert chart is not None and "against file size" in chart.alt
    assert tradeoff.tradeoff(results, setting, "download") is None


def test_files_of_equal_cost_are_one_mark() -> None:
    results = drawn.results(6)
    twin = results.measurements[5].model_copy(update={"variant": "variant_1", "result": results.measurements[1].result})
    copies = tuple(
        e.model_copy(update={"accuracy": results.evaluations[1].accuracy}) if e.variant == "variant_5" else e
        for e in results.evaluations
    )
    cells = (*results.measurements[:5], twin.model_copy(update={"variant": "variant_5"}))
    chart = tradeoff.tradeoff(
        results.model_copy(update={"measurements": cells, "evaluations": copies, "choice": None}),
        Grid(results).settings[0],
        "latency",
    )
    assert chart is not None
    assert re.search(r"<title>variant_1 label: [^<]* / variant_5 label: [^<]*</title>", chart.svg)


def test_a_chart_is_a_file_of_its_own_with_the_theme() -> None:
    chart = forest.forest(drawn.results(3), Grid(drawn.results(3)).settings[0])
    assert chart is not None
    text = standalone(chart).decode()
    assert text.count("<svg") == 1 and THEME.read_text(encoding="utf-8") in text
    assert f'viewBox="0 0 {WIDE} ' in text


def _themes() -> dict[str, dict[str, str]]:
    """The variables of light, dark and print."""
    blocks = re.findall(r":root \{(.*?)\}", THEME.read_text(encoding="utf-8"), re.DOTALL)
    read = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), read, strict=True))


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2's ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_letters_and_marks_can_be_seen(theme: str) -> None:
    colours = _themes()[theme]
    grounds = ("paper", "band", "beyond")
    texts = ("ink", "quiet", "better", "worse", "problem")
    marks = (*texts, "accent", "neutral", *(f"kind-{i}" for i in range(6)))
    weak = [(t, g) for t in texts for g in grounds if _contrast(colours[t], colours[g]) < 4.5]
    weak += [(m, g) for m in marks for g in grounds if _contrast(colours[m], colours[g]) < 3]
    filled = ("better", "worse", *(f"kind-{i}" for i in range(6)))
    weak += [("on", m) for m in filled if _contrast(colours["paper"], colours[m]) < 4.5]
    assert weak == []


def test_every_class_of_a_drawing_is_in_the_theme() -> None:
    theme = THEME.read_text(encoding="utf-8")
    used = {name for chart in charts(drawn.results(20)) for one in drawings(chart.svg) for name in one.classes}
    assert {name for name in used if f".{name}" not in theme} == set()
