"""Feeding recorded frames to a receiver, or to another proxy, as their sender would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc.aio

from protos import link_pb2, link_pb2_grpc
from shared.errors import PeerFault
from shared.grpc_status import errors_of
from shared.phy.cf32 import BYTES_PER_SAMPLE


@dataclass
class Answers:
    """What the other end said of a stream's frames."""

    decoded: int = 0
    sounded: int = 0
    erased: int = 0

    def count(self, report: link_pb2.FrameReport) -> None:
        """Adds a report."""
        self.decoded += report.outcome == link_pb2.FRAME_OUTCOME_DECODED
        self.sounded += report.outcome == link_pb2.FRAME_OUTCOME_SOUNDED
        self.erased += report.outcome == link_pb2.FRAME_OUTCOME_ERASED


async def feed_stream(
    channel: grpc.aio.Channel, peer: str, stream_id: str, frames: Iterable[tuple[int, bytes]]
) -> Answers:
    """Sends one stream's frames, each when the one before has been reported.

    Args:
        channel: to whoever takes them.
        peer: what to call it in sentences.
        stream_id: of the stream.
        frames: number of each, as its header names it, and its samples as cf32_le.

    Raises:
        DeepscError: what the other end answers instead of a report.
    """
    answers = Answers()
    # Untyped: the stubs of grpc.aio know this kind of call as an iterator only.
    call: Any = link_pb2_grpc.LinkStub(channel).Transmit()
    try:
        with errors_of(peer):
            opening = link_pb2.TransmitRequest(open=link_pb2.StreamOpen(stream_id=stream_id))
            await _asked(call, opening, "accepted", peer)
            for sequence, samples in frames:
                count = len(samples) // BYTES_PER_SAMPLE
                frame = link_pb2.Frame(sequence=sequence, sample_count=count, samples=samples)
                answers.count((await _asked(call, link_pb2.TransmitRequest(frame=frame), "report", peer)).report)
            await call.done_writing()
            await call.read()
    finally:
        call.cancel()
    return answers


async def _asked(call: Any, request: link_pb2.TransmitRequest, kind: str, peer: str) -> link_pb2.TransmitResponse:
    """The answer to a request, of the kind that is due.

    Raises:
        PeerFault: if it is none.
    """
    await call.write(request)
    response = await call.read()
    if not (isinstance(response, link_pb2.TransmitResponse) and response.WhichOneof("kind") == kind):
        raise PeerFault(f"{peer} did not answer as a receiver does: is the address right?")
    return response
