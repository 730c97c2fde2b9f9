"""The channel proxy as a service: ``deepsc.v1.Link`` and ``deepsc.v1.ChannelControl`` on one port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from channel_sim.control import ControlServicer
from channel_sim.links import Links
from channel_sim.proxy import LinkProxy
from channel_sim.relay import Limits
from channel_sim.settings import ChannelSettings
from protos import channel_pb2, channel_pb2_grpc, link_pb2, link_pb2_grpc
from shared.runtime import Assembly, Endpoint
from shared.transport import connect


@asynccontextmanager
async def assemble(settings: ChannelSettings) -> AsyncIterator[Assembly]:
    """Builds the proxy; its connection to the receiver is open as long as the block.

    Raises:
        InvalidInput: if the settings describe no link.
    """
    links = Links(settings.links_at_start())
    limits = Limits(settings.credits, settings.max_samples, settings.connect_seconds, settings.strict)
    async with connect(settings.target, settings.max_message_bytes) as downstream:
        proxy = LinkProxy(links, downstream, f"the receiver at {settings.target}", limits, settings.max_streams)
        link_name = link_pb2.DESCRIPTOR.services_by_name["Link"].full_name
        control_name = channel_pb2.DESCRIPTOR.services_by_name["ChannelControl"].full_name
        add_control = channel_pb2_grpc.add_ChannelControlServicer_to_server
        yield Assembly(
            endpoints=(
                Endpoint(link_name, partial(link_pb2_grpc.add_LinkServicer_to_server, proxy)),
                Endpoint(control_name, partial(add_control, ControlServicer(links))),
            ),
            drain=(proxy.drain,),
        )
