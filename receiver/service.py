"""The receiver's two gRPC services: the link that frames arrive on, and the watch that faces leave by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from protos.link_pb2 import Frame, StreamAccepted, TransmitRequest, TransmitResponse
from protos.link_pb2_grpc import LinkServicer
from protos.receiver_pb2 import RenderedFace, WatchEvent, WatchRequest, WatchStarted
from protos.receiver_pb2_grpc import ReceiverServicer
from receiver.streams import Streams, check_stream_id
from receiver.watchers import Watchers
from shared.errors import DeepscError, InvalidInput, LinkLost, Overloaded
from shared.pictures import served_resolution

_STOPPING = "the receiver is stopping; open the stream again when it is back"

Inbox = asyncio.Queue[Frame | DeepscError | None]
"""What a stream's reader hands to its handler: frames, then the error or ``None`` that ends the stream."""


class ReceiverLink(LinkServicer):
    """``deepsc.v1.Link`` at the receiver.

    Args:
        streams: where frames go.
        credits: frames that a stream may have under way; a sender that exceeds them is cut off.
        max_samples: longest frame taken, told to the sender.
    """

    def __init__(self, streams: Streams, credits: int, max_samples: int) -> None:
        self._streams = streams
        self._credits = credits
        self._max_samples = max_samples
        self._inboxes: set[Inbox] = set()
        self._one_ended = asyncio.Event()

    async def Transmit(  # noqa: N802
        self,
        request_iterator: AsyncIterator[TransmitRequest],
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[TransmitResponse]:
        """One stream of frames; reports leave in the order the frames came."""
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("kind") != "open":
            raise InvalidInput("the first request of a stream opens it: send StreamOpen before the frames")
        with self._streams.opened(first.open.stream_id) as stream:
            yield TransmitResponse(accepted=StreamAccepted(credits=self._credits, max_samples=self._max_samples))
            inbox: Inbox = asyncio.Queue()
            under_way = asyncio.Semaphore(self._credits)
            reading = asyncio.create_task(_read(request_iterator, inbox, under_way))
            self._inboxes.add(inbox)
            try:
                while (item := await inbox.get()) is not None:
                    if isinstance(item, DeepscError):
                        raise item
                    report = await self._streams.take(stream, item)
                    under_way.release()
                    yield TransmitResponse(report=report)
            finally:
                reading.cancel()
                self._inboxes.discard(inbox)
                self._one_ended.set()

    async def drain(self) -> None:
        """Ends every stream after the frames it has already brought, and returns when all have ended."""
        for inbox in self._inboxes:
            inbox.put_nowait(LinkLost(_STOPPING))
        while self._inboxes:
            self._one_ended.clear()
            await self._one_ended.wait()


async def _read(requests: AsyncIterator[TransmitRequest], inbox: Inbox, under_way: asyncio.Semaphore) -> None:
    async for request in requests:
        if request.WhichOneof("kind") != "frame":
            inbox.put_nowait(InvalidInput("the stream is open already; only frames may follow"))
            return
        if under_way.locked():
            inbox.put_nowait(Overloaded("a frame came beyond the stream's credits; wait for reports before sending on"))
            return
        await under_way.acquire()
        inbox.put_nowait(request.frame)
    inbox.put_nowait(None)


class ReceiverWatch(ReceiverServicer):
    """``deepsc.v1.Receiver``.

    Args:
        streams: where faces come from.
        watchers: who is told.
        resolution: side in pixels for those who ask for none.
    """

    def __init__(self, streams: Streams, watchers: Watchers, resolution: int) -> None:
        self._streams = streams
        self._watchers = watchers
        self._resolution = resolution

    async def Watch(self, request: WatchRequest, context: Any) -> AsyncIterator[WatchEvent]:  # noqa: N802, ARG002
        """Faces from now on, preceded by the last one there is."""
        if request.stream_id:
            check_stream_id(request.stream_id)
        resolution = served_resolution(request.resolution, self._resolution)
        with self._watchers.join(request.stream_id, resolution) as watcher:
            self._streams.replay(watcher)
            yield WatchEvent(started=WatchStarted(resolution=resolution))
            async for item in watcher:
                yield WatchEvent(face=item) if isinstance(item, RenderedFace) else WatchEvent(erased=item)

    async def drain(self) -> None:
        """Ends every watch once all that was acknowledged is drawn and read."""
        await self._streams.drawn()
        self._watchers.close()
