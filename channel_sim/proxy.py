"""``deepsc.v1.Link`` towards the sender: every stream gets a relay of its own to the receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import grpc.aio
import structlog
from typing_extensions import override

from channel_sim.links import Links, NamedLink
from channel_sim.observer import StreamObserver
from channel_sim.override import Override, override_from
from channel_sim.relay import Limits, Relay
from protos import link_pb2, link_pb2_grpc
from shared.errors import InvalidInput, NotAllowed, Overloaded

_log = structlog.get_logger()

#: Call metadata that names the link a stream goes over; without it, ``default``.
LINK_METADATA_KEY = "deepsc-link"

#: Call metadata with fields of the link's configuration as a JSON object, which hold for this call alone.
OVERRIDE_METADATA_KEY = "deepsc-override"

_MAX_STREAM_ID = 128


class LinkProxy(link_pb2_grpc.LinkServicer):
    """Passes streams on to the receiver, each frame changed by its link's channel.

    Args:
        links: the named links; a stream names its own in the call's metadata.
        downstream: an open channel to the receiver.
        receiver: what to call the receiver in sentences, such as ``"the receiver at 127.0.0.1:50053"``.
        limits: bounds of every stream.
        max_streams: bound on the streams open at once.
        allow_overrides: whether a call may override its link's configuration by metadata.
        observer: told of every stream and frame.
    """

    def __init__(
        self,
        links: Links,
        downstream: grpc.aio.Channel,
        receiver: str,
        limits: Limits,
        *,
        max_streams: int,
        allow_overrides: bool,
        observer: StreamObserver,
    ) -> None:
        self._links = links
        self._stub = link_pb2_grpc.LinkStub(downstream)
        self._receiver = receiver
        self._limits = limits
        self._max_streams = max_streams
        self._allow_overrides = allow_overrides
        self._observer = observer
        self._idle = asyncio.Event()
        self._idle.set()
        self._relays: set[Relay] = set()
        self._calls = 0

    @override
    async def Transmit(self, request_iterator: Any, context: Any) -> AsyncIterator[link_pb2.TransmitResponse]:
        if self._calls >= self._max_streams:
            raise Overloaded(f"{self._max_streams} streams are open, which is the most; end one, or try again later")
        metadata = dict(context.invocation_metadata() or ())
        link = self._links[str(metadata.get(LINK_METADATA_KEY, ""))]
        override = self._override_in(metadata)
        # Counted from here, so that callers who never open their stream are bounded too.
        self._calls += 1
        try:
            requests = aiter(request_iterator)
            async with aclosing(self._relayed(requests, link, override)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._calls -= 1

    async def _relayed(
        self, requests: AsyncIterator[link_pb2.TransmitRequest], link: NamedLink, override: Override
    ) -> AsyncGenerator[link_pb2.TransmitResponse, None]:
        stream_id = await self._opened(requests)
        relay = Relay(link, stream_id, override, self._receiver, self._limits, self._observer)
        self._relays.add(relay)
        self._idle.clear()
        link.counters.streams += 1
        link.streams_open += 1
        self._observer.opened(link.name)
        log = _log.bind(stream_id=stream_id, link=link.name)
        log.info("stream opened")
        try:
            async with aclosing(relay.run(requests, self._stub)) as responses:
                async for response in responses:
                    yield response
        finally:
            link.streams_open -= 1
            self._observer.ended(link.name)
            self._relays.discard(relay)
            if not self._relays:
                self._idle.set()
            log.info("stream ended", frames=relay.frames)

    async def drain(self) -> None:
        """Takes no further frame on any stream; returns when all have ended, the frames they took reported."""
        for relay in tuple(self._relays):
            relay.stop()
        await self._idle.wait()

    def _override_in(self, metadata: Mapping[str, Any]) -> Override:
        """What a call's metadata puts over its link's configuration.

        Raises:
            NotAllowed: if there is something and the proxy was not started for it.
            InvalidInput: one sentence per bad value.
        """
        text = metadata.get(OVERRIDE_METADATA_KEY)
        if text is None:
            return Override({})
        if not self._allow_overrides:
            raise NotAllowed(
                f"this proxy lets no call override its link: leave the metadata {OVERRIDE_METADATA_KEY} out, or start "
                "the proxy with --allow-overrides (DEEPSC_CHANNEL_ALLOW_OVERRIDES=true)"
            )
        return override_from(str(text))

    async def _opened(self, requests: AsyncIterator[link_pb2.TransmitRequest]) -> str:
        """The stream's id out of its first request."""
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                request = await anext(requests, None)
        except TimeoutError:
            request = None
        if request is None or request.WhichOneof("kind") != "open":
            raise InvalidInput("the first request of a stream opens it, at once: send StreamOpen before the frames")
        stream_id = request.open.stream_id
        if not 1 <= len(stream_id) <= _MAX_STREAM_ID:
            raise InvalidInput(f"a stream_id has 1 to {_MAX_STREAM_ID} characters, and this one has {len(stream_id)}")
        return stream_id
