from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from protos.transmitter_pb2_grpc import TransmitterStub
from receiver.assemble import ReceiverParts
from receiver.assemble import assemble as assemble_receiver
from receiver.settings import ReceiverSettings
from shared.runtime import Service, running
from shared.transport import connect
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import FakeBackend, FakePredictor
from tests.fakes.followup import PhaseFollowUps
from tests.fakes.semantics import FakeEditor, FakeFinder, FakeInverter, FakeParser
from transmitter.assemble import assemble
from transmitter.parts import TransmitterParts
from transmitter.settings import TransmitterSettings


@dataclass
class RunningTransmitter:
    service: Service
    receiver: Service
    inverter: FakeInverter
    stub: TransmitterStub


StartTransmitter = Callable[..., AbstractAsyncContextManager[RunningTransmitter]]


@pytest.fixture
def start_transmitter() -> StartTransmitter:
    """Starts a transmitter of fakes in front of a receiver of fakes, inside the test's event loop."""

    @asynccontextmanager
    async def start(inverter: FakeInverter | None = None, **settings: object) -> AsyncIterator[RunningTransmitter]:
        inverter = inverter or FakeInverter()
        backend, predictor, codec = FakeBackend(), FakePredictor(), PhaseCodec()
        parts = TransmitterParts(
            FakeFinder(), inverter, FakeParser(), predictor, FakeEditor(), codec, PhaseFollowUps(), backend
        )
        receiver_parts = ReceiverParts(codec, PhaseFollowUps(), backend, predictor)
        receiver_settings = ReceiverSettings(port=0, resolution=128, drain_seconds=0.2)
        async with running(receiver_settings, partial(assemble_receiver, lambda _: receiver_parts)) as receiver:
            chosen = {
                "port": 0,
                "target": receiver.address,
                "resolution": 128,
                "refine_steps": 2,
                "drain_seconds": 5.0,
                "connect_seconds": 1.0,
            }
            async with (
                running(TransmitterSettings(**(chosen | settings)), partial(assemble, lambda _: parts)) as service,
                connect(service.address) as channel,
            ):
                yield RunningTransmitter(service, receiver, inverter, TransmitterStub(channel))

    return start
