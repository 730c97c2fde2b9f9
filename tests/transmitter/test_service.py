from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest

from protos.link_pb2 import StreamAccepted, TransmitResponse
from protos.link_pb2_grpc import LinkServicer, add_LinkServicer_to_server
from protos.transmitter_pb2 import Compare, ConverseRequest, Instruction, Photo, Refine
from shared.errors import UnclearInstruction
from shared.grpc_status import error_from
from tests.fakes.semantics import FakeInverter


def photo(data: bytes = b"face01234", **options: object) -> ConverseRequest:
    return ConverseRequest(photo=Photo(data=data, **options))


def say(text: str) -> ConverseRequest:
    return ConverseRequest(instruction=Instruction(text=text))


class MuteLink(LinkServicer):
    """Accepts every stream and reports on no frame."""

    async def Transmit(self, request_iterator, context):  # noqa: ARG002, N802
        await anext(request_iterator)
        yield TransmitResponse(accepted=StreamAccepted(credits=1, max_samples=2**16))
        async for _ in request_iterator:
            pass


@asynccontextmanager
async def mute_link() -> AsyncIterator[str]:
    server = grpc.aio.server()
    add_LinkServicer_to_server(MuteLink(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def converse(transmitter, *requests: ConverseRequest):
    return [event async for event in transmitter.stub.Converse(iter(requests))]


async def refusal_of(transmitter, *requests: ConverseRequest) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await converse(transmitter, *requests)
    return failure.value.code(), failure.value.details()


async def until(call, kind: str):
    while (event := await call.read()).WhichOneof("kind") != kind:
        pass
    return event


async def test_a_conversation_goes_from_photo_to_turns_in_order(start_transmitter):
    async with start_transmitter() as transmitter:
        events = await converse(transmitter, photo(), say("bangs +2"), say("age =0"))
        kinds = [event.WhichOneof("kind") for event in events]
        assert kinds[0] == "opened"
        assert kinds[-3:] == ["face", "turn", "turn"]
        assert set(kinds[1:-3]) == {"progress"}
        first, second = events[-2].turn, events[-1].turn
        assert (first.turn, second.turn) == (1, 2)
        assert (first.frames_sent, second.frames_sent) == (2, 1)
        assert second.degrees_before["bangs"] == 2


async def test_the_client_may_name_the_stream_and_gets_a_fresh_name_otherwise(start_transmitter):
    async with start_transmitter() as transmitter:
        named = await converse(transmitter, photo(stream_id="mine"))
        assert named[0].opened.stream_id == "mine"
        names = {(await converse(transmitter, photo()))[0].opened.stream_id for _ in range(2)}
        assert len(names) == 2
        assert "" not in names


async def test_the_client_may_choose_steps_symbols_and_resolution(start_transmitter):
    async with start_transmitter() as transmitter:
        events = await converse(transmitter, photo(refine_steps=5, symbols=150, resolution=256), say("bangs +1"))
        assert sum(event.progress.stage == "refine" for event in events) == 5
        assert events[-1].turn.uses.k_payload == 150
        none = await converse(transmitter, photo(refine_steps=0))
        assert not any(event.progress.stage == "refine" for event in none)


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [ConverseRequest()],
        [say("bangs +1")],
        [photo(b"junk")],
        [photo(b"landscape")],
        [photo(b"crowd")],
        [photo(resolution=300)],
        [photo(refine_steps=10**6)],
        [photo(symbols=10**6)],
        [photo(invert_for_snr_db=1e3)],
        [photo(invert_for_snr_db=float("nan"))],
        [photo(invert_for_snr_db=float("-inf"))],
        [photo(symbols=3), say("bangs +1")],
        [photo(symbols=65536), say("bangs +1")],
        [photo(), photo(b"landscape")],
        [photo(), ConverseRequest()],
        [photo(frames=17)],
        [photo(), ConverseRequest(refine=Refine(frames=17))],
        [photo(), say("undo")],
        [photo(), say("maybe bangs +1")],
        [photo(), say("")],
        [photo(), say("make me a sandwich")],
        [photo(stream_id="x" * 500)],
    ],
)
async def test_what_cannot_be_used_is_an_invalid_argument_with_a_sentence_and_the_service_lives_on(
    start_transmitter, requests
):
    async with start_transmitter() as transmitter:
        code, sentence = await refusal_of(transmitter, *requests)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert len(sentence) > 20
        assert (await converse(transmitter, photo(), say("bangs +1")))[-1].HasField("turn")


async def test_kept_open_a_conversation_survives_what_it_refuses(start_transmitter):
    async with start_transmitter() as transmitter:
        *_, refused, turn = await converse(transmitter, photo(keep_open=True), say("a sandwich"), say("bangs +1"))
        assert refused.refusal.instruction == "a sandwich"
        assert refused.refusal.reason == "INSTRUCTION"
        assert "bangs" in refused.refusal.message
        assert turn.turn.turn == 1


async def test_kept_open_a_conversation_asks_back_and_answers_everything_in_order(start_transmitter):
    async with start_transmitter() as transmitter:
        sure = ConverseRequest(instruction=Instruction(text="maybe bangs +1", best_guess=True))
        refine, compare = ConverseRequest(refine=Refine(frames=2)), ConverseRequest(compare=Compare())
        requests = [
            say("maybe bangs +1"),
            sure,
            refine,
            compare,
            photo(b"landscape"),
            photo(b"face43210"),
            say("age +1"),
        ]
        events = await converse(transmitter, photo(keep_open=True), *requests)
        kinds = [event.WhichOneof("kind") for event in events if not event.HasField("progress")]
        answers = ["question", "turn", "turn", "comparison", "refusal", "face", "turn"]
        assert kinds == ["opened", "face", *answers]
        turns = [event.turn for event in events if event.HasField("turn")]
        assert [turn.frames_sent for turn in turns] == [2, 2, 1]
        assert turns[-1].degrees_after["age"] == 1


async def test_an_unclear_instruction_ends_a_conversation_that_is_not_kept_open_with_its_reason(start_transmitter):
    async with start_transmitter() as transmitter:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await converse(transmitter, photo(), say("maybe bangs +1"))
        assert isinstance(error_from(failure.value), UnclearInstruction)


async def test_a_link_that_is_lost_leaves_a_conversation_that_is_kept_open_waiting_for_it(start_transmitter):
    async with start_transmitter(connect_seconds=0.3) as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo(keep_open=True))
        await until(call, "face")
        await transmitter.receiver.stop(0.1)
        for _ in range(2):
            await call.write(say("bangs +1"))
            assert (await until(call, "refusal")).refusal.reason == "LINK_LOST"


async def test_a_conversation_whose_link_is_lost_ends_when_its_client_has_no_more_to_say(start_transmitter):
    async with start_transmitter(connect_seconds=0.3) as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo(keep_open=True))
        await until(call, "face")
        await transmitter.receiver.stop(0.1)
        await call.write(say("bangs +1"))
        await until(call, "refusal")
        await call.done_writing()
        assert await asyncio.wait_for(call.read(), 5) is grpc.aio.EOF


async def test_a_link_that_does_not_answer_is_lost_for_each_turn_anew(start_transmitter):
    async with mute_link() as target, start_transmitter(target=target, report_seconds=0.2) as transmitter:
        *_, first, second = await asyncio.wait_for(
            converse(transmitter, photo(keep_open=True), say("bangs +1"), say("bangs +2")), 10
        )
        for event, text in ((first, "bangs +1"), (second, "bangs +2")):
            assert (event.refusal.instruction, event.refusal.reason) == (text, "LINK_LOST")


async def test_one_conversation_too_many_is_turned_away_until_one_ends(start_transmitter):
    async with start_transmitter(max_conversations=1) as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo())
        await until(call, "face")
        code, sentence = await refusal_of(transmitter, photo())
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "try again later" in sentence
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        await converse(transmitter, photo())


async def test_a_silent_client_is_let_go(start_transmitter):
    async with start_transmitter(idle_seconds=0.2) as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo())
        with pytest.raises(grpc.aio.AioRpcError) as ending:
            await until(call, "turn")
        assert ending.value.code() is grpc.StatusCode.NOT_FOUND
        assert "silent" in ending.value.details()


async def test_a_client_that_goes_away_stops_its_inversion_and_frees_its_place(start_transmitter):
    inverter = FakeInverter(step_seconds=0.01)
    async with start_transmitter(inverter, max_conversations=1) as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo(refine_steps=1000))
        while (await call.read()).progress.stage != "refine":
            pass
        call.cancel()
        await asyncio.sleep(0.3)
        done = inverter.steps_done
        await asyncio.sleep(0.1)
        assert inverter.steps_done == done < 900
        await converse(transmitter, photo(refine_steps=0))


async def test_without_a_link_the_conversation_ends_before_the_inversion_begins(start_transmitter):
    async with start_transmitter(connect_seconds=0.3) as transmitter:
        await transmitter.receiver.stop(0.1)
        code, sentence = await refusal_of(transmitter, photo())
        assert code is grpc.StatusCode.UNAVAILABLE
        assert transmitter.receiver.address in sentence
        assert transmitter.inverter.steps_done == 0


async def test_a_link_that_goes_away_between_turns_is_unavailable(start_transmitter):
    async with start_transmitter() as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo())
        await until(call, "face")
        await transmitter.receiver.stop(0.1)
        await call.write(say("bangs +1"))
        with pytest.raises(grpc.aio.AioRpcError) as ending:
            await until(call, "turn")
        assert ending.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_stopping_ends_the_conversation_with_a_sentence(start_transmitter):
    async with start_transmitter() as transmitter:
        call = transmitter.stub.Converse()
        await call.write(photo())
        await until(call, "face")
        stopping = asyncio.create_task(transmitter.service.stop(5.0))
        with pytest.raises(grpc.aio.AioRpcError) as ending:
            await until(call, "turn")
        assert ending.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "stopping" in ending.value.details()
        await stopping


async def test_conversations_opened_and_abandoned_leave_no_place_taken(start_transmitter):
    async with start_transmitter(max_conversations=2) as transmitter:
        for _ in range(30):
            call = transmitter.stub.Converse()
            await call.write(photo())
            await call.read()
            call.cancel()
            await asyncio.sleep(0.01)
        await converse(transmitter, photo(), say("bangs +1"))
