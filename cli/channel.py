"""`deepsc channel get|list|set|trace|populate|reset|stats`: drives a running channel proxy; others stand beside."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli import channel_recording, channel_watch
from cli.output import AsJson, print_json
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from channel_sim.client import ChannelClient
    from protos import channel_pb2

Answer = TypeVar("Answer")

Target = Annotated[str, typer.Option("--target", metavar="HOST:PORT", help="Address of the channel proxy.")]
Link = Annotated[str, typer.Option("--link", help="Name of the link.")]

DEFAULT_TARGET = "127.0.0.1:50052"


def register(app: typer.Typer) -> None:
    """Add the `channel` commands to `app`."""
    channel = typer.Typer(name="channel", help="Drive a running channel proxy.", no_args_is_help=True)
    channel.command("get")(get_command)
    channel.command("list")(list_command)
    channel.command("set")(set_command)
    channel.command("trace")(trace_command)
    channel.command("populate")(populate_command)
    channel.command("reset")(reset_command)
    channel.command("stats")(stats_command)
    channel_recording.register(channel)
    channel_watch.register(channel)
    app.add_typer(channel)


def get_command(
    target: Target = DEFAULT_TARGET,
    link: Link = "default",
    version: Annotated[
        int | None, typer.Option("--version", min=0, max=2**64 - 1, help="One of the latest 32 versions, as it was.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a link does to frames."""
    _show(_ask(target, lambda client: client.get(link, version)), as_json)


def list_command(target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show all links."""
    _show_all(_ask(target, lambda client: client.links()), as_json)


def set_command(
    target: Target = DEFAULT_TARGET,
    link: Link = "default",
    snr_db: Annotated[float | None, typer.Option("--snr-db", help="Es/N0 per complex sample, in dB.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the link's random generator.")] = None,
    fading: Annotated[
        str | None, typer.Option("--fading", help="none, rayleigh, rician, taps or tdl, with its default parameters.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Fading of somebody on the move: pedestrian, vehicular-60 or -120.")
    ] = None,
    sample_rate_hz: Annotated[
        float | None, typer.Option("--sample-rate-hz", help="Complex samples per second.")
    ] = None,
    frame_gap_ms: Annotated[float | None, typer.Option("--frame-gap-ms", help="Silence between two frames.")] = None,
    impairment: Annotated[
        list[str] | None,
        typer.Option(
            "--impairment",
            metavar="KIND[:NAME=VALUE,...]",
            help="The whole list of impairments, one option each; 'none' empties it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a link from the next frame on; what is not named stays as it is."""

    async def change(client: ChannelClient) -> channel_pb2.LinkState:
        impairments = None if impairment is None else [_parsed(each) for each in impairment if each != "none"]
        return await client.set(
            link,
            snr_db=snr_db,
            seed=seed,
            fading=fading,
            preset=preset,
            sample_rate_hz=sample_rate_hz,
            frame_gap_ms=frame_gap_ms,
            impairments=impairments,
        )

    _show(_ask(target, change), as_json)


def trace_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Lines frame,snr_db below a header of that name.")],
    target: Target = DEFAULT_TARGET,
    link: Link = "default",
    repeat: Annotated[bool, typer.Option("--repeat", help="Begin anew behind the frame of the last row.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a link's SNR follow a file, by the number of a stream's frame; `set --snr-db` ends it."""
    from channel_sim.snr_trace import read_trace

    trace = read_trace(file, repeat=repeat)
    _show(_ask(target, lambda client: client.set(link, snr_trace=trace)), as_json)


def populate_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="Links by name with their fields.")],
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Create links, or change them, to what a file says; those that are already so keep their version."""
    from channel_sim.links_file import read_links
    from channel_sim.messages import config_message

    messages = [config_message(name, config) for name, config in read_links(file).items()]
    _show_all(_ask(target, lambda client: client.populate(messages)), as_json)


def reset_command(
    target: Target = DEFAULT_TARGET,
    link: Annotated[str, typer.Option("--link", help="Name of the link; all links without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring links back to how they were created, and their counters to zero."""
    _show_all(_ask(target, lambda client: client.reset(link)), as_json)


def stats_command(target: Target = DEFAULT_TARGET, link: Link = "default", as_json: AsJson = False) -> None:
    """Show what passed over a link since it was created or reset."""
    stats = _ask(target, lambda client: client.stats(link))
    counters = {
        "link": stats.link,
        "version": stats.version,
        "streams": stats.streams,
        "streams_open": stats.streams_open,
        "frames": stats.frames,
        "samples": stats.samples,
        "frames_lost": stats.frames_lost,
        "frames_erased": stats.frames_erased,
        "snr_db_realised": stats.snr_db_realised if stats.HasField("snr_db_realised") else None,
        "gain_db": stats.gain_db if stats.HasField("gain_db") else None,
    }
    if as_json:
        print_json(counters)
        return
    for name, value in counters.items():
        typer.echo(f"{name:16} {'-' if value is None else f'{value:.2f}' if isinstance(value, float) else value}")


def _parsed(text: str) -> dict[str, Any]:
    """`kind:gain=6,taps=[0,1]` as `{"kind": "kind", "gain": 6, "taps": [0, 1]}`; a value that is no JSON is a word."""
    kind, _, parameters = text.partition(":")
    fields: dict[str, Any] = {"kind": kind}
    for parameter in filter(None, re.split(r",(?![^\[]*\])", parameters)):
        name, equals, value = parameter.partition("=")
        if not equals:
            raise InvalidInput(f"{parameter!r} of {text!r} is not NAME=VALUE")
        try:
            fields[name] = json.loads(value)
        except json.JSONDecodeError:
            fields[name] = value
    return fields


def _ask(target: str, question: Callable[[ChannelClient], Awaitable[Answer]]) -> Answer:
    """The proxy's answer to a question put through its client.

    Raises:
        DeepscError: what the proxy answers instead.
    """
    from channel_sim.client import channel_client

    async def conversation() -> Answer:
        async with channel_client(target) as client:
            return await question(client)

    return asyncio.run(conversation())


def _document(state: channel_pb2.LinkState) -> dict[str, Any]:
    from channel_sim.messages import config_fields

    fields = config_fields(state.config)
    return {"link": state.config.link, "version": state.version, "fading": state.fading, **fields}


def _show(state: channel_pb2.LinkState, as_json: bool) -> None:
    document = _document(state)
    if as_json:
        print_json(document)
    else:
        typer.echo(_line(document))


def _show_all(states: list[channel_pb2.LinkState], as_json: bool) -> None:
    documents = [_document(state) for state in states]
    if as_json:
        print_json({"links": documents})
    else:
        typer.echo("\n".join(_line(each) for each in documents))


def _line(document: dict[str, Any]) -> str:
    impairments = "; ".join(
        " ".join([each["kind"], *(f"{name}={_short(value)}" for name, value in each.items() if name != "kind")])
        for each in document["impairments"]
    )
    return (
        f"{document['link']}: version {document['version']}, {_snr(document)}, seed {document['seed']}, "
        f"impairments: {impairments or 'none'}"
    )


def _snr(document: dict[str, Any]) -> str:
    trace = document.get("snr_trace")
    if trace is None:
        return f"SNR {document['snr_db']:g} dB"
    levels = trace["snr_db"]
    again = ", again and again" if trace["repeat"] else ""
    return f"SNR {min(levels):g} to {max(levels):g} dB by a trace of {trace['frames'][-1]} frames{again}"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
