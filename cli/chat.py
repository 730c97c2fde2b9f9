"""``deepsc chat``: a conversation typed line by line, against services that run or that it starts itself."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Frames, InvertForSnr, LargestFace, Out, Quality, RefineSteps, Resolution, Symbols, Yes
from cli.output import AsJson, output_folder, read_file

if TYPE_CHECKING:
    from protos.transmitter_pb2 import Photo

Address = typer.Option(metavar="HOST:PORT", help="Where the service listens; without a transmitter all are started.")


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command("chat")(chat_command)


def chat_command(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A photo with one face.")],
    transmitter: Annotated[str | None, Address] = None,
    receiver: Annotated[str | None, Address] = None,
    snr_db: Annotated[float, typer.Option(help="Es/N0 of the channel that is started, in dB.")] = 6.0,
    fading: Annotated[str, typer.Option(help="Of the channel started: none, rayleigh, rician, taps or tdl.")] = "none",
    seed: Annotated[int, typer.Option(min=0, help="Of the channel that is started.")] = 0,
    out: Out = Path("out/chat"),
    resolution: Resolution = 512,
    symbols: Symbols = 0,
    frames: Frames = None,
    quality: Quality = 0.0,
    largest_face: LargestFace = False,
    refine_steps: RefineSteps = None,
    invert_for_snr_db: InvertForSnr = None,
    yes: Yes = False,
    no_preview: Annotated[bool, typer.Option("--no-preview", help="Show no faces in the terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Talk about a face. Every line is a sentence, or a command such as /undo; /help lists them.

    Lines may be piped in; with --json every answer is one JSON object on a line of its own.
    """
    from cli.demo import Conditions
    from cli.session import photo_of

    photo = photo_of(
        read_file(image), "", resolution, symbols, largest_face, refine_steps, invert_for_snr_db, frames, quality
    )
    photo.keep_open = True
    folder = output_folder(out)
    asyncio.run(
        _chat(photo, transmitter, receiver, Conditions(snr_db, fading, seed), folder, yes, not no_preview, as_json)
    )


async def _chat(
    photo: Photo,
    transmitter: str | None,
    receiver: str | None,
    conditions: object,
    out: Path,
    yes: bool,
    with_preview: bool,
    as_json: bool,
) -> None:
    from cli import demo
    from cli.chatting import Chat, Lines
    from cli.client import dialogue
    from cli.preview import protocol
    from cli.session import progress_display, tell_progress

    async with AsyncExitStack() as stack:
        if transmitter is None:
            assert isinstance(conditions, demo.Conditions)
            photo.stream_id = f"chat-{conditions.seed}"
            addresses = await stack.enter_async_context(demo.started(demo.PROGRAMS, conditions, out))
            transmitter, receiver = addresses["transmitter"], addresses["receiver"]
        talking = await stack.enter_async_context(dialogue(transmitter, receiver, photo))
        with progress_display() as tell:
            face = await talking.begin(photo, tell_progress(tell))
        way = protocol(os.environ) if with_preview and sys.stdout.isatty() and not as_json else None
        chat = Chat(talking, face, out, photo.resolution, yes=yes, way=way, as_json=as_json)
        chat.greet()
        async for line in Lines():
            if not await chat.answer(line):
                break
        await talking.end()
