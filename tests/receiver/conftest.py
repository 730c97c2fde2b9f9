from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc.aio
import pytest

from protos.link_pb2_grpc import LinkStub
from protos.receiver_pb2_grpc import ReceiverStub
from receiver.assemble import ReceiverParts, assemble
from receiver.settings import ReceiverSettings
from shared.runtime import Service, running
from shared.transport import connect
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import FakeBackend, FakePredictor
from tests.fakes.followup import PhaseFollowUps


@dataclass
class RunningReceiver:
    service: Service
    channel: grpc.aio.Channel
    backend: FakeBackend
    link: LinkStub
    faces: ReceiverStub


StartReceiver = Callable[..., AbstractAsyncContextManager[RunningReceiver]]


@pytest.fixture
def start_receiver() -> StartReceiver:
    """Starts a receiver of fakes inside the test's event loop."""

    @asynccontextmanager
    async def start(backend: FakeBackend | None = None, **settings: object) -> AsyncIterator[RunningReceiver]:
        backend = backend or FakeBackend()
        parts = ReceiverParts(PhaseCodec(), PhaseFollowUps(), backend, FakePredictor())
        chosen = ReceiverSettings(**({"port": 0, "resolution": 128, "drain_seconds": 5.0} | settings))
        async with (
            running(chosen, partial(assemble, lambda _: parts)) as service,
            connect(service.address) as channel,
        ):
            yield RunningReceiver(service, channel, backend, LinkStub(channel), ReceiverStub(channel))

    return start
