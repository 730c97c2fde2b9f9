"""A client of the two services: one conversation, and the faces it makes at the receiver."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio

from protos.receiver_pb2 import RenderedFace, WatchEvent, WatchRequest
from protos.receiver_pb2_grpc import ReceiverStub
from protos.transmitter_pb2 import ConverseEvent, ConverseRequest, FaceReady, Instruction, Photo, Progress, TurnReport
from protos.transmitter_pb2_grpc import TransmitterStub
from shared.errors import LinkLost, PeerFault
from shared.grpc_status import errors_of
from shared.transport import connect

#: Largest gRPC message: a large photo up, a few pictures of 1024 px down.
MAX_MESSAGE_BYTES = 128 * 2**20

#: Seconds for the receiver to draw a face after its frame was acknowledged.
DRAW_SECONDS = 60.0


@dataclass(frozen=True)
class Turn:
    """One instruction and what came of it.

    Attributes:
        report: the transmitter's.
        received: the face as the receiver drew it; ``None`` if it was erased or nobody watched.
        wall_ms: from the instruction to the face.
    """

    report: TurnReport
    received: RenderedFace | None
    wall_ms: float


@dataclass
class Talk:
    """A whole conversation.

    Attributes:
        stream_id: its name towards channel and receiver.
        face: the photo as it was understood.
        turns: one per instruction.
    """

    stream_id: str
    face: FaceReady = field(default_factory=FaceReady)
    turns: list[Turn] = field(default_factory=list)


async def converse(
    transmitter: str,
    receiver: str | None,
    photo: Photo,
    instructions: Sequence[str],
    on_progress: Callable[[Progress], None],
    on_turn: Callable[[Turn], None],
) -> Talk:
    """Holds a conversation of one turn per instruction.

    Args:
        transmitter: its address.
        receiver: its address, or ``None`` to leave the received faces unseen.
        photo: with its options; a stream id is chosen if it names none.
        instructions: in order.
        on_progress: told of the inversion's steps.
        on_turn: told of every turn when its face has arrived.

    Raises:
        DeepscError: what either service answered instead.
    """
    talk = Talk(photo.stream_id or uuid.uuid4().hex)
    photo.stream_id = talk.stream_id
    async with AsyncExitStack() as stack:
        faces: _Faces | None = None
        if receiver is not None:
            faces = await stack.enter_async_context(_watching(receiver, talk.stream_id, photo.resolution))
        peer = f"the transmitter at {transmitter}"
        with errors_of(peer):
            channel = await stack.enter_async_context(connect(transmitter, MAX_MESSAGE_BYTES))
            call = TransmitterStub(channel).Converse()
            await _write(call, ConverseRequest(photo=photo))
            while (event := await _event(call, peer)).WhichOneof("kind") != "face":
                if event.HasField("progress"):
                    on_progress(event.progress)
            talk.face = event.face
            for text in instructions:
                started = time.perf_counter()
                await _write(call, ConverseRequest(instruction=Instruction(text=text)))
                report = (await _event(call, peer)).turn
                received = await faces.of(report.sequence) if faces is not None and report.sequence else None
                talk.turns.append(Turn(report, received, 1e3 * (time.perf_counter() - started)))
                on_turn(talk.turns[-1])
            await call.done_writing()
            await call.read()
    return talk


async def _write(call: grpc.aio.StreamStreamCall[ConverseRequest, ConverseEvent], request: ConverseRequest) -> None:
    try:
        await call.write(request)
    except asyncio.InvalidStateError:
        return  # the call is over already; reading tells why


async def _event(call: grpc.aio.StreamStreamCall[ConverseRequest, ConverseEvent], peer: str) -> ConverseEvent:
    event = await call.read()
    if isinstance(event, ConverseEvent):
        return event
    raise PeerFault(f"{peer} ended the conversation without a word; look at its log")


class _Faces:
    def __init__(self, call: grpc.aio.UnaryStreamCall[WatchRequest, WatchEvent], peer: str) -> None:
        self._call = call
        self._peer = peer

    async def of(self, sequence: int) -> RenderedFace:
        """The face of frame ``sequence``; those before it are passed over."""
        try:
            async with asyncio.timeout(DRAW_SECONDS):
                with errors_of(self._peer):
                    while isinstance(event := await self._call.read(), WatchEvent):
                        if event.HasField("face") and event.face.sequence == sequence:
                            return event.face
        except TimeoutError as error:
            raise LinkLost(f"{self._peer} did not draw frame {sequence} within {DRAW_SECONDS:g} s") from error
        raise LinkLost(f"{self._peer} ended the watch before frame {sequence} was drawn")


@asynccontextmanager
async def _watching(receiver: str, stream_id: str, resolution: int) -> AsyncIterator[_Faces]:
    peer = f"the receiver at {receiver}"
    async with connect(receiver, MAX_MESSAGE_BYTES) as channel:
        call = ReceiverStub(channel).Watch(WatchRequest(stream_id=stream_id, resolution=resolution))
        with errors_of(peer):
            await call.read()
        try:
            yield _Faces(call, peer)
        finally:
            call.cancel()
