"""A proxy between a test and a fake receiver, all in one event loop, and a sender to drive it with."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import grpc.aio
import numpy as np

from channel_sim.proxy import LINK_METADATA_KEY, OVERRIDE_METADATA_KEY
from channel_sim.service import assemble
from channel_sim.settings import ChannelSettings
from protos import channel_pb2_grpc, link_pb2, link_pb2_grpc
from shared.grpc_status import errors_of
from shared.phy.cf32 import Samples, from_bytes, to_bytes
from shared.runtime import Assembly, Service, running
from shared.transport import connect
from tests.channel_sim.fake_receiver import FakeReceiver, FakeReceiverSettings, assembly_of


def unit_frame(count: int = 64, seed: int = 1) -> Samples:
    """``(count,)`` random samples of mean power 1."""
    rng = np.random.default_rng(seed)
    frame = (rng.standard_normal(count) + 1j * rng.standard_normal(count)).astype(np.complex64)
    frame /= np.sqrt(np.mean(np.abs(frame) ** 2))
    return frame


class Sender:
    """One stream towards the proxy."""

    def __init__(self, channel: grpc.aio.Channel, stream_id: str, link: str = "", override: str = "") -> None:
        keys = {LINK_METADATA_KEY: link, OVERRIDE_METADATA_KEY: override}
        metadata = tuple((key, value) for key, value in keys.items() if value)
        self.call: Any = link_pb2_grpc.LinkStub(channel).Transmit(metadata=metadata)
        self.stream_id = stream_id
        self.sent = 0

    async def open(self) -> link_pb2.StreamAccepted:
        await self._write(link_pb2.TransmitRequest(open=link_pb2.StreamOpen(stream_id=self.stream_id)))
        return (await self._response()).accepted

    async def send(self, samples: Samples, sequence: int | None = None, **fields: Any) -> None:
        self.sent = self.sent + 1 if sequence is None else sequence
        frame = {"sequence": self.sent, "sample_count": samples.size, "samples": to_bytes(samples), **fields}
        await self._write(link_pb2.TransmitRequest(frame=link_pb2.Frame(**frame)))

    async def report(self) -> link_pb2.FrameReport:
        return (await self._response()).report

    async def _write(self, request: link_pb2.TransmitRequest) -> None:
        # The call may be over already: its status is what the next read tells.
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self.call.write(request)

    async def _response(self) -> link_pb2.TransmitResponse:
        with errors_of("the proxy"):
            response = await self.call.read()
        assert isinstance(response, link_pb2.TransmitResponse), "the stream ended without a report"
        return response

    async def exchange(self, samples: Samples, **fields: Any) -> link_pb2.FrameReport:
        await self.send(samples, **fields)
        return await self.report()


@dataclass
class Bench:
    """What a test holds on to."""

    receiver: FakeReceiver
    receiver_service: Service
    proxy: Service
    channel: grpc.aio.Channel

    @property
    def control(self) -> Any:
        return channel_pb2_grpc.ChannelControlStub(self.channel)

    async def sender(self, stream_id: str = "s", link: str = "", override: str = "") -> Sender:
        sender = Sender(self.channel, stream_id, link, override)
        await sender.open()
        return sender

    def received(self, stream_id: str = "s") -> list[Samples]:
        return [from_bytes(frame.samples, frame.sample_count) for frame in self.receiver.frames[stream_id]]


@asynccontextmanager
async def bench(**settings: Any) -> AsyncIterator[Bench]:
    receiver = FakeReceiver()

    @asynccontextmanager
    async def receiver_parts(_: FakeReceiverSettings) -> AsyncIterator[Assembly]:
        yield assembly_of(receiver)

    async with running(FakeReceiverSettings(drain_seconds=0.0), receiver_parts) as receiver_service:
        quick = {"port": 0, "target": receiver_service.address, "drain_seconds": 2.0, "connect_seconds": 20.0}
        async with (
            running(ChannelSettings(**{**quick, **settings}), assemble) as proxy,
            connect(proxy.address) as channel,
        ):
            yield Bench(receiver, receiver_service, proxy, channel)


async def received_of(frames: Sequence[Samples], stream_id: str = "s", **settings: Any) -> list[Samples]:
    """What comes out of a fresh proxy for these frames, sent one after the other."""
    async with bench(**settings) as parts:
        sender = await parts.sender(stream_id)
        for frame in frames:
            await sender.exchange(frame)
        return parts.received(stream_id)
