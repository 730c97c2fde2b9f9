"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the pictures and the report.")]
Resolution = Annotated[
    int, typer.Option("--resolution", metavar="PIXELS", help="Side of the faces served: 128, 256, 512 or 1024.")
]
Symbols = Annotated[
    int,
    typer.Option("--symbols", metavar="K", min=0, help="Payload symbols of a frame; 0 chooses by the measured SNR."),
]
LargestFace = Annotated[bool, typer.Option("--largest-face", help="Of several faces take the largest.")]
RefineSteps = Annotated[
    int | None,
    typer.Option("--refine-steps", metavar="N", min=0, help="Gradient steps of the inversion after its first guess."),
]
InvertForSnr = Annotated[
    float | None,
    typer.Option("--invert-for-snr-db", metavar="DB", help="Invert the photo for a link of this SNR; inf for none."),
]
Frames = Annotated[
    int | None,
    typer.Option(
        "--frames",
        metavar="N",
        min=1,
        max=16,
        help="Frames a turn; those after the first refine the face. One, or with --quality up to four.",
    ),
]
Quality = Annotated[
    float,
    typer.Option(
        "--quality",
        metavar="Q",
        min=0,
        help="Share of what is seen of the face that is enough, such as 0.85: no more symbols than that takes.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Take the best guess where it is unclear what a sentence means.")]
