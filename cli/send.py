"""``deepsc send``: one conversation against services that are running."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Frames, InvertForSnr, LargestFace, Out, Quality, RefineSteps, Resolution, Symbols, Yes
from cli.output import AsJson, output_folder, print_json, read_file

Address = typer.Option(metavar="HOST:PORT", help="Where the service listens.")


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command("send")(send_command)


def send_command(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A photo with one face.")],
    instructions: Annotated[list[str], typer.Argument(metavar="INSTRUCTION...", help="One turn each.")],
    transmitter: Annotated[str, Address] = "127.0.0.1:50051",
    receiver: Annotated[str | None, Address] = None,
    out: Out = Path("out/send"),
    resolution: Resolution = 1024,
    symbols: Symbols = 0,
    largest_face: LargestFace = False,
    refine_steps: RefineSteps = None,
    invert_for_snr_db: InvertForSnr = None,
    frames: Frames = None,
    quality: Quality = 0.0,
    yes: Yes = False,
    stream_id: Annotated[str, typer.Option(help="Name of the stream; a fresh one without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send a photo and one sentence per turn to a running transmitter.

    With --receiver the faces are watched there and judged; without it only the transmitter's report is written.
    """
    import asyncio

    from cli.judge import load_judge
    from cli.session import hold, photo_of, progress_display, summary

    photo = photo_of(
        read_file(image), stream_id, resolution, symbols, largest_face, refine_steps, invert_for_snr_db, frames, quality
    )
    folder = output_folder(out)
    with progress_display() as tell:
        report = asyncio.run(
            hold(transmitter, receiver, photo, instructions, folder, load_judge(), tell, best_guess=yes)
        )
    if as_json:
        print_json(report)
    else:
        typer.echo(summary(report, folder))
