"""One stream from the sender to the receiver and its reports back, bounded by credits in both directions.

A frame is acknowledged by its report and by nothing else. When the stream breaks, a frame without a report may or may
not have been decoded; the sender opens a new stream and sends it again under a new number.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import grpc.aio

from channel_sim.links import NamedLink
from channel_sim.observer import StreamObserver
from channel_sim.override import Override
from channel_sim.stream import ChannelStream
from protos import link_pb2, link_pb2_grpc
from shared.errors import InvalidInput, LinkLost, Overloaded, PeerFault, SampleError
from shared.grpc_status import error_from


@dataclass(frozen=True)
class Limits:
    """Bounds of one stream.

    Attributes:
        credits: most frames under way; the receiver's own bound holds too.
        max_samples: longest frame; the receiver's own bound holds too.
        connect_seconds: longest wait for the receiver to accept the stream.
        strict: keeps diagnostics from the receiver.
    """

    credits: int
    max_samples: int
    connect_seconds: float
    strict: bool


@dataclass(frozen=True)
class _Sent:
    """A frame that went to the receiver, or was lost on the link, and waits for its report."""

    sequence: int
    truth: link_pb2.ChannelTruth


@dataclass(frozen=True)
class _Delivery:
    """A frame for the receiver, due at an instant of the event loop's clock; no frame ends the deliveries.

    ``due`` counts from when the frame came: what is later than that was added by the proxy itself.
    """

    frame: link_pb2.Frame | None
    due: float


@dataclass(frozen=True)
class _End:
    """Nothing more will be sent: the sender is done (no error), or the stream ends with this error."""

    error: Exception | None


@dataclass(frozen=True)
class _ReceiverEnded:
    """The receiver's side of the stream is over, for whatever reason."""


_LARGE_FRAME = 8192

_Event = _Sent | _End | _ReceiverEnded


class Relay:
    """Carries one stream.

    One task takes frames and sends them over the link, a second one delivers them when they are due, and :meth:`run`
    brings the reports back in the order of the frames. Between them are queues, never longer than the credits.
    """

    def __init__(
        self,
        link: NamedLink,
        stream_id: str,
        override: Override,
        receiver: str,
        limits: Limits,
        observer: StreamObserver,
    ) -> None:
        self.frames = 0
        self._link = link
        self._stream = ChannelStream(link, stream_id, override, strict=limits.strict)
        self._stream_id = stream_id
        self._observer = observer
        self._receiver = receiver
        self._limits = limits
        self._credits = limits.credits
        self._max_samples = limits.max_samples
        self._events: asyncio.Queue[_Event] = asyncio.Queue()
        self._deliveries: asyncio.Queue[_Delivery] = asyncio.Queue()
        self._under_way = 0
        self._last_sequence = 0
        self._stopping = False

    def stop(self) -> None:
        """Takes no more frames; the stream ends with UNAVAILABLE once those it took have been reported."""
        self._stopping = True
        self._events.put_nowait(_End(LinkLost("the channel is stopping; open the stream again when it is back")))

    async def run(
        self, requests: AsyncIterator[link_pb2.TransmitRequest], stub: link_pb2_grpc.LinkStub
    ) -> AsyncGenerator[link_pb2.TransmitResponse, None]:
        """Opens the stream towards the receiver, accepts it towards the sender, and yields the reports.

        Raises:
            DeepscError: what ends the stream other than the sender's own end of it.
        """
        # Waiting for the connection: a receiver that has just come back is found without failing a stream first.
        # Untyped: the stubs of grpc.aio know this kind of call as an iterator only.
        call: Any = stub.Transmit(wait_for_ready=True)  # type: ignore[call-arg]
        try:
            accepted = await self._open(call)
            call.add_done_callback(lambda _: self._events.put_nowait(_ReceiverEnded()))
            yield link_pb2.TransmitResponse(accepted=accepted)
            tasks = [asyncio.create_task(self._take(requests)), asyncio.create_task(self._deliver(call))]
            try:
                async with aclosing(self._reports(call)) as reports:
                    async for report in reports:
                        yield link_pb2.TransmitResponse(report=report)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        finally:
            call.cancel()

    async def _open(self, call: Any) -> link_pb2.StreamAccepted:
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                await call.write(link_pb2.TransmitRequest(open=link_pb2.StreamOpen(stream_id=self._stream_id)))
                response = await call.read()
        except TimeoutError as error:
            raise LinkLost(
                f"{self._receiver} did not accept the stream within {self._limits.connect_seconds:g} s; is it running?"
            ) from error
        except grpc.aio.AioRpcError as failure:
            raise error_from(failure, self._receiver) from failure
        if response is grpc.aio.EOF or response.WhichOneof("kind") != "accepted":
            raise PeerFault(f"{self._receiver} did not answer the opening of the stream")
        self._credits = max(1, min(self._credits, response.accepted.credits))
        self._max_samples = min(self._max_samples, response.accepted.max_samples or self._max_samples)
        return link_pb2.StreamAccepted(credits=self._credits, max_samples=self._max_samples)

    async def _take(self, requests: AsyncIterator[link_pb2.TransmitRequest]) -> None:
        try:
            async for request in requests:
                came = asyncio.get_running_loop().time()
                frame = self._checked(request)
                admitted = self._stream.admit(frame, self._max_samples)
                # A long frame must not keep the other streams waiting; a short one is done before a thread would wake.
                large = admitted.samples.size > _LARGE_FRAME
                carried = await asyncio.to_thread(admitted.carry) if large else admitted.carry()
                if self._stopping:
                    return
                self._stream.count(carried)
                self._observer.carried(admitted, carried)
                self.frames += 1
                # Counted and queued before it is sent: the report may be back before the sending returns.
                self._under_way += 1
                self._events.put_nowait(_Sent(frame.sequence, carried.truth))
                if carried.frame is not None:
                    self._deliveries.put_nowait(_Delivery(carried.frame, came + 1e-3 * carried.delay_ms))
        except Exception as error:
            self._events.put_nowait(_End(error))
        else:
            self._deliveries.put_nowait(_Delivery(None, 0.0))
            self._events.put_nowait(_End(None))

    async def _deliver(self, call: Any) -> None:
        """Writes frames in the order in which they were taken, none before it is due."""
        # An error here means that the receiver's side is over; the call itself knows why, and _ReceiverEnded asks it.
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while (delivery := await self._deliveries.get()).frame is not None:
                loop = asyncio.get_running_loop()
                if delivery.due > loop.time():
                    await asyncio.sleep(delivery.due - loop.time())
                self._observer.delivered(self._link.name, loop.time() - delivery.due)
                await call.write(link_pb2.TransmitRequest(frame=delivery.frame))
            await call.done_writing()

    def _checked(self, request: link_pb2.TransmitRequest) -> link_pb2.Frame:
        if request.WhichOneof("kind") != "frame":
            raise InvalidInput("a stream is opened once; send frames after that")
        frame = request.frame
        if frame.sequence <= self._last_sequence:
            raise SampleError(
                f"frame {frame.sequence} came after frame {self._last_sequence}: number the frames 1, 2, 3 ..., "
                "a repeated one anew"
            )
        if self._under_way >= self._credits:
            raise Overloaded(
                f"frame {frame.sequence} is one more than the {self._credits} that may be under way: wait for a report"
            )
        self._last_sequence = frame.sequence
        return frame

    async def _reports(self, call: Any) -> AsyncGenerator[link_pb2.FrameReport, None]:
        while True:
            match await self._events.get():
                case _Sent(sequence, truth):
                    report = _lost(sequence) if truth.lost else await self._report_on(sequence, call)
                    report.channel.CopyFrom(truth)
                    self._link.counters.count_report(self._stream_id, report)
                    self._observer.reported(report)
                    # The credit is back before the report is out: the sender may use it at once.
                    self._under_way -= 1
                    yield report
                case _End(None):
                    await self._report_on(None, call)
                    return
                case _End(error):
                    assert error is not None
                    raise error
                case _ReceiverEnded():
                    await self._report_on(None, call)
                    if self._under_way:
                        raise LinkLost(f"{self._receiver} ended the stream with frames not reported; open it again")
                    return

    async def _report_on(self, sequence: int | None, call: Any) -> link_pb2.FrameReport:
        """Reads the report on a frame; without a number, the end of the reports.

        Raises:
            DeepscError: if the receiver says something else.
        """
        try:
            response = await call.read()
        except grpc.aio.AioRpcError as failure:
            raise error_from(failure, self._receiver) from failure
        report = link_pb2.FrameReport() if response is grpc.aio.EOF else response.report
        if (sequence or 0) == report.sequence:
            return report
        if response is grpc.aio.EOF:
            raise LinkLost(f"{self._receiver} ended the stream before it reported frame {sequence}; open it again")
        raise PeerFault(f"{self._receiver} reported frame {report.sequence} where {sequence or 'none'} was due")


def _lost(sequence: int) -> link_pb2.FrameReport:
    return link_pb2.FrameReport(
        sequence=sequence, outcome=link_pb2.FRAME_OUTCOME_ERASED, message="the link lost the frame: nothing arrived"
    )
