"""`deepsc channel record|replay`: what passes over a proxy's links kept as SigMF, and passed over again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import FAILED, AsJson, print_json, stderr_console
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from channel_sim.recording import Place, RecordedFrame, Recording
    from channel_sim.recording.session import Recorded

_MIB = 2**20

_MOST_NAMED = 10


def register(channel: typer.Typer) -> None:
    """Adds the commands to the group `channel`."""
    channel.command("record")(record_command)
    channel.command("replay")(replay_command)


def record_command(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="NAME.sigmf-data and NAME.sigmf-meta are written.")],
    target: Annotated[
        str, typer.Option("--target", metavar="HOST:PORT", help="Address of the channel proxy.")
    ] = "127.0.0.1:50052",
    link: Annotated[str, typer.Option("--link", help="Only this link.")] = "",
    stream: Annotated[str, typer.Option("--stream", help="Only this stream.")] = "",
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="PLACE",
            help="sender: samples as they came; receiver: as they went on; both: NAME-sender and NAME-receiver.",
        ),
    ] = "sender",
    frames: Annotated[int, typer.Option("--frames", min=1, max=100_000, help="End behind so many frames.")] = 20_000,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.0, help="End after this time.")] = None,
    max_mib: Annotated[
        float, typer.Option("--max-mib", min=0.0, help="End before a file of samples grows beyond this.")
    ] = 256.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a recording of that name.")] = False,
    as_json: AsJson = False,
) -> int:
    """Record frames as SigMF while they pass, until a bound, Ctrl-C or SIGTERM; the link never waits for it."""
    from channel_sim.client import channel_client
    from channel_sim.recording.session import Bounds, record

    bases = _bases(name, at)

    async def recording() -> Recorded:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        bounds = Bounds(frames, int(max_mib * _MIB), seconds)
        chosen = {"link": link, "stream_id": stream}
        async with channel_client(target) as client:
            return await record(client, bases, bounds, stop, overwrite=overwrite, begun=begun, **chosen)

    def begun() -> None:
        stderr_console().print(f"[dim]recording what passes at {target}; Ctrl-C ends it[/dim]")

    recorded = asyncio.run(recording())
    files = [str(base) for base in bases.values()]
    if as_json:
        print_json({"recordings": files, **vars(recorded)})
    else:
        missed = f", {recorded.skipped} missed" if recorded.skipped else ""
        typer.echo(f"{', '.join(files)}: {recorded.frames} frames{missed}, ended by {recorded.ended_by}")
    return FAILED if recorded.ended_by == "proxy lost" else 0


def replay_command(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="A recording, with or without one of its endings.")],
    target: Annotated[
        str, typer.Option("--target", metavar="HOST:PORT", help="Feed the frames to this receiver, or proxy.")
    ] = "",
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="Feed the samples of a recording made at the sender as they are.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Pass recorded frames over their recorded link again; exit status 1 if a sample differs from then."""
    from channel_sim.recording import read_recording

    recording = read_recording(name)
    if as_sent and (recording.place != "sender" or not target):
        raise InvalidInput("--as-sent feeds a recording made at the sender to a --target; this is something else")
    differing: list[dict[str, Any]] = []
    document: dict[str, Any] = {
        "recording": str(recording.base),
        "place": recording.place,
        "frames": len(recording.frames),
        "lost": sum(frame.lost for frame in recording.frames),
        "skipped": recording.skipped,
    }
    if target:
        document["streams"] = asyncio.run(_feed(recording, target, differing, as_sent=as_sent))
    else:
        for stream in recording.streams:
            for _ in _delivered(recording, stream, differing):
                pass
    if not as_sent:
        document["identical"] = len(recording.frames) - len(differing)
        document["differing"] = differing[:_MOST_NAMED]
    if as_json:
        print_json(document)
    else:
        _show(document, recording)
    return FAILED if differing else 0


def _bases(name: Path, at: str) -> dict[Place, Path]:
    from channel_sim.recording.files import base_of

    base = base_of(name)
    match at:
        case "sender" | "receiver":
            return {at: base}
        case "both":
            return {
                "sender": base.with_name(f"{base.name}-sender"),
                "receiver": base.with_name(f"{base.name}-receiver"),
            }
        case _:
            raise InvalidInput(f"--at is {at!r}: choose sender, receiver or both")


def _delivered(
    recording: Recording, stream: Sequence[RecordedFrame], differing: list[dict[str, Any]]
) -> Iterator[tuple[int, bytes]]:
    """Number and samples of every frame that arrives; those that differ from the recorded run are noted."""
    from channel_sim.recording import replayed

    for each in replayed(recording, stream):
        if not each.identical:
            differing.append({"stream_id": each.frame.stream_id, "sequence": each.frame.sequence})
        if each.delivered is not None:
            yield each.frame.sequence, each.delivered


def _sent(recording: Recording, stream: Sequence[RecordedFrame]) -> Iterator[tuple[int, bytes]]:
    """Number and samples of every frame as its sender sent it."""
    from shared.phy.cf32 import to_bytes

    for frame in stream:
        yield frame.sequence, to_bytes(recording.samples_of(frame))


async def _feed(
    recording: Recording, target: str, differing: list[dict[str, Any]], *, as_sent: bool
) -> list[dict[str, Any]]:
    """Feeds a recording stream by stream; returns what was answered."""
    from channel_sim.recording.feed import feed_stream
    from shared.transport import connect

    answered = []
    async with connect(target) as channel:
        for stream in recording.streams:
            frames = _sent(recording, stream) if as_sent else _delivered(recording, stream, differing)
            stream_id = stream[0].stream_id
            answers = await feed_stream(channel, f"the receiver at {target}", stream_id, frames)
            answered.append({"stream_id": stream_id, **vars(answers)})
    return answered


def _show(document: dict[str, Any], recording: Recording) -> None:
    typer.echo(f"{document['recording']}: {document['frames']} frames as at the {recording.place}")
    if "identical" in document:
        typer.echo(f"bit for bit as they were: {document['identical']}")
    for frame in document.get("differing", ()):
        typer.echo(f"  differs: {frame['stream_id']} {frame['sequence']}")
    if document.get("differing"):
        typer.echo(f"  (drawn by {recording.generator} then)")
    for stream in document.get("streams", ()):
        counts = f"{stream['decoded']} decoded, {stream['sounded']} sounded, {stream['erased']} erased"
        typer.echo(f"{stream['stream_id']}: {counts}")
