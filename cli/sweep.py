"""``deepsc sweep``: quality over SNR and symbols, in process, for every codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import AsJson, output_folder, print_json, stderr_console, stdout_console
from shared.errors import InvalidInput

FULL_SNR_DB, QUICK_SNR_DB = "-5,0,6,12,20", "0,6,12"
FULL_SYMBOLS, QUICK_SYMBOLS = "64,128,256", "128"
FULL_FACES, QUICK_FACES = 24, 4


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command("sweep")(sweep_command)


def sweep_command(
    snr_db: Annotated[
        str | None, typer.Option(help="Es/N0 in dB, separated by commas.", show_default=FULL_SNR_DB)
    ] = None,
    symbols: Annotated[
        str | None, typer.Option(help="Payload symbols, separated by commas.", show_default=FULL_SYMBOLS)
    ] = None,
    codec: Annotated[str, typer.Option(help="Codecs, separated by commas, or all.")] = "all",
    faces: Annotated[
        int | None, typer.Option(min=1, help="How many faces are sent.", show_default=str(FULL_FACES))
    ] = None,
    latents: Annotated[
        Path | None,
        typer.Option(help="Latents (N, 16, 512), .npy, or a latent.npz of deepsc invert; else the prior draws."),
    ] = None,
    adapters: Annotated[Path | None, typer.Option(help="Adapter pairs for jecc.")] = None,
    networks: Annotated[Path | None, typer.Option(help="Trained networks for jecc.")] = None,
    fading: Annotated[str, typer.Option(help="none or rayleigh.")] = "none",
    seed: Annotated[int, typer.Option(min=0, help="Of faces and channel.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few points and faces where none are named, under half a minute.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for sweep.json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send the same faces at many operating points and tabulate what arrives."""
    if snr_db is None:
        snr_db = QUICK_SNR_DB if quick else FULL_SNR_DB
    if symbols is None:
        symbols = QUICK_SYMBOLS if quick else FULL_SYMBOLS
    if faces is None:
        faces = QUICK_FACES if quick else FULL_FACES
    points_db, lengths = numbers(snr_db, "--snr-db"), [round(k) for k in numbers(symbols, "--symbols")]

    from rich.table import Table

    from cli.judge import load_judge
    from evaluation.link import Fading
    from evaluation.sweep import Sweep, read_latents, rounded, sample_latents
    from shared.codec.catalogue import CODEC_NAMES
    from shared.prior.mobile_stylegan import MobileStyleGan

    if fading not in ("none", "rayleigh"):
        raise InvalidInput(f"--fading is none or rayleigh, not {fading!r}")
    propagation: Fading = "rayleigh" if fading == "rayleigh" else "none"
    asked = CODEC_NAMES if codec == "all" else tuple(codec.split(","))
    names = [name for name in CODEC_NAMES if name in asked]
    if len(names) != len(asked):
        raise InvalidInput(f"--codec is some of {', '.join(CODEC_NAMES)}, or all, not {codec!r}")
    prior = MobileStyleGan.load()
    sent = read_latents(latents, faces) if latents else sample_latents(prior, faces, seed)
    sweep = Sweep(prior, sent, load_judge(), adapters, networks)
    console = stderr_console()
    points = []
    for k in lengths:
        for point_db in points_db:
            for name in names:
                points.append(rounded(sweep.at(name, point_db, k, propagation, seed)))
                console.print(f"[dim]{name} k={k} {point_db:g} dB[/dim]")
    document = {"faces": len(sent), "fading": fading, "seed": seed, "points": points}
    if out is not None:
        import json

        (output_folder(out) / "sweep.json").write_text(json.dumps(document, indent=1) + "\n")
    if as_json:
        print_json(document)
        return
    columns = [name for name in points[0] if name != "faces"]
    table = Table(*columns)
    for point in points:
        table.add_row(*(str(point[name]) for name in columns))
    stdout_console().print(table)


def numbers(text: str, option: str) -> list[float]:
    """The numbers of a list written with commas.

    Raises:
        InvalidInput: if one of them is not a number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidInput(f"{option} takes numbers separated by commas, not {text!r}") from None
