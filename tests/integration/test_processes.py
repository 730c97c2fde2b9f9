from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.client import converse, dialogue
from protos.link_pb2 import FrameKind
from protos.receiver_pb2 import WatchRequest
from protos.receiver_pb2_grpc import ReceiverStub
from protos.transmitter_pb2 import ConverseRequest, Instruction, Photo
from protos.transmitter_pb2_grpc import TransmitterStub
from shared.errors import DeepscError, FaceError, InstructionError
from shared.transport import connect
from tests.integration.conftest import Cluster


async def talk(cluster: Cluster, stream_id: str = "", *instructions: str, photo: bytes = b"face01234", **options):
    return await converse(
        cluster.addresses["transmitter"],
        cluster.addresses["receiver"],
        Photo(data=photo, stream_id=stream_id, resolution=128, **options),
        instructions or ("bangs +2",),
        lambda _: None,
        lambda _: None,
    )


async def until(call, kind: str):
    while (event := await call.read()).WhichOneof("kind") != kind:
        pass
    return event


async def test_a_conversation_crosses_three_processes_and_the_face_arrives(cluster):
    await cluster.start_all()
    conversation = await talk(cluster, "", "bangs +2, age =1", "smile more")
    first, second = conversation.turns
    expected = {"bangs": 2, "eyeglasses": 1, "beard": 2, "smiling": 3, "age": 1}
    assert dict(first.received.degrees) == pytest.approx(expected, abs=0.3)
    assert first.received.sequence == first.report.sequence == 2
    assert first.report.channel.snr_db == 12
    # From 3; at 12 dB a change in 55 symbols of the fake code has an error of about 0.3.
    assert second.received.degrees["smiling"] == pytest.approx(5, abs=1)
    assert second.report.frames_sent == 1


async def test_the_same_stream_gets_the_same_samples_whatever_else_goes_on(cluster):
    await cluster.start_all()
    alone = await talk(cluster, "repeatable", "bangs +2", "age =0")
    together = await asyncio.gather(
        talk(cluster, "repeatable", "bangs +2", "age =0"),
        *(talk(cluster, f"other-{number}", "age =5", photo=b"face43210") for number in range(3)),
    )
    digests = [[list(turn.report.received_sha256) for turn in each.turns] for each in (alone, *together)]
    assert digests[0] == digests[1]
    assert digests[0] not in digests[2:]


@pytest.mark.parametrize("victim", ["channel", "receiver"])
async def test_a_killed_hop_is_a_typed_status_and_the_next_conversation_works(cluster, victim):
    await cluster.start_all()
    async with connect(cluster.addresses["transmitter"]) as channel:
        call = TransmitterStub(channel).Converse()
        await call.write(ConverseRequest(photo=Photo(data=b"face01234")))
        await until(call, "face")
        await cluster.kill(victim)
        await call.write(ConverseRequest(instruction=Instruction(text="bangs +1")))
        with pytest.raises(grpc.aio.AioRpcError) as ending:
            await until(call, "turn")
        assert ending.value.code() is grpc.StatusCode.UNAVAILABLE
        assert ending.value.details()
    await cluster.start(victim)
    conversation = await talk(cluster)
    assert conversation.turns[0].received is not None
    others = [process for name, process in cluster.processes.items() if name != victim]
    assert all(process.returncode is None for process in others)


async def test_a_conversation_outlives_its_channel_and_recovers_with_one_key_frame(cluster):
    await cluster.start_all()
    async with dialogue(
        cluster.addresses["transmitter"],
        cluster.addresses["receiver"],
        Photo(data=b"face01234", stream_id="survivor", resolution=128, keep_open=True),
    ) as talking:
        await talking.begin(Photo(data=b"face01234", resolution=128, keep_open=True), lambda _: None)
        await talking.say("bangs +1")
        await talking.say("age =0")
        await cluster.kill("channel")
        await cluster.start("channel", "--snr-db", "12", "--seed", "5")
        recovered = await talking.say("bangs +2")
        assert [FrameKind.Name(kind) for kind in recovered.report.kinds] == ["FRAME_KIND_DELTA", "FRAME_KIND_KEY"]
        degrees = {"bangs": 3, "eyeglasses": 1, "beard": 2, "smiling": 3, "age": 0}
        assert dict(recovered.received.degrees) == pytest.approx(degrees, abs=0.3)
        after = await talking.say("undo")
        assert [FrameKind.Name(kind) for kind in after.report.kinds] == ["FRAME_KIND_DELTA"]
        assert after.received.degrees["bangs"] == pytest.approx(1, abs=0.6)
        await talking.end()


async def test_a_killed_transmitter_leaves_the_others_ready_for_its_successor(cluster):
    await cluster.start_all()
    async with connect(cluster.addresses["transmitter"]) as channel:
        call = TransmitterStub(channel).Converse()
        await call.write(ConverseRequest(photo=Photo(data=b"face01234", stream_id="mine")))
        await until(call, "face")
        await cluster.kill("transmitter")
        with pytest.raises(grpc.aio.AioRpcError) as ending:
            await until(call, "turn")
        assert ending.value.code() is grpc.StatusCode.UNAVAILABLE
    await cluster.start("transmitter")
    assert (await talk(cluster, "mine")).turns[0].received is not None


async def test_a_receiver_that_is_asked_to_stop_shows_what_it_acknowledged_and_exits_cleanly(cluster):
    await cluster.start("receiver", "--resolution", "128", FAKE_RENDER_SECONDS="0.7")
    await cluster.start("channel")
    await cluster.start("transmitter", "--resolution", "128")
    async with connect(cluster.addresses["receiver"]) as to_receiver, connect(cluster.addresses["transmitter"]) as to:
        watching = ReceiverStub(to_receiver).Watch(WatchRequest(stream_id="s", resolution=128))
        assert (await watching.read()).HasField("started")
        call = TransmitterStub(to).Converse()
        await call.write(ConverseRequest(photo=Photo(data=b"face01234", stream_id="s", refine_steps=0)))
        await call.write(ConverseRequest(instruction=Instruction(text="bangs +1")))
        acknowledged = (await until(call, "turn")).turn.sequence
        assert acknowledged
        status = await cluster.ask_to_stop("receiver")
        assert (await watching.read()).face.sequence == acknowledged
        assert await watching.read() is grpc.aio.EOF
        assert status == 0


async def test_what_the_channel_refuses_arrives_with_its_own_reason(cluster):
    await cluster.start("receiver")
    await cluster.start("channel")
    await cluster.start("transmitter", "--link", "moon")
    with pytest.raises(DeepscError, match="there is no link 'moon'; there are default") as refusal:
        await talk(cluster)
    assert (refusal.value.reason, refusal.value.status) == ("UNKNOWN_LINK", "NOT_FOUND")


async def test_every_service_stops_on_sigterm_with_status_0(cluster):
    await cluster.start_all()
    assert [await cluster.ask_to_stop(name) for name in ("transmitter", "channel", "receiver")] == [0, 0, 0]


async def test_bad_input_leaves_every_service_healthy(cluster):
    await cluster.start_all()
    for photo, instruction, error in (
        (b"landscape", "bangs +1", FaceError),
        (b"face01234", "a sandwich", InstructionError),
        (b"face01234", "", InstructionError),
    ):
        with pytest.raises(error, match=r"\w+ \w+"):
            await talk(cluster, "", instruction, photo=photo)
    for name, address in cluster.addresses.items():
        async with connect(address) as channel:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, name
    assert (await talk(cluster)).turns[0].received is not None
