"""Building the transmitter from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from protos import transmitter_pb2
from protos.transmitter_pb2_grpc import add_TransmitterServicer_to_server
from shared.runtime import Assembly, Endpoint
from shared.transport import connect
from transmitter.link import LinkClient
from transmitter.parts import TransmitterParts
from transmitter.service import TransmitterService
from transmitter.settings import TransmitterSettings
from transmitter.workers import Workers


@asynccontextmanager
async def assemble(
    load_parts: Callable[[TransmitterSettings], TransmitterParts], settings: TransmitterSettings
) -> AsyncIterator[Assembly]:
    """The transmitter, ready to be served.

    Args:
        load_parts: makes the semantic blocks from the settings.
        settings: its settings.

    Raises:
        WeightsMissing: if a model is not there.
    """
    parts = load_parts(settings)
    async with connect(settings.target) as channel:
        with ThreadPoolExecutor(settings.workers, "maths") as executor:
            peer = f"the link at {settings.target}"
            link = LinkClient(channel, peer, settings.link, settings.connect_seconds, settings.report_seconds)
            service = TransmitterService(settings, parts, Workers(executor), link)
            name = transmitter_pb2.DESCRIPTOR.services_by_name["Transmitter"].full_name
            register = partial(add_TransmitterServicer_to_server, service)
            yield Assembly(endpoints=(Endpoint(name, register),), drain=(service.drain,))
