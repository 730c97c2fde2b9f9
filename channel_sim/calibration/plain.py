"""What the proxy's speed is compared with: ``python -m channel_sim.calibration.plain sink|relay TARGET``.

The sink answers every frame with a report. The relay passes messages on as bytes, unread, both ways: the least that any
gRPC relay in this language does. Each takes a free port and announces it as the services do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import grpc.aio
from typing_extensions import override

from protos import link_pb2
from shared.transport import connect, server_options

METHOD = "/deepsc.v1.Link/Transmit"

_MAX_MESSAGE_BYTES = 16 * 2**20

_CREDITS = 64

Behaviour = Callable[[Any, Any], AsyncIterator[bytes]]


async def sink(requests: Any, context: Any) -> AsyncIterator[bytes]:  # noqa: ARG001
    """Accepts the stream and reports every frame decoded."""
    async for message in requests:
        request = link_pb2.TransmitRequest.FromString(message)
        if request.WhichOneof("kind") == "open":
            response = link_pb2.TransmitResponse(accepted=link_pb2.StreamAccepted(credits=_CREDITS))
        else:
            report = link_pb2.FrameReport(
                sequence=request.frame.sequence, outcome=link_pb2.FRAME_OUTCOME_DECODED, decode_ms=0.0
            )
            response = link_pb2.TransmitResponse(report=report)
        yield response.SerializeToString()


def relay_to(downstream: grpc.aio.Channel) -> Behaviour:
    """A relay to the other end of a channel."""

    async def relay(requests: Any, context: Any) -> AsyncIterator[bytes]:  # noqa: ARG001
        call: Any = downstream.stream_stream(METHOD)(requests)
        async for message in call:
            yield message

    return relay


class _Handler(grpc.GenericRpcHandler):
    """Gives the one method its behaviour, with messages as bytes."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._handler: Any = grpc.stream_stream_rpc_method_handler(behaviour)

    @override
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return self._handler if handler_call_details.method == METHOD else None


async def _serve(role: str, target: str) -> None:
    async with connect(target or "127.0.0.1:1", _MAX_MESSAGE_BYTES) as downstream:
        server = grpc.aio.server(options=server_options(_MAX_MESSAGE_BYTES))
        server.add_generic_rpc_handlers((_Handler(sink if role == "sink" else relay_to(downstream)),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        print(json.dumps({"service": role, "address": f"127.0.0.1:{port}"}), flush=True)
        await server.wait_for_termination()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(sys.argv[1], "".join(sys.argv[2:])))
