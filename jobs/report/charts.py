"""The report's pictures, drawn by Vega-Lite. The same results give the same bytes.

A chart is drawn as narrow panels, so that its letters stay readable on a phone; HTML lays the panels
out, the files beside the Markdown hold all of them below each other.
"""

from collections.abc import Sequence

import altair as alt
import vl_convert

from common.errors import UsageError
from common.numbers import clipped, decimal, listed
from common.printable import clean
from common.schema.results import Endured, Latency, Results
from common.schema.training import Epoch, Training
from jobs.report.document import File, Picture
from jobs.report.names import Grid, Setting, variant_labels
from jobs.report.placement import Placement, Point, Spot, place
from jobs.report.sustained import Key, groups, where

# Pixels.
BARS_WIDTH = 320
BAR_STEP = 42
SCATTER_WIDTH = 200
LABEL_WIDTH = 135
CURVE_WIDTH, CURVE_HEIGHT = 290, 170
FONT_SIZE = 12
# Letters that a label has room for; Vega would cut it too, but not the label that is placed by hand.
LABEL_LENGTH = 24
NAME_LENGTH = 48
# Of the longest bar: room for the figure behind it.
HEADROOM = 1.3
PNG_SCALE = 2
REFERENCE, VARIANT, INK, LEADER = "#7b8794", "#2b6cb0", "#1f2933", "#b8c2cc"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
Panel = alt.LayerChart | alt.FacetChart
Datum = dict[str, str | float]


def latency_chart(results: Results) -> Picture | None:
    """Bars of the latencies with their intervals, a panel per target, backend and thread count.

    Targets that only show function are left out; None where nothing remains.
    """
    grid = Grid(results)
    settings = [s for s in grid.settings if not s.functional_only and _measured(results, grid, s)]
    panels = [_bars(results, grid, setting) for setting in settings]
    if not panels:
        return None
    where = listed(tuple(setting.label for setting in settings))
    intervals = any(_ends(x) is not None for s in settings for x in _measured(results, grid, s))
    lines = " Lines are 95 % intervals, or the lowest and highest round where there is none." if intervals else ""
    scales = " Each panel has its own scale." if len(panels) > 1 else ""
    caption = f"Inference time in µs; shorter is faster.{lines}{scales}"
    return _picture("latency", f"Bar chart of the inference time of every variant on {where}", caption, panels)


def _measured(results: Results, grid: Grid, setting: Setting) -> list[Latency]:
    found = [grid.latency(variant.name, setting) for variant in results.variants]
    return [latency for latency in found if latency is not None]


def _ends(latency: Latency) -> tuple[float, float] | None:
    if latency.interval is not None:
        return latency.interval.low, latency.interval.high
    if latency.low_us is not None and latency.high_us is not None:
        return latency.low_us, latency.high_us
    return None


def _bars(results: Results, grid: Grid, setting: Setting) -> Panel:
    rows = [_bar(results, grid, setting, name, label) for name, label in _labels(results, NAME_LENGTH).items()]
    scale = alt.Scale(domain=[0, HEADROOM * max(float(row["end"]) for row in rows)], nice=False)
    order = [str(row["variant"]) for row in rows]
    y = alt.Y("variant:N", sort=order, axis=None)
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    time = alt.X("us:Q", scale=scale, title="inference time (µs)", axis=alt.Axis(tickCount=4, format="~f"))
    shown = base.transform_filter("isValid(datum.us)")
    bars = shown.mark_bar(size=14, opacity=0.85, yOffset=9).encode(x=time, color=_role_colour())
    lines = shown.mark_rule(strokeWidth=2, color=INK, yOffset=9).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    texts = base.mark_text(align="left", dx=5, dy=9, color=INK, fontSize=FONT_SIZE).encode(
        x=alt.X("end:Q", scale=scale), text="text:N"
    )
    # The name above its bar, so that no column of names takes the width from the bars.
    names = base.mark_text(align="left", dy=-9, color=INK, fontSize=FONT_SIZE).encode(x=alt.datum(0), text="variant:N")
    title = clipped(clean(setting.label), NAME_LENGTH)
    return alt.layer(bars, lines, texts, names, width=BARS_WIDTH, height=alt.Step(BAR_STEP), title=title)


def _bar(results: Results, grid: Grid, setting: Setting, name: str, label: str) -> Datum:
    row: Datum = {"variant": label, "role": _role(results, name), "end": 0.0}
    result = grid.result(name, setting)
    if not isinstance(result, Latency):
        return row | {"text": "not measured" if result is None else result.kind}
    low, high = _ends(result) or (result.latency_us, result.latency_us)
    figures = {"us": result.latency_us, "low": low, "high": high, "end": max(high, result.latency_us)}
    return row | figures | {"text": decimal(result.latency_us)}


def accuracy_chart(results: Results) -> Picture | None:
    """Size against accuracy with Wilson intervals; None without an evaluation."""
    labels = _labels(results, LABEL_LENGTH)
    shares = {evaluation.variant: evaluation.accuracy for evaluation in results.evaluations}
    points = tuple(
        Point(v.size_bytes / 1e6, 100 * s.value, 100 * s.low, 100 * s.high)
        for v in results.variants
        if (s := shares.get(v.name)) is not None and v.size_bytes > 0
    )
    names = [v.name for v in results.variants if v.name in shares and v.size_bytes > 0]
    if not points:
        return None
    placement = place(points)
    rows = [
        _dot(labels[name], _role(results, name), point, spot, placement.right)
        for name, point, spot in zip(names, points, placement.spots, strict=True)
    ]
    sizes = sorted({float(decimal(point.size_mb)) for point in points})
    caption = (
        "Size of the file (logarithmic) and accuracy with its 95 % interval; smaller and higher is better. "
        "Points of nearly the same size are moved apart by a few per cent so that their intervals can be told apart."
    )
    return _picture(
        "accuracy",
        "Scatter chart of the size and the accuracy of every variant",
        caption,
        [_scatter(rows, placement, sizes)],
    )


def _dot(label: str, role: str, point: Point, spot: Spot, right: float) -> Datum:
    at = {"x": spot.x, "accuracy": point.accuracy, "low": point.low, "high": point.high}
    return {"variant": label, "role": role} | at | {"label_x": right, "label_y": spot.label_y}


def _scatter(rows: list[Datum], placement: Placement, sizes: list[float]) -> Panel:
    x_scale = alt.Scale(type="log", domain=[placement.left, placement.right], nice=False)
    y_scale = alt.Scale(domain=[placement.bottom, placement.top], nice=False)
    x_axis = alt.Axis(values=sizes, format="~g", labelOverlap="greedy", grid=False)
    y = alt.Y("accuracy:Q", scale=y_scale, title="accuracy (%)", axis=alt.Axis(tickCount=6, format="~f"))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("x:Q", scale=x_scale, title="size (MB)", axis=x_axis))
    leaders = base.mark_rule(color=LEADER, strokeDash=[2, 2]).encode(y=y, x2="label_x:Q", y2="label_y:Q")
    lines = base.mark_rule(strokeWidth=2, opacity=0.55).encode(
        y=alt.Y("low:Q", scale=y_scale), y2="high:Q", color=_role_colour()
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(y=y, color=_role_colour())
    texts = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_text(align="left", dx=5, color=INK, fontSize=FONT_SIZE, limit=LABEL_WIDTH, clip=False)
        .encode(x=alt.X("label_x:Q", scale=x_scale), y=alt.Y("label_y:Q", scale=y_scale), text="variant:N")
    )
    return alt.layer(leaders, lines, dots, texts, width=SCATTER_WIDTH, height=placement.height)


def training_chart(training: Training) -> Picture | None:
    """Loss and accuracy over the epochs; None without epochs."""
    if not training.epochs:
        return None
    loss = _curve(training, "loss", [(e.epoch, e.loss, e.val_loss) for e in training.epochs])
    accuracy = _curve(training, "accuracy (%)", [(e.epoch, *_accuracies(e)) for e in training.epochs])
    caption = f"Loss and accuracy over the epochs; the line marks epoch {training.best_epoch}, whose weights were kept."
    return _picture("training", "Line charts of loss and accuracy by epoch", caption, [loss, accuracy])


def _accuracies(epoch: Epoch) -> tuple[float, float]:
    return 100 * epoch.accuracy, 100 * epoch.val_accuracy


def _curve(training: Training, title: str, values: Sequence[tuple[int, float, float]]) -> Panel:
    rows = [
        {"epoch": epoch, "set": name, "value": value}
        for epoch, seen, unseen in values
        for name, value in (("training", seen), ("validation", unseen))
    ]
    sets = ["training", "validation"]
    colour = alt.Color("set:N", title=None, scale=alt.Scale(domain=sets, range=[REFERENCE, VARIANT]))
    dash = alt.StrokeDash("set:N", title=None, scale=alt.Scale(domain=sets, range=[[4, 3], [1, 0]]))
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point=alt.OverlayMarkDef(size=22), strokeWidth=2)
        .encode(
            x=alt.X(
                "epoch:Q",
                title="epoch",
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(tickMinStep=1, format="d"),
            ),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
            color=colour,
            strokeDash=dash,
        )
    )
    best = (
        alt.Chart(alt.InlineData(values=[{"epoch": training.best_epoch}])).mark_rule(color=LEADER).encode(x="epoch:Q")
    )
    return alt.layer(best, lines, width=CURVE_WIDTH, height=CURVE_HEIGHT)


def sustained_chart(results: Results) -> Picture | None:
    """Latency over time under load, each variant beside its own begin; None where nothing was sustained."""
    found = groups(results)
    panels = [_load(results, key, members) for key, members in found.items() if any(x.result.first_us for x in members)]
    if not panels:
        return None
    text = f"Line charts of the latency over time under load on {listed(tuple(where(key) for key in found))}"
    caption = "Latency under load over time, each variant's over that of its own begin; the dashed line is 10 % above."
    return _picture("sustained", text, caption, panels)


def _load(results: Results, key: Key, members: Sequence[Endured]) -> Panel:
    labels = _labels(results, LABEL_LENGTH)
    rows = [
        {"variant": labels.get(name, name), "min": p.at_s / 60, "ratio": p.latency_us / x.result.first_us}
        for x in members
        if x.result.first_us is not None
        for name in (x.result.cell.variant,)
        for p in x.result.points
    ]
    ratio = alt.Y("ratio:Q", title="latency over its begin", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("min:Q", title="minutes", axis=alt.Axis(tickCount=6)))
    lines = base.mark_line(point=alt.OverlayMarkDef(size=12)).encode(
        y=ratio, color=alt.Color("variant:N", title=None, sort=None)
    )
    limit = alt.Chart(alt.InlineData(values=[{"limit": 1.1}])).mark_rule(color=LEADER, strokeDash=[4, 3])
    title = clipped(clean(where(key)), NAME_LENGTH)
    layers = (limit.encode(y=alt.Y("limit:Q")), lines)
    return alt.layer(*layers, width=CURVE_WIDTH, height=CURVE_HEIGHT, title=title)


def _labels(results: Results, length: int) -> dict[str, str]:
    short = {name: clipped(clean(label), length) for name, label in variant_labels(results).items()}
    shown = list(short.values())
    # Two long labels may begin alike; a chart would draw them as one.
    return {name: text if shown.count(text) == 1 else f"{i}. {text}" for i, (name, text) in enumerate(short.items(), 1)}


def _role(results: Results, name: str) -> str:
    return "reference" if name == results.reference else "variant"


def _role_colour() -> alt.Color:
    scale = alt.Scale(domain=["reference", "variant"], range=[REFERENCE, VARIANT])
    return alt.Color("role:N", legend=None, scale=scale)


def _picture(stem: str, alt_text: str, caption: str, panels: Sequence[Panel]) -> Picture:
    try:
        drawn = tuple(_svg(panel) for panel in panels)
        whole = drawn[0] if len(panels) == 1 else _svg(alt.vconcat(*panels))
        png = vl_convert.svg_to_png(whole, scale=PNG_SCALE)
    except (ValueError, RuntimeError) as error:
        # A results file may claim a latency of 1e308.
        why = str(error).partition("\n")[0]
        raise UsageError(f"the picture of {stem} cannot be drawn: {why}", hint="correct the figures") from None
    files = (File(f"{stem}.png", png), File(f"{stem}.svg", whole.encode()))
    return Picture(alt_text, caption, files, tuple(File(f"{stem}.svg", panel.encode()) for panel in drawn))


def _svg(chart: Panel | alt.VConcatChart) -> str:
    return vl_convert.vegalite_to_svg(_spec(chart))


def _spec(chart: Panel | alt.VConcatChart) -> dict[str, object]:
    styled = (
        chart.configure(font=FONT, background="white", padding=10)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=FONT_SIZE, titleFontSize=FONT_SIZE, titleFontWeight="normal", labelColor=INK)
        .configure_title(anchor="start", fontSize=FONT_SIZE + 1, color=INK)
        .configure_legend(orient="bottom", labelFontSize=FONT_SIZE)
    )
    spec: dict[str, object] = styled.to_dict()
    return spec
