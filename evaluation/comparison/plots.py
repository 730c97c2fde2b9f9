"""The report's pictures: curves over SNR and over rho, and what was received."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.comparison.faces import Face
from evaluation.comparison.harness import Experiment, Row
from evaluation.comparison.report import Summary

CURVES = (
    ("lpips_intended", "LPIPS to the intended face"),
    ("identity_intended", "identity cosine"),
    ("psnr_db_intended", "PSNR in dB"),
    ("edit_success", "edits that succeeded"),
)


def draw_curves(summaries: list[Summary], folder: Path) -> list[str]:
    """``over_snr_FADING.png`` and ``over_rho_FADING.png``; returns the names."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = []
    for fading in dict.fromkeys(each["fading"] for each in summaries):
        here = [each for each in summaries if each["fading"] == fading]
        levels = sorted({each["snr_db"] for each in here})
        middle = levels[len(levels) // 2]
        for axis in ("snr", "rho"):
            figure, panels = pyplot.subplots(2, 2, figsize=(12, 9))
            for panel, (name, label) in zip(panels.flat, CURVES, strict=True):
                for key, line in _lines(here, axis, middle).items():
                    x = [each["snr_db"] if axis == "snr" else each["rho"] for each in line]
                    mean, low, high = zip(*(each[name] for each in line), strict=True)
                    panel.plot(x, mean, marker="o", markersize=3, label=key)
                    panel.fill_between(x, low, high, alpha=0.1)
                panel.set_xlabel("Es/N0 in dB" if axis == "snr" else f"rho (all channel uses) at {middle:g} dB")
                panel.set_ylabel(label)
                if axis == "rho":
                    panel.set_xscale("log")
                panel.grid(alpha=0.3)
            panels.flat[0].legend(fontsize=7)
            figure.tight_layout()
            names.append(f"over_{axis}_{fading}.png")
            figure.savefig(folder / names[-1], dpi=90)
            pyplot.close(figure)
    return names


def _lines(summaries: list[Summary], axis: str, snr_db: float) -> dict[str, list[Summary]]:
    lines: dict[str, list[Summary]] = {}
    for each in summaries:
        if axis == "snr":
            lines.setdefault(f"{each['method']}, k {each['k_asked']}", []).append(each)
        elif each["snr_db"] == snr_db:
            lines.setdefault(each["method"], []).append(each)
    order = "snr_db" if axis == "snr" else "rho"
    return {key: sorted(line, key=lambda each: float(each[order])) for key, line in lines.items()}


def draw_grid(experiment: Experiment, faces: list[Face], rows: list[Row], folder: Path, count: int = 5) -> str:
    """``grid.png``: a row for each method at the middle SNR, below photos and intended faces."""
    levels = sorted({row["snr_db"] for row in rows})
    snr_db = levels[len(levels) // 2]
    shown = faces[:count]
    table = [[face.photo for face in shown], [face.intended for face in shown]]
    lines: dict[tuple[str, str, int], dict[str, Row]] = {}
    for row in rows:
        if row["snr_db"] == snr_db:
            lines.setdefault((row["fading"], row["method"], row["k_asked"]), {})[row["face"]] = row
    table += [[experiment.picture(line[face.key]) for face in shown] for line in lines.values()]
    Image.fromarray(np.concatenate([np.concatenate(line, 1) for line in table])).save(folder / "grid.png")
    captions = [f"{method}, k {k}, {fading}" for fading, method, k in lines]
    (folder / "grid.txt").write_text("\n".join([f"at {snr_db:g} dB", "photo", "intended", *captions]) + "\n")
    return "grid.png"
