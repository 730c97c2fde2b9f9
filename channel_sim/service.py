"""The channel proxy as a service: ``deepsc.v1.Link`` and ``deepsc.v1.ChannelControl`` on one port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import structlog

from channel_sim.control import ControlServicer
from channel_sim.links import Links
from channel_sim.observer import Observers, StreamObserver
from channel_sim.proxy import LinkProxy
from channel_sim.recorders import Recorders
from channel_sim.relay import Limits
from channel_sim.settings import ChannelSettings
from protos import channel_pb2, channel_pb2_grpc, link_pb2, link_pb2_grpc
from shared.runtime import Assembly, Endpoint
from shared.transport import connect

_log = structlog.get_logger()


@asynccontextmanager
async def assemble(settings: ChannelSettings) -> AsyncIterator[Assembly]:
    """Builds the proxy; its connection to the receiver is open as long as the block.

    Raises:
        InvalidInput: if the settings describe no link.
    """
    links = Links(settings.links_at_start(), settings.max_links)
    limits = Limits(settings.credits, settings.max_samples, settings.connect_seconds, settings.strict)
    recorders = Recorders()
    async with connect(settings.target, settings.max_message_bytes) as downstream:
        with _metrics(settings) as metrics:
            proxy = LinkProxy(
                links,
                downstream,
                f"the receiver at {settings.target}",
                limits,
                max_streams=settings.max_streams,
                allow_overrides=settings.allow_overrides,
                observer=Observers([recorders, metrics]),
            )

            async def drain() -> None:
                await proxy.drain()
                # Recordings see the last frames of the streams before they end.
                recorders.close()

            link_name = link_pb2.DESCRIPTOR.services_by_name["Link"].full_name
            control_name = channel_pb2.DESCRIPTOR.services_by_name["ChannelControl"].full_name
            add_control = channel_pb2_grpc.add_ChannelControlServicer_to_server
            yield Assembly(
                endpoints=(
                    Endpoint(link_name, partial(link_pb2_grpc.add_LinkServicer_to_server, proxy)),
                    Endpoint(control_name, partial(add_control, ControlServicer(links, recorders))),
                ),
                drain=(drain,),
            )


@contextmanager
def _metrics(settings: ChannelSettings) -> Iterator[StreamObserver]:
    """Metrics that are served for the length of the block, or nobody where no port is given."""
    if settings.metrics_port is None:
        yield StreamObserver()
        return
    from channel_sim.metrics import Metrics, exposed

    metrics = Metrics()
    with exposed(metrics, settings.host, settings.metrics_port) as port:
        _log.info("metrics", address=f"http://{settings.host}:{port}/metrics")
        yield metrics
