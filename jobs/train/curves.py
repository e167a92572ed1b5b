"""The learning curves as a picture."""

import altair as alt
import pandas as pd
import vl_convert

from common.schema.training import Epoch

WIDTH, HEIGHT = 360, 220


def curves_svg(epochs: tuple[Epoch, ...]) -> str:
    """Loss and accuracy over the epochs, training beside validation, as SVG text."""
    rows = [
        {"epoch": epoch.epoch, "figure": figure, "set": name, "value": value}
        for epoch in epochs
        for figure, name, value in (
            ("loss", "training", epoch.loss),
            ("loss", "validation", epoch.val_loss),
            ("accuracy", "training", epoch.accuracy),
            ("accuracy", "validation", epoch.val_accuracy),
        )
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows), width=WIDTH, height=HEIGHT)
        .mark_line(point=True)
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
            color=alt.Color("set:N", title=None),
            column=alt.Column("figure:N", title=None, sort=["loss", "accuracy"]),
        )
        .resolve_scale(y="independent")
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg
