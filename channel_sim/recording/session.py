"""Recording from a running proxy until a bound is reached or somebody says stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

from channel_sim.client import ChannelClient
from channel_sim.recording.frames import Place
from channel_sim.recording.writer import RecordingWriter
from protos import channel_pb2
from shared.errors import LinkLost


@dataclass(frozen=True)
class Bounds:
    """Where a recording ends by itself.

    Attributes:
        frames: so many frames.
        file_bytes: before a file of samples grows beyond this.
        seconds: after so long; None for as long as it takes.
    """

    frames: int
    file_bytes: int
    seconds: float | None = None


@dataclass(frozen=True)
class Recorded:
    """A recording that is finished.

    Attributes:
        ended_by: ``"frames"``, ``"size"``, ``"seconds"``, ``"signal"``, ``"proxy stopped"`` or ``"proxy lost"``.
        frames: recorded.
        samples: recorded, in all files.
        skipped: frames that the proxy could not hand over in time.
    """

    ended_by: str
    frames: int
    samples: int
    skipped: int


async def record(
    client: ChannelClient,
    bases: Mapping[Place, Path],
    bounds: Bounds,
    stop: asyncio.Event,
    *,
    link: str = "",
    stream_id: str = "",
    overwrite: bool = False,
    begun: Callable[[], None] = lambda: None,
) -> Recorded:
    """Writes what passes; what was taken is kept whole however it ends.

    Args:
        client: of the proxy.
        bases: path of the recording of each place.
        bounds: where it ends by itself.
        stop: ends it when set.
        link: name of the link; all with the empty name.
        stream_id: of the stream; all with the empty one.
        overwrite: replace recordings of these names.
        begun: called when frames are seen from now on.

    Raises:
        DeepscError: if it could not begin, or the disk does not take it.
    """
    async with aclosing(
        client.record(link, stream_id, sent="sender" in bases, delivered="receiver" in bases)
    ) as events:
        generator = (await anext(events)).started.generator
        with ExitStack() as files:
            writers = [
                files.enter_context(RecordingWriter(base, place, generator, overwrite=overwrite))
                for place, base in bases.items()
            ]
            begun()
            taking = asyncio.create_task(_take(events, writers, bounds))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((taking, stopping), timeout=bounds.seconds, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                ended_by = await taking
            else:
                ended_by = "signal" if stop.is_set() else "seconds"
            for task in (taking, stopping):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
    samples = sum(writer.samples for writer in writers)
    return Recorded(ended_by, writers[0].frames, samples, writers[0].skipped)


async def _take(
    events: AsyncIterator[channel_pb2.RecordEvent], writers: Sequence[RecordingWriter], bounds: Bounds
) -> str:
    """Adds frames to the files; returns what ended it."""
    try:
        async for event in events:
            if any(writer.bytes_with(event.frame) > bounds.file_bytes for writer in writers):
                return "size"
            for writer in writers:
                writer.add(event.frame)
            if writers[0].frames >= bounds.frames:
                return "frames"
    except LinkLost:
        return "proxy lost"
    return "proxy stopped"
