"""A receiver that keeps what it gets and reports it decoded, and misbehaves in the ways a test asks for.

``python -m tests.channel_sim.fake_receiver --port N`` serves it as a process of its own, to be killed.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar

from typing_extensions import override

from protos import link_pb2, link_pb2_grpc
from shared.errors import SampleError
from shared.runtime import Assembly, Endpoint, serve
from shared.settings import ServiceSettings, load, variables_of


class FakeReceiverSettings(ServiceSettings):
    model_config = variables_of("fake_receiver")
    service: ClassVar[str] = "fake_receiver"


class FakeReceiver(link_pb2_grpc.LinkServicer):
    """Accepts every stream; its attributes may be changed while it serves."""

    def __init__(self) -> None:
        self.credits = 4
        self.max_samples = 4096
        self.frames: dict[str, list[link_pb2.Frame]] = {}
        #: While cleared, frames are read and kept but not reported.
        self.reporting = asyncio.Event()
        self.reporting.set()
        #: While cleared, frames are not even read.
        self.reading = asyncio.Event()
        self.reading.set()
        #: Frames with these numbers get the answer named: "erase", "refuse", "misnumber", "hang up".
        self.misdeeds: dict[int, str] = {}
        self.streams_open = 0

    @override
    async def Transmit(self, request_iterator: Any, context: Any) -> AsyncIterator[link_pb2.TransmitResponse]:
        self.streams_open += 1
        try:
            async for response in self._responses(aiter(request_iterator)):
                yield response
        finally:
            self.streams_open -= 1

    async def _responses(self, requests: AsyncIterator[Any]) -> AsyncIterator[link_pb2.TransmitResponse]:
        frames = self.frames.setdefault((await anext(requests)).open.stream_id, [])
        accepted = link_pb2.StreamAccepted(credits=self.credits, max_samples=self.max_samples)
        yield link_pb2.TransmitResponse(accepted=accepted)
        async for request in requests:
            frames.append(request.frame)
            await self.reporting.wait()
            report = link_pb2.FrameReport(
                sequence=request.frame.sequence,
                outcome=link_pb2.FRAME_OUTCOME_DECODED,
                received_sha256=sha256(request.frame.samples).digest(),
            )
            match self.misdeeds.get(request.frame.sequence):
                case "erase":
                    report.outcome = link_pb2.FRAME_OUTCOME_ERASED
                case "refuse":
                    raise SampleError("the receiver does not like this frame")
                case "misnumber":
                    report.sequence += 100
                case "hang up":
                    return
            yield link_pb2.TransmitResponse(report=report)
            await self.reading.wait()


def assembly_of(receiver: FakeReceiver) -> Assembly:
    name = link_pb2.DESCRIPTOR.services_by_name["Link"].full_name
    return Assembly((Endpoint(name, partial(link_pb2_grpc.add_LinkServicer_to_server, receiver)),))


@asynccontextmanager
async def assemble(settings: FakeReceiverSettings) -> AsyncIterator[Assembly]:  # noqa: ARG001
    yield assembly_of(FakeReceiver())


if __name__ == "__main__":
    sys.exit(serve(load(FakeReceiverSettings, sys.argv[1:]), assemble))
