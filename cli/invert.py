"""``deepsc invert``: the photo's latent and what it shows, without a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import InvertForSnr, LargestFace, Resolution
from cli.output import AsJson, output_folder, print_json, read_file


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command("invert")(invert_command)


def invert_command(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A photo with one face.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for pictures and latent.")] = Path("out/invert"),
    refine_steps: Annotated[int, typer.Option(metavar="N", min=0, help="Gradient steps after the first guess.")] = 12,
    invert_for_snr_db: InvertForSnr = None,
    resolution: Resolution = 1024,
    largest_face: LargestFace = False,
    as_json: AsJson = False,
) -> None:
    """Align a photo, find its latent, and save aligned.png, reconstruction.png and latent.npz."""
    import numpy as np

    from cli.report import degrees
    from cli.session import progress_display
    from shared.attribute_predictor import degrees_of
    from shared.codec.catalogue import load_codec
    from shared.pictures import SYNTHETIC, encode_png, served_resolution
    from transmitter.inverter import NO_LINK, Refinement
    from transmitter.models import load_backend, load_finder, load_inverter, load_predictor
    from transmitter.receptions import Receptions
    from transmitter.symbols import MAX_USES, SymbolBudget

    side = served_resolution(resolution, resolution)
    for_snr_db = NO_LINK if invert_for_snr_db is None else invert_for_snr_db
    refinement = Refinement(refine_steps, for_snr_db=for_snr_db)
    data, folder = read_file(image), output_folder(out)
    with progress_display() as tell:
        tell("loading the models", 0, 1)
        aligned = load_finder().find(data, largest_face=largest_face)
        receptions = None if for_snr_db == NO_LINK else Receptions(load_codec(), SymbolBudget(MAX_USES))
        inversion = load_inverter(receptions=receptions).invert(
            aligned,
            refinement,
            lambda progress: tell(f"{progress.stage}ing", progress.step, progress.steps),
        )
        tell("drawing", 0, 1)
        reconstruction = load_backend().render(inversion.w_plus[None], side)[0]
        shown = degrees(degrees_of(load_predictor(), reconstruction))
    (folder / "aligned.png").write_bytes(encode_png(aligned))
    (folder / "reconstruction.png").write_bytes(encode_png(reconstruction, SYNTHETIC))
    np.savez(folder / "latent.npz", w_plus=inversion.w_plus)
    document = {
        "image": str(image),
        "refine_steps": refine_steps,
        "invert_for_snr_db": None if for_snr_db == NO_LINK else for_snr_db,
        "lpips": round(inversion.lpips, 6),
        "identity_cosine": round(inversion.identity_cosine, 6),
        "confidence": round(inversion.confidence, 3),
        "degrees": shown,
        "losses": [round(loss, 6) for loss in inversion.losses],
        "elapsed_ms": round(inversion.elapsed_ms, 1),
        "files": {
            name: str(folder / file)
            for name, file in (
                ("aligned", "aligned.png"),
                ("reconstruction", "reconstruction.png"),
                ("latent", "latent.npz"),
            )
        },
    }
    if as_json:
        print_json(document)
        return
    typer.echo(
        f"LPIPS {inversion.lpips:.3f}, identity {inversion.identity_cosine:.2f}, "
        f"confidence {inversion.confidence:.2f}, {inversion.elapsed_ms:.0f} ms; "
        f"aligned.png, reconstruction.png and latent.npz are in {folder}"
    )
