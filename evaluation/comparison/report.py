"""From rows to tables: means with bootstrap intervals, JSON, Parquet, and a page that opens with the losses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.comparison.config import ExperimentConfig
from evaluation.comparison.distances import Distances
from evaluation.comparison.harness import Row, grouped, place_of
from evaluation.comparison.scores import FIGURES
from evaluation.ms_ssim import WEIGHTS, scales_of

BETTER_WHEN_LESS = ("lpips_intended",)
JUDGED = {
    "lpips_intended": "LPIPS",
    "identity_intended": "identity",
    "psnr_db_intended": "PSNR",
    "edit_success": "edits that succeed",
}
"""Figures by which the best of ours and the best rival are compared, as the report calls them."""

RESAMPLES = 1000
COLUMNS = {
    "lpips_intended": "LPIPS",
    "identity_intended": "identity",
    "psnr_db_intended": "PSNR dB",
    "ssim_intended": "SSIM",
    "ms_ssim_intended": "MS-SSIM",
    "edit_success": "edit success",
    "edit_drift": "drift",
    "lpips_photo": "LPIPS to photo",
}
"""Of the table, of the figures that have an interval."""

READERS = {
    "judge": "the evaluation's own judge, which no loop of the link looks at; the wishes start from what the link's "
    "predictor sees in the photo",
    "predictor": "the link's own predictor, which the editor works to please (`deepsc models pull --evaluation` brings "
    "an independent judge)",
}
"""Who read the degrees behind edit success and drift."""

Summary = dict[str, Any]
"""One operating point: its place, its uses, mean, low and high of each figure, FID and KID (or None)."""


def interval(values: list[float], seed: int = 0) -> tuple[float, float, float]:
    """Mean and 95 % percentile bootstrap interval (Efron and Tibshirani, 1993, chapter 13) over faces."""
    sample = np.asarray(values)
    chosen = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.percentile(sample[chosen].mean(1), [2.5, 97.5])
    return round(float(sample.mean()), 4), round(float(low), 4), round(float(high), 4)


def summarise(rows: list[Row], distances: Distances) -> list[Summary]:
    """One summary for each operating point."""
    summaries = []
    for first, group in grouped(rows):
        place = ("fading", "method", "k_asked", "snr_db", "scheme", "k_payload", "k_header", "k_pilot", "k_total")
        summary: Summary = {name: first[name] for name in place}
        summary |= {"rho": first["rho"], "rho_payload": first["rho_payload"], "faces": len(group)}
        summary["undecodable"] = sum(not row["delivered"] for row in group)
        for figure in FIGURES:
            summary[figure] = interval([row[figure] for row in group])
        summary["fid"], summary["kid"] = distances.at.get(place_of(first), (None, None))
        summaries.append(summary)
    return summaries


@dataclass(frozen=True)
class Comparison:
    """The best of ours and the best rival at one SNR, by one figure."""

    figure: str
    fading: str
    snr_db: float
    ours: Summary
    rival: Summary

    @property
    def lost(self) -> bool:
        """Whether the rival is ahead."""
        return _badness(self.figure, self.rival) < _badness(self.figure, self.ours)


def comparisons(summaries: list[Summary]) -> list[Comparison]:
    """Every figure of `JUDGED` at every SNR where ours and a rival were measured, figure by figure."""
    found = []
    for figure in JUDGED:
        for fading, snr_db in sorted({(each["fading"], each["snr_db"]) for each in summaries}):
            here = [each for each in summaries if (each["fading"], each["snr_db"]) == (fading, snr_db)]
            ours = [each for each in here if each["method"].startswith("ours")]
            rivals = [each for each in here if not each["method"].startswith("ours")]
            if ours and rivals:
                best, rival = (min(group, key=partial(_badness, figure)) for group in (ours, rivals))
                found.append(Comparison(figure, fading, snr_db, best, rival))
    return found


def losses(summaries: list[Summary]) -> str:
    """Where the best rival beats the best of ours: a paragraph, and what was measured there in a table."""
    compared = comparisons(summaries)
    lost = [each for each in compared if each.lost]
    if not compared:
        return "Nothing stands beside ours in this experiment, so it does not say where we lose."
    if not lost:
        return f"Ours is nowhere behind in the {len(compared)} comparisons of {', '.join(JUDGED.values())}."
    places = [
        f"in {name} {' and '.join(at)}"
        for figure, name in JUDGED.items()
        if (at := _places([each for each in lost if each.figure == figure]))
    ]
    share = f"{len(lost)} of {len(compared)} comparisons"
    lines = [
        f"**Where we lose** ({share}, each method at its best): {'; '.join(places)}.",
        "",
        "| figure | channel | SNR dB | best rival | uses | it | best of ours | uses | ours |",
        "| --- " * 9 + "|",
    ]
    lines += [
        f"| {JUDGED[each.figure]} | {_channel(each.fading)} | {each.snr_db:g} "
        + "".join(f"| {of['method']} | {of['k_total']} | {of[each.figure][0]:.3f} " for of in (each.rival, each.ours))
        + "|"
        for each in lost
    ]
    return "\n".join(lines)


def _places(lost: list[Comparison]) -> list[str]:
    """At which SNRs of which channels, "at 12, 20 dB (AWGN)"."""
    fadings = dict.fromkeys(each.fading for each in lost)
    snrs = {fading: [f"{each.snr_db:g}" for each in lost if each.fading == fading] for fading in fadings}
    return [f"at {', '.join(values)} dB ({_channel(fading)})" for fading, values in snrs.items()]


def _badness(figure: str, summary: Summary) -> float:
    return float(summary[figure][0] if figure in BETTER_WHEN_LESS else -summary[figure][0])


def _channel(fading: str) -> str:
    return "AWGN" if fading == "none" else fading


def markdown(
    config: ExperimentConfig, summaries: list[Summary], plots: list[str], degrees_by: str, missing: str
) -> str:
    """The report.

    Args:
        config: what was run.
        summaries: of `summarise`.
        plots: names of pictures beside it.
        degrees_by: who read the degrees, one of `READERS`.
        missing: why FID and KID are not given; empty where they are.
    """
    faces = {"prior": "drawn by the face prior", "celeba": "of CelebA's validation set", "folder": "of a folder"}
    lines = [f"# {config.name}", "", losses(summaries), ""]
    lines += [
        f"{config.data.count} faces {faces[config.data.source]} at {config.resolution} px, seed {config.seed}; "
        "each with an edit. Mean and 95 % bootstrap interval over faces. LPIPS is AlexNet at 256 px, identity SFace. "
        "Undecodable faces are mid-grey and are in every mean. `k_total` and `rho` count pilots and header; the ideal "
        "codes need none. Modulation and rate of each LDPC row are the best of those tried on these very faces.",
        "",
        f"Edit success and drift are read by {READERS[degrees_by]}. Of the intended faces, before any channel, "
        f"{_shown(summaries[0]['edit_success_unsent'])} succeed, with a drift of "
        f"{_shown(summaries[0]['edit_drift_unsent'])}. {_scales(config.resolution)} "
        + (
            missing
            or f"FID and KID are of all faces of a row against the intended ones; with {summaries[0]['faces']} "
            "faces FID is far from its limit, and stands beside no value of other sets of faces."
        ),
        "",
    ]
    if config.data.source == "prior":
        lines += [
            "These faces are the prior's own: their latents are known exactly, which favours every method that "
            "sends latents. Photos are harder for them.",
            "",
        ]
    for fading in dict.fromkeys(each["fading"] for each in summaries):
        lines += [f"## {_channel(fading)}", ""]
        heads = ["SNR dB", "method", "code", "k_total", "rho", "undecodable", *COLUMNS.values(), "FID", "1000 KID"]
        lines += ["| " + " | ".join(heads) + " |", "| " + " | ".join(["---"] * len(heads)) + " |"]
        here = [each for each in summaries if each["fading"] == fading]
        for each in sorted(here, key=lambda each: each["snr_db"]):
            figures = [_shown(each[name]) for name in COLUMNS]
            figures += ["", ""] if each["fid"] is None else [f"{each['fid']:.1f}", f"{1000 * each['kid']:.1f}"]
            lines.append(
                f"| {each['snr_db']:g} | {each['method']} | {each['scheme']} | {each['k_total']} | {each['rho']:.2e} "
                f"| {each['undecodable']}/{each['faces']} | " + " | ".join(figures) + " |"
            )
        lines.append("")
    lines += [f"![{plot.removesuffix('.png')}]({plot})" for plot in plots]
    lines += ["", "What each row of the grid shows stands in `grid.txt`."] if "grid.png" in plots else []
    return "\n".join(lines) + "\n"


def _shown(figure: tuple[float, float, float]) -> str:
    return f"{figure[0]:.3f} ({figure[1]:.3f}..{figure[2]:.3f})"


def _scales(side: int) -> str:
    """What MS-SSIM is at a resolution."""
    scales = scales_of(side)
    if scales == len(WEIGHTS):
        return f"MS-SSIM is over all {scales} scales of the paper."
    return (
        f"MS-SSIM is over the {scales} of the paper's {len(WEIGHTS)} scales that {side} px have room for, so it stands "
        f"beside no value of {len(WEIGHTS)}."
    )


def write(
    config: ExperimentConfig, rows: list[Row], folder: Path, plots: list[str], distances: Distances
) -> list[Summary]:
    """Writes ``results.json``, ``results.parquet`` and ``report.md``; returns the summaries."""
    import pyarrow
    from pyarrow import parquet

    summaries, degrees_by = summarise(rows, distances), rows[0]["degrees_by"]
    document = {
        "config": config.model_dump(mode="json"),
        "degrees_by": degrees_by,
        "ms_ssim_scales": scales_of(config.resolution),
        "fid_missing": distances.missing,
        "summaries": summaries,
        "rows": rows,
    }
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "results.parquet")
    (folder / "report.md").write_text(markdown(config, summaries, plots, degrees_by, distances.missing))
    return summaries
