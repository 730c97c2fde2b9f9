"""A small service to run: it accepts a stream, reports every frame as decoded, and fails in ways a test asks for.

``python -m tests.runtime.echo`` serves it as a process.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar

from protos import link_pb2, link_pb2_grpc
from shared.errors import SampleError
from shared.runtime import Assembly, Endpoint, serve
from shared.settings import ServiceSettings, load, variables_of


class EchoSettings(ServiceSettings):
    model_config = variables_of("echo")
    service: ClassVar[str] = "echo"

    work_seconds: float = 0.0


class Echo(link_pb2_grpc.LinkServicer):
    """Acknowledges a frame, then works on it for a while, then reports it; a drain lets it finish."""

    def __init__(self, work_seconds: float) -> None:
        self.work_seconds = work_seconds
        self.draining = asyncio.Event()

    async def Transmit(self, request_iterator: Any, context: Any) -> AsyncIterator[link_pb2.TransmitResponse]:  # noqa: ARG002, N802
        yield link_pb2.TransmitResponse(accepted=link_pb2.StreamAccepted(credits=4, max_samples=16))
        async for request in request_iterator:
            match request.frame.diagnostics["do"]:
                case "refuse":
                    raise SampleError("the samples are not finite; send numbers")
                case "crash":
                    raise ZeroDivisionError("a secret of the service")
            await asyncio.sleep(self.work_seconds)
            yield link_pb2.TransmitResponse(report=link_pb2.FrameReport(sequence=request.frame.sequence))
            if self.draining.is_set():
                return

    async def drain(self) -> None:
        self.draining.set()


@asynccontextmanager
async def assemble(settings: EchoSettings) -> AsyncIterator[Assembly]:
    echo = Echo(settings.work_seconds)
    name = link_pb2.DESCRIPTOR.services_by_name["Link"].full_name
    yield Assembly((Endpoint(name, partial(link_pb2_grpc.add_LinkServicer_to_server, echo)),), (echo.drain,))


if __name__ == "__main__":
    sys.exit(serve(load(EchoSettings, sys.argv[1:]), assemble))
