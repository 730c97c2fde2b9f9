"""Curves as pictures. Needs matplotlib, which the extra ``evaluation`` brings; without it there is only the JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from channel_sim.calibration.curves import Curve

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError("plots need matplotlib: pip install 'editable-deepsc[evaluation]'") from error


def draw(curves: Iterable[Curve], folder: Path) -> list[Path]:
    """Writes ``NAME.png`` for each curve; returns the paths."""
    return [_draw(curve, folder / f"{curve.name}.png") for curve in curves]


def _draw(curve: Curve, path: Path) -> Path:
    # A figure of its own rather than pyplot, which keeps a global list of them.
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    for series in curve.series:
        axes.plot(series.x, series.y, "o" if series.measured else "-", label=series.name, markersize=4)
    axes.set(title=curve.title, xlabel=curve.x_label, ylabel=curve.y_label, yscale=curve.y_scale)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
    return path
