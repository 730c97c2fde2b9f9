"""``deepsc.v1.Transmitter``: conversations over gRPC, bounded in number, in size and in silence."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from protos.transmitter_pb2 import ConverseEvent, ConverseRequest, Opened, Photo, Refusal, TurnReport
from protos.transmitter_pb2_grpc import TransmitterServicer
from shared.errors import InvalidInput, LinkLost, Overloaded, UnclearInstruction, UnknownStream
from transmitter.conversation import Conversation
from transmitter.courier import Courier
from transmitter.framing import Framer
from transmitter.link import LinkClient
from transmitter.options import PhotoOptions
from transmitter.parts import TransmitterParts
from transmitter.settings import TransmitterSettings
from transmitter.symbols import SymbolBudget
from transmitter.workers import Workers


class TransmitterService(TransmitterServicer):
    """Holds as many conversations as it is allowed to.

    Args:
        settings: bounds and defaults.
        parts: the semantic blocks.
        workers: where they run.
        link: opens streams to the next hop.
    """

    def __init__(
        self, settings: TransmitterSettings, parts: TransmitterParts, workers: Workers, link: LinkClient
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._workers = workers
        self._link = link
        self._conversations = 0
        self._stopping = asyncio.Event()

    async def Converse(  # noqa: N802
        self,
        request_iterator: AsyncIterator[ConverseRequest],
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[ConverseEvent]:
        """One conversation; see ``transmitter.proto``."""
        if self._conversations >= self._settings.max_conversations:
            raise Overloaded(
                f"the transmitter already holds {self._settings.max_conversations} conversations; try again later"
            )
        self._conversations += 1
        try:
            async with aclosing(self._converse(aiter(request_iterator))) as events:
                async for event in events:
                    yield event
        finally:
            self._conversations -= 1

    async def drain(self) -> None:
        """Ends every conversation after the turn it is in."""
        self._stopping.set()

    async def _converse(self, requests: AsyncIterator[ConverseRequest]) -> AsyncGenerator[ConverseEvent, None]:
        first = await self._next(requests)
        if first is None or first.WhichOneof("kind") != "photo":
            raise InvalidInput("a conversation begins with a photo; send it before the first instruction")
        photo = first.photo
        options = PhotoOptions.of(photo, self._settings)
        stream_id = photo.stream_id or uuid.uuid4().hex
        async with self._link.open(stream_id) as link:
            budget = SymbolBudget(self._settings.max_uses, options.symbols)
            framer = Framer(self._parts.codec, self._parts.follow_ups)
            courier = Courier(link, framer, budget, self._settings.max_tries, self._workers)
            conversation = Conversation(self._parts, self._workers, courier, self._settings)
            yield ConverseEvent(opened=Opened(stream_id=stream_id))
            async for event in self._begin(conversation, photo):
                yield event
            while (request := await self._next(requests)) is not None:
                try:
                    async for event in self._answers(conversation, request, keep_open=photo.keep_open):
                        yield event
                except (InvalidInput, LinkLost) as error:
                    if not photo.keep_open or self._stopping.is_set():
                        raise
                    refusal = Refusal(instruction=request.instruction.text, message=error.message, reason=error.reason)
                    yield ConverseEvent(refusal=refusal)

    async def _begin(self, conversation: Conversation, photo: Photo) -> AsyncGenerator[ConverseEvent, None]:
        async with aclosing(conversation.begin(photo)) as events:
            async for event in events:
                yield event
                if self._stopping.is_set():
                    raise _stopping()

    async def _answers(
        self, conversation: Conversation, request: ConverseRequest, *, keep_open: bool
    ) -> AsyncGenerator[ConverseEvent, None]:
        match request.WhichOneof("kind"):
            case "instruction":
                answer = await conversation.turn(request.instruction)
                if isinstance(answer, TurnReport):
                    yield ConverseEvent(turn=answer)
                elif keep_open:
                    yield ConverseEvent(question=answer)
                else:
                    raise UnclearInstruction(answer.message)
            case "refine":
                yield ConverseEvent(turn=await conversation.refine(request.refine.frames or 1))
            case "compare":
                yield ConverseEvent(comparison=await conversation.compare())
            case "photo":
                async for event in self._begin(conversation, request.photo):
                    yield event
            case _:
                raise InvalidInput("the request is empty; send an instruction, a photo, or what to do with the face")

    async def _next(self, requests: AsyncIterator[ConverseRequest]) -> ConverseRequest | None:
        """The client's next request; ``None`` when it has no more.

        Raises:
            UnknownStream: if the client is silent for too long.
            LinkLost: if the service is to stop.
        """
        reading = asyncio.ensure_future(anext(requests, None))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(
                (reading, stopping), timeout=self._settings.idle_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if self._stopping.is_set():
                raise _stopping()
            if reading.done():
                return reading.result()
            raise UnknownStream(
                f"the conversation was silent for {self._settings.idle_seconds:g} s and has ended; "
                "begin it again with the photo"
            )
        finally:
            stopping.cancel()
            if not reading.done():
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading


def _stopping() -> LinkLost:
    return LinkLost("the transmitter is stopping; begin the conversation again when it is back")
