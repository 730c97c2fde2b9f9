"""Recordings of a running proxy: frames on their way to whoever records, without ever holding up a link."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256

from typing_extensions import override

from channel_sim.links import Setting
from channel_sim.messages import config_message
from channel_sim.observer import StreamObserver
from channel_sim.stream import Admitted, Carried
from protos import channel_pb2
from shared.errors import Overloaded
from shared.phy.cf32 import to_bytes

_MOST_RECORDERS = 4

# What waits for a recorder that is slow to read; a larger frame is taken all the same if nothing else waits.
_MOST_WAITING_BYTES = 32 * 2**20
_MOST_WAITING_FRAMES = 4096


class Recorder:
    """One recording: an asynchronous iterator over the frames that match its request, until :meth:`close`."""

    def __init__(self, request: channel_pb2.RecordRequest) -> None:
        self._request = request
        self._waiting: deque[channel_pb2.PassedFrame] = deque()
        self._waiting_bytes = 0
        self._skipped = 0
        # Settings are kept, so that the identity of one that is gone is not taken for that of a new one.
        self._settings: dict[int, tuple[int, Setting]] = {}
        self._configs_sent = 0
        self._news = asyncio.Event()
        self._closed = False

    def offer(self, admitted: Admitted, carried: Carried) -> None:
        """Takes a frame, or counts it as skipped if too much waits already."""
        wanted = self._request
        if wanted.link not in ("", admitted.link) or wanted.stream_id not in ("", admitted.context.stream_id):
            return
        if self._waiting and (self._waiting_bytes >= _MOST_WAITING_BYTES or len(self._waiting) >= _MOST_WAITING_FRAMES):
            self._skipped += 1
            return
        frame = self._passed(admitted, carried)
        self._skipped = 0
        self._waiting.append(frame)
        self._waiting_bytes += frame.ByteSize()
        self._news.set()

    def close(self) -> None:
        """Ends the iteration behind the frames that were taken."""
        self._closed = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[channel_pb2.PassedFrame]:
        while True:
            while self._waiting:
                frame = self._waiting.popleft()
                self._waiting_bytes -= frame.ByteSize()
                yield frame
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()

    def _passed(self, admitted: Admitted, carried: Carried) -> channel_pb2.PassedFrame:
        delivered = b"" if carried.frame is None else carried.frame.samples
        index, _ = self._settings.setdefault(id(admitted.setting), (len(self._settings), admitted.setting))
        frame = channel_pb2.PassedFrame(
            stream_id=admitted.context.stream_id,
            sequence=admitted.context.sequence,
            sample_count=admitted.samples.size,
            sent=to_bytes(admitted.samples) if self._request.sent else b"",
            delivered=delivered if self._request.delivered else b"",
            delivered_sha256=sha256(delivered).digest() if delivered else b"",
            truth=carried.truth,
            config_index=index,
            skipped=self._skipped,
        )
        if index == self._configs_sent:
            frame.config.CopyFrom(config_message(admitted.link, admitted.setting.config))
            self._configs_sent += 1
        return frame


class Recorders(StreamObserver):
    """All recordings under way."""

    def __init__(self) -> None:
        self._attached: set[Recorder] = set()
        self._closed = False

    @contextmanager
    def attached(self, request: channel_pb2.RecordRequest) -> Iterator[Recorder]:
        """A recorder that sees frames for the length of the block.

        Raises:
            Overloaded: if as many recordings are under way as there may be.
        """
        if len(self._attached) >= _MOST_RECORDERS:
            raise Overloaded(f"{_MOST_RECORDERS} recordings are under way, which is the most; end one first")
        recorder = Recorder(request)
        if self._closed:
            recorder.close()
        self._attached.add(recorder)
        try:
            yield recorder
        finally:
            self._attached.discard(recorder)

    def close(self) -> None:
        """Ends every recording behind the frames it has taken."""
        self._closed = True
        for recorder in self._attached:
            recorder.close()

    @override
    def carried(self, admitted: Admitted, carried: Carried) -> None:
        for recorder in self._attached:
            recorder.offer(admitted, carried)
