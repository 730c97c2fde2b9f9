"""``deepsc.v1.ChannelControl``: reads and changes the links of a running proxy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from typing_extensions import override

from channel_sim.config import checked_config
from channel_sim.links import Links, NamedLink, StaleVersion
from channel_sim.messages import config_fields, link_name, state_message, stats_message
from protos import channel_pb2, channel_pb2_grpc
from shared.errors import InvalidInput

_log = structlog.get_logger()


class ControlServicer(channel_pb2_grpc.ChannelControlServicer):
    """Each call checks everything first and changes things after, so that it does all or nothing."""

    def __init__(self, links: Links) -> None:
        self._links = links

    @override
    async def ListLinks(self, request: channel_pb2.ListLinksRequest, context: Any) -> channel_pb2.ListLinksResponse:
        return self._states(self._links.all())

    @override
    async def GetLink(self, request: channel_pb2.GetLinkRequest, context: Any) -> channel_pb2.LinkState:
        return state_message(self._links[request.link])

    @override
    async def SetLink(self, request: channel_pb2.SetLinkRequest, context: Any) -> channel_pb2.LinkState:
        link = self._links[request.link]
        version = link.setting.version
        if request.HasField("expected_version") and request.expected_version != version:
            raise StaleVersion(
                f"link {link.name!r} is at version {version}, not {request.expected_version}: get it again first"
            )
        if sum(request.HasField(name) for name in ("fading", "preset", "impairments")) > 1:
            raise InvalidInput("set either fading or preset, the shorthands, or impairments, the whole list")
        if request.HasField("preset") and request.HasField("sample_rate_hz"):
            raise InvalidInput("a preset brings its sample_rate_hz along: leave that out, or set it afterwards")
        if request.HasField("snr_db") and request.HasField("snr_trace"):
            raise InvalidInput("set either snr_db, one value for all frames, or snr_trace, a course over them")
        config = link.setting.config.changed(**config_fields(request))
        if request.HasField("fading"):
            config = config.with_fading(request.fading)
        if request.HasField("preset"):
            config = config.with_preset(request.preset)
        link.change(config)
        # A trace is up to thousands of rows, which are no line of a log.
        plain = config.model_dump(mode="json", exclude={"snr_trace": {"frames", "snr_db"}})
        _log.info("link set", link=link.name, version=link.setting.version, config=plain)
        return state_message(link)

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

    @staticmethod
    def _states(links: Iterable[NamedLink]) -> channel_pb2.ListLinksResponse:
        return channel_pb2.ListLinksResponse(links=[state_message(link) for link in links])
