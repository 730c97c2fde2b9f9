"""The next hop: frames out, reports back, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import grpc
import grpc.aio

from protos import link_pb2
from protos.link_pb2 import FrameReport, StreamAccepted, TransmitRequest, TransmitResponse
from protos.link_pb2_grpc import LinkStub
from shared.errors import InvalidInput, LinkLost, PeerFault
from shared.grpc_status import errors_of
from shared.phy import Samples, to_bytes

#: Call metadata that names the channel proxy's link; a receiver does not look at it.
LINK_METADATA_KEY = "deepsc-link"


#: How often a stream is opened anew while its name is still in use, and how long to wait in between.
REOPENINGS = 10
REOPENING_SECONDS = 0.1


class FrameLink(Protocol):
    """An open stream of frames."""

    @property
    def next_sequence(self) -> int:
        """The number that the next frame will have; its header has to name it."""
        ...

    async def transmit(self, samples: Samples) -> FrameReport:
        """Sends one frame ``(n,)`` and waits for what became of it.

        Raises:
            LinkLost: if the next hop is gone, or does not answer in time; so it is from then on, until ``reopen``.
            InvalidInput: if the frame is longer than the next hop takes.
        """
        ...

    async def reopen(self) -> None:
        """Opens the stream anew after it was lost, under its name; sequences begin again at 1.

        Raises:
            LinkLost: if the next hop does not come back in time.
        """
        ...


class LinkClient:
    """Opens streams to one next hop.

    Args:
        channel: an open gRPC channel to it.
        peer: what to call it in sentences, such as ``"the link at 127.0.0.1:50052"``.
        link: the channel proxy's link to go over.
        connect_seconds: longest wait for a stream to be accepted.
        report_seconds: longest wait for a report.
    """

    def __init__(
        self, channel: grpc.aio.Channel, peer: str, link: str, connect_seconds: float, report_seconds: float
    ) -> None:
        self._stub = LinkStub(channel)
        self._peer = peer
        self._link = link
        self._connect_seconds = connect_seconds
        self._report_seconds = report_seconds

    @asynccontextmanager
    async def open(self, stream_id: str) -> AsyncIterator[FrameLink]:
        """A stream for the block.

        Raises:
            LinkLost: if the next hop cannot be reached in time.
            DeepscError: what it answered instead.
        """
        # Waits for a hop that is just coming back instead of failing on the last attempt's verdict.
        begin = partial(self._stub.Transmit, metadata=((LINK_METADATA_KEY, self._link),), wait_for_ready=True)
        stream = _LinkStream(begin, stream_id, self._peer, self._connect_seconds, self._report_seconds)
        try:
            await stream.open()
            yield stream
            await stream.end()
        finally:
            stream.cancel()


_Call = grpc.aio.StreamStreamCall[TransmitRequest, TransmitResponse]


class _LinkStream:
    def __init__(
        self,
        begin: Callable[[], _Call],
        stream_id: str,
        peer: str,
        connect_seconds: float,
        report_seconds: float,
    ) -> None:
        self._begin = begin
        self._call = begin()
        self._stream_id = stream_id
        self._peer = peer
        self._connect_seconds = connect_seconds
        self._report_seconds = report_seconds
        self._accepted = StreamAccepted()
        self._sequence = 0
        self._given_up = False

    @property
    def next_sequence(self) -> int:
        return self._sequence + 1

    async def open(self) -> None:
        request = TransmitRequest(open=link_pb2.StreamOpen(stream_id=self._stream_id))
        response = await self._exchange(request, self._connect_seconds, "did not accept the stream")
        if response.WhichOneof("kind") != "accepted":
            raise PeerFault(f"{self._peer} did not answer the opening of the stream; is it a deepsc link?")
        self._accepted = response.accepted

    async def reopen(self) -> None:
        # The next hops may take a moment to notice that the old stream is gone; until then its name is in use.
        for _ in range(REOPENINGS):
            self._renew()
            try:
                await self.open()
            except InvalidInput:
                await asyncio.sleep(REOPENING_SECONDS)
            else:
                return
        self._renew()
        await self.open()

    def _renew(self) -> None:
        self._call.cancel()
        self._call = self._begin()
        self._sequence = 0
        self._given_up = False

    async def end(self) -> None:
        if not self._given_up:
            await self._call.done_writing()

    def cancel(self) -> None:
        self._call.cancel()

    async def transmit(self, samples: Samples) -> FrameReport:
        if samples.size > self._accepted.max_samples:
            raise InvalidInput(
                f"{self._peer} takes frames of up to {self._accepted.max_samples} samples, and this one has "
                f"{samples.size}; ask for fewer symbols"
            )
        self._sequence += 1
        frame = link_pb2.Frame(sequence=self._sequence, sample_count=samples.size, samples=to_bytes(samples))
        request = TransmitRequest(frame=frame)
        response = await self._exchange(request, self._report_seconds, "did not report on a frame")
        if response.WhichOneof("kind") != "report" or response.report.sequence != self._sequence:
            raise PeerFault(f"{self._peer} reported on another frame than number {self._sequence}")
        return response.report

    async def _exchange(self, request: TransmitRequest, seconds: float, failing: str) -> TransmitResponse:
        if self._given_up:
            raise LinkLost(f"{self._peer} did not answer in time before; is it running?")
        try:
            async with asyncio.timeout(seconds):
                with errors_of(self._peer):
                    await self._write(request)
                    response = await self._call.read()
        except TimeoutError as error:
            # Either the call still waits for a connection, and half-closing it would wait too; or the timeout has
            # cancelled it, and reading it again would raise CancelledError as if this task were to end.
            self._given_up = True
            self._call.cancel()
            raise LinkLost(f"{self._peer} {failing} within {seconds:g} s; is it running?") from error
        if isinstance(response, TransmitResponse):
            return response
        raise LinkLost(f"{self._peer} ended the stream; start the conversation again")

    async def _write(self, request: TransmitRequest) -> None:
        try:
            await self._call.write(request)
        except asyncio.InvalidStateError:
            # The call is over already; reading tells why.
            return
