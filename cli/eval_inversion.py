"""``deepsc eval inversion``: how well photos are inverted, over gradient steps and on unusual faces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import AsJson, output_folder, print_json, stderr_console, stdout_console
from cli.sweep import numbers

if TYPE_CHECKING:
    from rich.console import Console

    from evaluation.inversion import Row
    from shared.attribute_predictor import AttributePredictor
    from shared.pictures import Picture

SHOWN = 8
"""Photos on the contact sheet."""


def inversion_command(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with celeba18k.tar; sampled faces without it.")
    ] = None,
    photos: Annotated[int, typer.Option(min=1, help="Faces of the validation split, or samples.")] = 500,
    steps: Annotated[str, typer.Option(help="Gradient steps after the encoder, separated by commas.")] = "0,30",
    curve_photos: Annotated[
        int, typer.Option(min=0, help="Faces for the curve over steps, with and without the encoder; 0 leaves it out.")
    ] = 0,
    curve_steps: Annotated[str, typer.Option(help="Steps of that curve.")] = "0,10,25,50,100,300",
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of faces.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A few faces and steps, under half a minute.")] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for inversion.json, inversion.png and the curve.")
    ] = Path("out/inversion"),
    as_json: AsJson = False,
) -> None:
    """Invert many faces and tabulate likeness, identity, degrees kept and seconds."""
    if quick:
        photos, steps, curve_photos = 6, "0,10", 0
    counts, curve_counts = ([round(n) for n in numbers(text, "steps")] for text in (steps, curve_steps))

    from evaluation.inversion import InversionReport, faces_for, strange_faces
    from shared.perceptual.face_metrics import FaceMetrics
    from shared.prior.mobile_stylegan import MobileStyleGan
    from transmitter.models import load_inverter

    console, folder = stderr_console(), output_folder(out)
    prior = MobileStyleGan.load()
    faces = faces_for(prior, data, photos, seed)
    name, predictor = degree_reader(console)
    report = InversionReport(prior, load_inverter(prior), FaceMetrics(), predictor)
    document: dict[str, Any] = {"data": "CelebA val" if data else "samples", "photos": len(faces), "seed": seed}
    document["degrees_by"] = name
    rows: list[Row] = []
    columns: list[Sequence[Picture]] = [faces]
    for count in counts:
        row, shown = report.row(faces, count)
        rows.append(row)
        columns.append(shown)
        console.print(f"[dim]{row}[/dim]")
    document["rows"] = [row.document() for row in rows]
    if curve_photos:
        curve: list[Row] = []
        for with_encoder in (True, False):
            for count in curve_counts:
                row, _ = report.row(faces[:curve_photos], count, with_encoder=with_encoder)
                curve.append(row)
                console.print(f"[dim]{row}[/dim]")
        document["curve"] = [row.document() for row in curve]
        console.print(_draw(curve, folder))
    document["strange"] = {}
    for name, picture in strange_faces(faces[0], seed):
        fit, _ = report.fit(picture, counts[-1])
        document["strange"][name] = {"confidence": round(fit.confidence, 3), "lpips": round(fit.lpips, 3)}
    (folder / "inversion.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    save_sheet([column[:SHOWN] for column in columns], folder / "inversion.png")
    if as_json:
        print_json(document)
    else:
        _print_table(document)


def _draw(curve: Sequence[Row], folder: Path) -> str:
    """Draws the curve, if that can be done here; returns a sentence about it."""
    try:
        from evaluation.inversion_curve import draw_curve
    except ImportError as error:
        return f"The curve is in inversion.json only: {error}"
    draw_curve(curve, folder / "curve.png")
    return f"The curve is {folder / 'curve.png'}."


def degree_reader(console: Console) -> tuple[str, AttributePredictor]:
    """The evaluation's own reader of degrees, or, with a word about it, the link's where that was not pulled."""
    from evaluation.judge import DegreeJudge
    from shared.errors import WeightsMissing
    from transmitter.models import load_predictor

    try:
        return "judge", DegreeJudge.load()
    except WeightsMissing:
        console.print("Degrees are read by the link's own predictor; for the judge: deepsc models pull --evaluation")
        return "predictor", load_predictor()


def save_sheet(columns: Sequence[Sequence[Picture]], path: Path) -> None:
    """Writes a contact sheet: a row for each sequence of faces, all of one size."""
    import numpy as np
    from PIL import Image

    Image.fromarray(np.concatenate([np.concatenate(list(faces), 1) for faces in columns], 0)).save(path)


def _print_table(document: dict[str, Any]) -> None:
    from rich.table import Table

    console = stdout_console()
    for name in ("rows", "curve"):
        if name not in document:
            continue
        table = Table(*(column for column in document[name][0] if column != "degree_off"))
        for row in document[name]:
            table.add_row(*(str(value) for column, value in row.items() if column != "degree_off"))
        console.print(table)
    degrees = Table("degrees off", *document["rows"][0]["degree_off"])
    for row in document["rows"]:
        degrees.add_row(f"{row['steps']} steps", *(str(value) for value in row["degree_off"].values()))
    console.print(degrees)
    strange = Table("face", "confidence", "LPIPS")
    for kind, fit in document["strange"].items():
        strange.add_row(kind, str(fit["confidence"]), str(fit["lpips"]))
    console.print(strange)
