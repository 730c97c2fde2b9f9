"""``deepsc demo``: the whole link on this machine, from a photo and a sentence to the face that arrives."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Frames, InvertForSnr, LargestFace, Out, Quality, RefineSteps, Resolution, Symbols, Yes
from cli.output import AsJson, output_folder, print_json, read_file
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from cli.report import Judge
    from cli.session import Tell
    from protos.transmitter_pb2 import Photo

PROGRAMS: Mapping[str, Sequence[str]] = {
    "transmitter": ("-m", "transmitter"),
    "channel": ("-m", "channel_sim"),
    "receiver": ("-m", "receiver"),
}
"""The services as arguments of Python, in the order in which they are stopped: each before the hop it needs."""

REFINE_STEPS = 12
"""Counted rather than timed, as the service would: the same seed has to be the same run on every machine."""


@dataclass(frozen=True)
class Conditions:
    """What the demo's channel does.

    Attributes:
        snr_db: Es/N0.
        fading: ``"none"``, ``"rayleigh"``, or another kind that the channel knows.
        seed: of everything random in it.
    """

    snr_db: float
    fading: str
    seed: int


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command("demo")(demo_command)


def demo_command(
    image: Annotated[Path | None, typer.Option(help="A photo with one face; the astronaut without it.")] = None,
    instruction: Annotated[list[str] | None, typer.Option(help="A sentence; several are several turns.")] = None,
    snr_db: Annotated[float, typer.Option(help="Es/N0 of the channel, in dB.")] = 6.0,
    fading: Annotated[str, typer.Option(help="none, rayleigh, rician, taps or tdl.")] = "none",
    seed: Annotated[int | None, typer.Option(min=0, help="Makes the run repeatable; drawn without it.")] = None,
    out: Out = Path("out/demo"),
    resolution: Resolution = 1024,
    symbols: Symbols = 0,
    largest_face: LargestFace = False,
    refine_steps: RefineSteps = REFINE_STEPS,
    invert_for_snr_db: InvertForSnr = None,
    frames: Frames = None,
    quality: Quality = 0.0,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Start transmitter, channel and receiver, send a face and sentences through, save what arrives, stop them."""
    from cli.judge import load_judge
    from cli.session import photo_of, progress_display, summary

    conditions = Conditions(snr_db, fading, secrets.randbits(31) if seed is None else seed)
    data = astronaut() if image is None else read_file(image)
    # The stream's name keys the channel's noise: the same seed has to mean the same name.
    photo = photo_of(
        data,
        f"demo-{conditions.seed}",
        resolution,
        symbols,
        largest_face,
        refine_steps,
        invert_for_snr_db,
        frames,
        quality,
    )
    folder = output_folder(out)
    with progress_display() as tell:
        said = instruction or ["Smile more"]
        running = run(PROGRAMS, photo, said, conditions, folder, load_judge(), tell, best_guess=yes)
        report = asyncio.run(running)
    if as_json:
        print_json(report)
    else:
        typer.echo(summary(report, folder))


async def run(
    programs: Mapping[str, Sequence[str]],
    photo: Photo,
    instructions: Sequence[str],
    conditions: Conditions,
    out: Path,
    judge: Judge,
    tell: Tell,
    *,
    best_guess: bool = False,
) -> dict[str, Any]:
    """Runs the three services for one conversation; writes its pictures and report to ``out`` and returns the report.

    Args:
        programs: Python's arguments for each service, before its flags.
        photo: with its options; its stream id keys the channel's noise.
        instructions: one turn each.
        conditions: of the channel.
        out: a folder that is there.
        judge: compares received with intended faces.
        tell: shown what is being done.
        best_guess: whether what is unclear is done as it was probably meant.

    Raises:
        DeepscError: if a service cannot start, or what it answered instead.
    """
    from cli.session import hold, write_report

    tell("starting the services", 0, 1)
    async with started(programs, conditions, out) as addresses:
        ends = addresses["transmitter"], addresses["receiver"]
        report = await hold(*ends, photo, instructions, out, judge, tell, best_guess=best_guess)
    report = {"seed": conditions.seed, "snr_db": conditions.snr_db, "fading": conditions.fading} | report
    write_report(report, out)
    return report


@asynccontextmanager
async def started(
    programs: Mapping[str, Sequence[str]], conditions: Conditions, out: Path
) -> AsyncIterator[dict[str, str]]:
    """The three services for the block, on free ports; yields their addresses.

    Args:
        programs: Python's arguments for each service, before its flags.
        conditions: of the channel.
        out: a folder that is there; the services' logs go into its ``logs``.

    Raises:
        DeepscError: if a service cannot start.
    """
    from cli.processes import free_ports, services

    # Known before anybody listens, so that all three can load at the same time.
    channel_port, receiver_port = free_ports(2)
    flags = {
        "transmitter": ["--port", "0", "--target", f"127.0.0.1:{channel_port}"],
        "channel": [
            *("--port", str(channel_port), "--target", f"127.0.0.1:{receiver_port}"),
            *("--snr-db", str(conditions.snr_db), "--fading", conditions.fading, "--seed", str(conditions.seed)),
        ],
        "receiver": ["--port", str(receiver_port)],
    }
    commands = {name: [*program, *flags[name]] for name, program in programs.items()}
    logs = out / "logs"
    logs.mkdir(exist_ok=True)
    async with services(commands, logs) as addresses:
        yield addresses


def astronaut() -> bytes:
    """The public-domain photograph of Eileen Collins that ships with scikit-image, as a PNG file.

    Raises:
        InvalidInput: if scikit-image is not installed.
    """
    from shared.pictures import encode_png

    try:
        from skimage.data import astronaut as photo
    except ImportError as error:
        raise InvalidInput(
            "scikit-image, which brings the demo's photo, is not installed; name one with --image"
        ) from error
    return encode_png(photo())
