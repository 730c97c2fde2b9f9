"""Quality against seconds as a picture. Needs matplotlib, which the extra ``evaluation`` brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.inversion import Row

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError("the plot needs matplotlib: pip install 'editable-deepsc[evaluation]'") from error

LINES = {"encoder": "from the encoder", "mean": "from the mean face"}


def draw_curve(rows: Sequence[Row], path: Path) -> None:
    """LPIPS and identity over the seconds of an inversion, a line for each start; steps stand beside the points.

    Args:
        rows: of both starts, each in the order of its steps.
        path: of the picture.
    """
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    for axes, name, label in zip(
        figure.subplots(1, 2), ("lpips", "identity_cosine"), ("LPIPS", "identity cosine"), strict=True
    ):
        for start, line in LINES.items():
            own = [row for row in rows if row.start == start]
            if not own:
                continue
            axes.plot([row.seconds_median for row in own], [getattr(row, name) for row in own], "o-", label=line)
            for row in own:
                place = row.seconds_median, getattr(row, name)
                axes.annotate(str(row.steps), place, (3, 4), textcoords="offset points", fontsize="small")
        axes.set(xlabel="seconds (numbers: gradient steps)", ylabel=label)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)
