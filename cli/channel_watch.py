"""`deepsc channel watch`: what passes over a proxy's links, while it passes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import AsJson, print_json
from shared.errors import LinkLost

if TYPE_CHECKING:
    from rich.table import Table

    from channel_sim.client import ChannelClient
    from protos import channel_pb2

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"

# Columns of a terminal that the table takes beside the history.
_BESIDE_HISTORY = 92

_SHORTEST_HISTORY = 8

# A sparkline spans at least so many decibels: the noise of estimates must not look like a mountain range.
_LEAST_SPAN_DB = 6.0


def register(channel: typer.Typer) -> None:
    """Adds the command to the group `channel`."""
    channel.command("watch")(watch_command)


def watch_command(
    target: Annotated[
        str, typer.Option("--target", metavar="HOST:PORT", help="Address of the channel proxy.")
    ] = "127.0.0.1:50052",
    link: Annotated[str, typer.Option("--link", help="Only this link.")] = "",
    interval: Annotated[float, typer.Option("--interval", min=0.05, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Look once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch links until Ctrl-C: SNR declared and realised, gain, erasures. With --json, a document per look."""
    from rich.console import Console

    console = Console()
    if console.is_terminal and not (as_json or once):
        _live(console, target, link, interval)
        return
    show = print_json if as_json else _print_lines
    if once:
        show(asyncio.run(_look(target, link)))
        return
    asyncio.run(_look_again(target, link, interval, show))


def sparkline(values: Sequence[float | None]) -> str:
    """One character per value, between the least and the largest; a dot where there is none.

    Example:
        >>> sparkline([0.0, None, 6.0])
        '▁·█'
    """
    known = [value for value in values if value is not None]
    if not known:
        return _GAP * len(values)
    span = max(max(known) - min(known), _LEAST_SPAN_DB)
    low = (max(known) + min(known) - span) / 2
    steps = len(_BARS) - 1
    return "".join(_GAP if value is None else _BARS[round(steps * (value - low) / span)] for value in values)


async def _look(target: str, link: str) -> dict[str, Any]:
    from channel_sim.client import channel_client

    async with channel_client(target) as client:
        return await _view(client, link)


async def _look_again(target: str, link: str, interval: float, show: Callable[[dict[str, Any]], None]) -> None:
    from channel_sim.client import channel_client

    async with channel_client(target) as client:
        while True:
            show(await _view(client, link))
            await asyncio.sleep(interval)


async def _view(client: ChannelClient, link: str) -> dict[str, Any]:
    states = [await client.get(link)] if link else await client.links()
    stats = [await client.stats(state.config.link) for state in states]
    return {
        "time": round(time.time(), 3),
        "links": [_link(state, own) for state, own in zip(states, stats, strict=True)],
    }


def _link(state: channel_pb2.LinkState, stats: channel_pb2.LinkStats) -> dict[str, Any]:
    recent = stats.recent
    realised = [each.snr_db_realised if each.HasField("snr_db_realised") else None for each in recent]
    gains = [each.gain_db if each.HasField("gain_db") else None for each in recent]
    return {
        "link": state.config.link,
        "version": state.version,
        "fading": state.fading,
        "streams_open": stats.streams_open,
        "frames": stats.frames,
        "frames_lost": stats.frames_lost,
        "frames_erased": stats.frames_erased,
        "snr_db": recent[-1].snr_db if recent else state.config.snr_db,
        "snr_db_realised": stats.snr_db_realised if stats.HasField("snr_db_realised") else None,
        "gain_db": stats.gain_db if stats.HasField("gain_db") else None,
        "recent": {
            "snr_db_realised": realised,
            "gain_db": gains,
            "erased": [each.erased for each in recent],
        },
    }


def _print_lines(view: dict[str, Any]) -> None:
    for link in view["links"]:
        typer.echo(
            f"{link['link']}: SNR {link['snr_db']:g} dB, realised {_number(link['snr_db_realised'])} dB, "
            f"gain {_number(link['gain_db'])} dB, {link['frames']} frames, {link['frames_erased']} erased, "
            f"{link['streams_open']} streams {sparkline(link['recent']['snr_db_realised'])}"
        )


def _live(console: Any, target: str, link: str, interval: float) -> None:
    """A table that is drawn anew; a proxy that is gone is waited for."""
    from rich.live import Live

    with Live(console=console, auto_refresh=False) as live:

        def show(view: dict[str, Any]) -> None:
            frames = max(console.width - _BESIDE_HISTORY, _SHORTEST_HISTORY)
            live.update(_table(view, target, frames), refresh=True)

        while True:
            try:
                asyncio.run(_look_again(target, link, interval, show))
            except LinkLost as error:
                live.update(error.message, refresh=True)
                time.sleep(interval)


def _table(view: dict[str, Any], target: str, frames: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"channel at {target}")
    for heading in ("link", "fading", "SNR dB", "realised", "gain dB", "frames", "lost", "erased", "streams"):
        table.add_column(heading, justify="left" if heading in ("link", "fading") else "right")
    table.add_column("realised SNR of the latest frames")
    for link in view["links"]:
        history = Text()
        bars = sparkline(link["recent"]["snr_db_realised"])
        for bar, erased in list(zip(bars, link["recent"]["erased"], strict=True))[-frames:]:
            history.append(bar, "red" if erased else "green")
        numbers = (link[name] for name in ("frames", "frames_lost", "frames_erased", "streams_open"))
        table.add_row(
            f"{link['link']} v{link['version']}",
            link["fading"],
            f"{link['snr_db']:g}",
            _number(link["snr_db_realised"]),
            _number(link["gain_db"]),
            *(str(number) for number in numbers),
            history,
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
