"""A client of the two services: one conversation, and the faces it makes at the receiver."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc.aio

from protos.receiver_pb2 import RenderedFace, WatchEvent, WatchRequest
from protos.receiver_pb2_grpc import ReceiverStub
from protos.transmitter_pb2 import (
    Command,
    Compare,
    Comparison,
    ConverseEvent,
    ConverseRequest,
    FaceReady,
    Instruction,
    Photo,
    Progress,
    Question,
    Refine,
    Refusal,
    TurnReport,
)
from protos.transmitter_pb2_grpc import TransmitterStub
from shared.errors import InstructionError, InvalidInput, LinkLost, PeerFault
from shared.grpc_status import errors_of
from shared.transport import connect

if TYPE_CHECKING:
    from protos.receiver_pb2_grpc import ReceiverAsyncStub

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

    stream_id: str = ""
    face: FaceReady = field(default_factory=FaceReady)
    turns: list[Turn] = field(default_factory=list)


class Dialogue:
    """An open conversation: one request, one answer.

    Attributes:
        stream_id: its name towards channel and receiver.
    """

    def __init__(
        self,
        call: grpc.aio.StreamStreamCall[ConverseRequest, ConverseEvent],
        peer: str,
        faces: _Faces | None,
        stream_id: str,
    ) -> None:
        self.stream_id = stream_id
        self._call = call
        self._peer = peer
        self._faces = faces

    async def begin(self, photo: Photo, on_progress: Callable[[Progress], None]) -> FaceReady:
        """Shows the transmitter a photo; the conversation is about its face from then on.

        Raises:
            DeepscError: if it cannot be used.
        """
        photo.stream_id = self.stream_id
        event = await self._ask(ConverseRequest(photo=photo))
        while (kind := event.WhichOneof("kind")) != "face":
            if kind == "progress":
                on_progress(event.progress)
            elif kind == "refusal":
                raise InvalidInput(event.refusal.message)
            event = await self._next()
        return event.face

    async def say(self, text: str, *, best_guess: bool = False) -> Turn | Question | Refusal:
        """Says a sentence. Questions and refusals come only where the photo asked to be kept open."""
        return await self._turn(ConverseRequest(instruction=Instruction(text=text, best_guess=best_guess)))

    async def command(self, command: Command.ValueType) -> Turn | Question | Refusal:
        """Presses a button."""
        return await self._turn(ConverseRequest(instruction=Instruction(command=command)))

    async def refine(self, frames: int = 1) -> Turn | Question | Refusal:
        """Asks for more about the face as it is."""
        return await self._turn(ConverseRequest(refine=Refine(frames=frames)))

    async def compare(self) -> Comparison:
        """The face as it is beside the photo's."""
        return (await self._ask(ConverseRequest(compare=Compare()))).comparison

    async def end(self) -> None:
        """Says that there is no more to say."""
        await self._call.done_writing()
        await self._call.read()

    async def _turn(self, request: ConverseRequest) -> Turn | Question | Refusal:
        started = time.perf_counter()
        event = await self._ask(request)
        if event.HasField("question"):
            return event.question
        if event.HasField("refusal"):
            return event.refusal
        report = event.turn
        received = await self._faces.of(report.sequence) if self._faces is not None and report.sequence else None
        return Turn(report, received, 1e3 * (time.perf_counter() - started))

    async def _ask(self, request: ConverseRequest) -> ConverseEvent:
        with errors_of(self._peer):
            await _write(self._call, request)
            return await self._next()

    async def _next(self) -> ConverseEvent:
        with errors_of(self._peer):
            return await _event(self._call, self._peer)


@asynccontextmanager
async def dialogue(transmitter: str, receiver: str | None, photo: Photo) -> AsyncIterator[Dialogue]:
    """A conversation for the block, not begun yet.

    Args:
        transmitter: its address.
        receiver: its address, or ``None`` to leave the received faces unseen.
        photo: names the stream and the resolution; a stream id is chosen if it names none.

    Raises:
        DeepscError: if the receiver cannot be watched.
    """
    stream_id = photo.stream_id or uuid.uuid4().hex
    async with AsyncExitStack() as stack:
        faces: _Faces | None = None
        if receiver is not None:
            faces = await stack.enter_async_context(_watching(receiver, stream_id, photo.resolution))
        channel = await stack.enter_async_context(connect(transmitter, MAX_MESSAGE_BYTES))
        yield Dialogue(TransmitterStub(channel).Converse(), f"the transmitter at {transmitter}", faces, stream_id)


async def converse(
    transmitter: str,
    receiver: str | None,
    photo: Photo,
    instructions: Sequence[str],
    on_progress: Callable[[Progress], None],
    on_turn: Callable[[Turn], None],
    *,
    best_guess: bool = False,
    talk: Talk | None = None,
) -> Talk:
    """Holds a conversation of one turn per instruction.

    Args:
        transmitter: its address.
        receiver: its address, or ``None`` to leave the received faces unseen.
        photo: with its options; a stream id is chosen if it names none.
        instructions: in order.
        on_progress: told of the inversion's steps.
        on_turn: told of every turn when its face has arrived.
        best_guess: whether what is unclear is done as it was probably meant.
        talk: takes what is said as it is said, for callers who want the turns before an error too.

    Raises:
        DeepscError: what either service answered instead.
    """
    talk = talk or Talk()
    async with dialogue(transmitter, receiver, photo) as talking:
        talk.stream_id = talking.stream_id
        talk.face = await talking.begin(photo, on_progress)
        for text in instructions:
            turn = await talking.say(text, best_guess=best_guess)
            if not isinstance(turn, Turn):
                raise InstructionError(turn.message)
            talk.turns.append(turn)
            on_turn(turn)
        await talking.end()
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
    """The faces of one stream as a receiver draws them, although it may be started anew in between."""

    def __init__(self, stub: ReceiverAsyncStub, watch: WatchRequest, peer: str) -> None:
        self._stub, self._watch, self._peer = stub, watch, peer

    async def open(self) -> None:
        """Begins to watch; what the stream showed last comes first.

        Raises:
            LinkLost: if the receiver cannot be reached.
        """
        self._call: grpc.aio.UnaryStreamCall[WatchRequest, WatchEvent] = self._stub.Watch(self._watch)
        with errors_of(self._peer):
            await self._call.read()

    def close(self) -> None:
        """Ends the watch."""
        self._call.cancel()

    async def of(self, sequence: int) -> RenderedFace:
        """The face of frame ``sequence``; those before it are passed over."""
        try:
            async with asyncio.timeout(DRAW_SECONDS):
                try:
                    return await self._next(sequence)
                except LinkLost:
                    await self.open()
                    return await self._next(sequence)
        except TimeoutError as error:
            raise LinkLost(f"{self._peer} did not draw frame {sequence} within {DRAW_SECONDS:g} s") from error

    async def _next(self, sequence: int) -> RenderedFace:
        with errors_of(self._peer):
            while isinstance(event := await self._call.read(), WatchEvent):
                if event.HasField("face") and event.face.sequence == sequence:
                    return event.face
        raise LinkLost(f"{self._peer} ended the watch before frame {sequence} was drawn")


@asynccontextmanager
async def _watching(receiver: str, stream_id: str, resolution: int) -> AsyncIterator[_Faces]:
    async with connect(receiver, MAX_MESSAGE_BYTES) as channel:
        watch = WatchRequest(stream_id=stream_id, resolution=resolution)
        faces = _Faces(ReceiverStub(channel), watch, f"the receiver at {receiver}")
        await faces.open()
        try:
            yield faces
        finally:
            faces.close()
