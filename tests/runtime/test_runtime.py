"""The life of a service: bound, announced, healthy, reflected, drained, gone."""

import asyncio
import json
import signal
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from protos import link_pb2, link_pb2_grpc
from shared.errors import InvalidInput, LinkLost, PeerFault, SampleError
from shared.grpc_status import error_from, errors_of
from shared.runtime import running
from shared.transport import connect
from tests.runtime.echo import EchoSettings, assemble
from tests.runtime.process import process

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LINK = "deepsc.v1.Link"
ECHO = "tests.runtime.echo"


def frame(sequence: int, do: str = "") -> link_pb2.TransmitRequest:
    return link_pb2.TransmitRequest(frame=link_pb2.Frame(sequence=sequence, diagnostics={"do": do}))


async def health_of(channel: grpc.aio.Channel, name: str) -> Any:
    return (await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name))).status


async def report_of(call: Any) -> link_pb2.FrameReport:
    response = await call.read()
    assert isinstance(response, link_pb2.TransmitResponse)
    return response.report


async def test_free_port_is_bound_and_every_service_is_healthy() -> None:
    async with running(EchoSettings(port=0), assemble) as service, connect(service.address) as channel:
        assert int(service.address.rpartition(":")[2]) > 0
        assert [await health_of(channel, name) for name in ("", LINK)] == [SERVING, SERVING]
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await health_of(channel, "deepsc.v1.Nothing")
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_the_services() -> None:
    async with running(EchoSettings(), assemble) as service, connect(service.address) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        names = {found.name for found in (await call.read()).list_services_response.service}
        await call.done_writing()
    assert {LINK, "grpc.health.v1.Health"} <= names


async def test_taken_port_is_refused_with_a_sentence() -> None:
    async with running(EchoSettings(), assemble) as service:
        taken = int(service.address.rpartition(":")[2])
        with pytest.raises(InvalidInput, match="DEEPSC_ECHO_PORT"):
            async with running(EchoSettings(port=taken), assemble):
                pass


async def test_own_error_arrives_with_sentence_and_reason_and_is_rebuilt() -> None:
    async with running(EchoSettings(), assemble) as service, connect(service.address) as channel:
        call = link_pb2_grpc.LinkStub(channel).Transmit()
        await call.read()
        await call.write(frame(1, "refuse"))
        with pytest.raises(SampleError, match=r"^the samples are not finite; send numbers$"), errors_of("echo"):
            await call.read()
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_bug_becomes_internal_with_reference_and_without_its_text() -> None:
    async with running(EchoSettings(), assemble) as service, connect(service.address) as channel:
        call = link_pb2_grpc.LinkStub(channel).Transmit()
        await call.read()
        await call.write(frame(1, "crash"))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await call.read()
        assert failure.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in str(failure.value) + str(failure.value.trailing_metadata())
        assert isinstance(error_from(failure.value), PeerFault)
        assert await health_of(channel, "") == SERVING


async def test_nobody_listening_is_a_lost_link() -> None:
    async with running(EchoSettings(), assemble) as service:
        address = service.address
    async with connect(address) as channel:
        with pytest.raises(LinkLost, match="the echo went away or cannot be reached"), errors_of("the echo"):
            await link_pb2_grpc.LinkStub(channel).Transmit().read()


async def test_drain_finishes_what_is_under_way_refuses_what_is_new_and_answers_health() -> None:
    async with (
        running(EchoSettings(work_seconds=0.4), assemble) as service,
        connect(service.address) as channel,
        connect(service.address) as late,
    ):
        call = link_pb2_grpc.LinkStub(channel).Transmit()
        await call.read()
        await call.write(frame(1))
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(service.stop(5.0))
        await asyncio.sleep(0.1)
        assert await health_of(late, LINK) == NOT_SERVING
        with pytest.raises(LinkLost, match="stopping"), errors_of("echo"):
            await link_pb2_grpc.LinkStub(late).Transmit().read()
        assert (await report_of(call)).sequence == 1
        assert await call.read() is grpc.aio.EOF
        await stopping


async def test_drain_is_bounded_and_cut_calls_see_unavailable() -> None:
    async with running(EchoSettings(work_seconds=30.0), assemble) as service, connect(service.address) as channel:
        call = link_pb2_grpc.LinkStub(channel).Transmit()
        await call.read()
        await call.write(frame(1))
        await asyncio.sleep(0.1)
        await asyncio.wait_for(service.stop(0.2), 3.0)
        with pytest.raises(LinkLost), errors_of("echo"):
            await call.read()


async def test_sigterm_drains_and_exits_with_status_0() -> None:
    async with process(ECHO, "--work-seconds", "0.4") as (child, address), connect(address) as channel:
        call = link_pb2_grpc.LinkStub(channel).Transmit()
        await call.read()
        await call.write(frame(1))
        await asyncio.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        assert (await report_of(call)).sequence == 1
        assert await asyncio.wait_for(child.wait(), 10) == 0


async def test_second_signal_ends_the_drain_at_once() -> None:
    async with (
        process(ECHO, "--work-seconds", "60", "--drain-seconds", "60") as (child, address),
        connect(address) as channel,
    ):
        call = link_pb2_grpc.LinkStub(channel).Transmit()
        await call.read()
        await call.write(frame(1))
        await asyncio.sleep(0.1)
        child.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        assert child.returncode is None
        child.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(child.wait(), 5) == 0


async def test_logs_are_json_lines_on_standard_error() -> None:
    async with process(ECHO) as (child, _):
        child.send_signal(signal.SIGTERM)
        _, errors = await child.communicate()
    lines = [json.loads(line) for line in errors.decode().splitlines()]
    assert [line["event"] for line in lines] == ["serving", "draining", "stopped"]
    assert {line["service"] for line in lines} == {"echo"}


async def test_process_that_cannot_bind_exits_with_status_2() -> None:
    async with running(EchoSettings(), assemble) as service:
        port = service.address.rpartition(":")[2]
        async with process(ECHO, env={"DEEPSC_ECHO_PORT": port}) as (child, address):
            assert address == ""
            assert await asyncio.wait_for(child.wait(), 10) == 2


async def test_bug_is_logged_under_its_reference_without_local_variables() -> None:
    async with process(ECHO) as (child, address):
        async with connect(address) as channel:
            call = link_pb2_grpc.LinkStub(channel).Transmit()
            await call.read()
            await call.write(frame(1, "crash"))
            with pytest.raises(PeerFault) as fault, errors_of("echo"):
                await call.read()
        child.send_signal(signal.SIGTERM)
        _, errors = await child.communicate()
    logged = [line for line in map(json.loads, errors.decode().splitlines()) if line["event"] == "call failed inside"]
    assert logged[0]["correlation_id"] in fault.value.message
    assert logged[0]["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert "locals" not in logged[0]["exception"][0]["frames"][0]
