"""``deepsc.v1.ChannelControl``: reads and changes the links of a running proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import numpy as np
import structlog
from typing_extensions import override

from channel_sim.config import checked_config
from channel_sim.links import Links, NamedLink
from channel_sim.messages import config_fields, link_name, state_message, stats_message
from channel_sim.recorders import Recorders
from protos import channel_pb2, channel_pb2_grpc
from shared.errors import InvalidInput, StaleVersion

_log = structlog.get_logger()


class ControlServicer(channel_pb2_grpc.ChannelControlServicer):
    """Each call checks everything first and changes things after, so that it does all or nothing."""

    def __init__(self, links: Links, recorders: Recorders) -> None:
        self._links = links
        self._recorders = recorders

    @override
    async def ListLinks(self, request: channel_pb2.ListLinksRequest, context: Any) -> channel_pb2.ListLinksResponse:
        return self._states(self._links.all())

    @override
    async def GetLink(self, request: channel_pb2.GetLinkRequest, context: Any) -> channel_pb2.LinkState:
        link = self._links[request.link]
        return state_message(link, link.setting_of(request.version) if request.HasField("version") else link.setting)

    @override
    async def SetLink(self, request: channel_pb2.SetLinkRequest, context: Any) -> channel_pb2.LinkState:
        link = self._links[request.link]
        version = link.setting.version
        if request.HasField("expected_version") and request.expected_version != version:
            raise StaleVersion(
                f"link {link.name!r} is at version {version}, not {request.expected_version}: get it again first"
            )
        shorthands = {name: getattr(request, name) for name in ("fading", "preset") if request.HasField(name)}
        config = link.setting.config.overlaid({**config_fields(request), **shorthands})
        link.change(config)
        # A trace is up to thousands of rows, which are no line of a log.
        plain = config.model_dump(mode="json", exclude={"snr_trace": {"frames", "snr_db"}})
        _log.info("link set", link=link.name, version=link.setting.version, config=plain)
        return state_message(link, link.setting)

    @override
    async def Populate(self, request: channel_pb2.PopulateRequest, context: Any) -> channel_pb2.ListLinksResponse:
        configs = {link_name(each): checked_config(config_fields(each)) for each in request.links}
        if len(configs) < len(request.links):
            raise InvalidInput("a link is named twice in one populate; name each once")
        self._links.populate(configs)
        _log.info("links populated", links=list(configs))
        return self._states(self._links[name] for name in sorted(configs))

    @override
    async def ResetLinks(self, request: channel_pb2.ResetLinksRequest, context: Any) -> channel_pb2.ListLinksResponse:
        links = [self._links[request.link]] if request.link else self._links.all()
        for link in links:
            link.reset()
        _log.info("links reset", links=[link.name for link in links])
        return self._states(links)

    @override
    async def GetStats(self, request: channel_pb2.GetStatsRequest, context: Any) -> channel_pb2.LinkStats:
        return stats_message(self._links[request.link])

    @override
    async def Record(self, request: channel_pb2.RecordRequest, context: Any) -> AsyncIterator[channel_pb2.RecordEvent]:
        if request.link:
            # A name that is not there is an error now, rather than a recording of nothing.
            _ = self._links[request.link]
        if not (request.sent or request.delivered):
            raise InvalidInput("a recording holds samples as sent, as delivered, or both: ask for some")
        with self._recorders.attached(request) as recorder:
            yield channel_pb2.RecordEvent(started=channel_pb2.RecordStarted(generator=f"numpy {np.__version__}"))
            async for frame in recorder:
                yield channel_pb2.RecordEvent(frame=frame)

    @staticmethod
    def _states(links: Iterable[NamedLink]) -> channel_pb2.ListLinksResponse:
        return channel_pb2.ListLinksResponse(links=[state_message(link, link.setting) for link in links])
