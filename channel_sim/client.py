"""The control service from Python: get, set, reset, statistics, and a setting that holds for the length of a block."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from channel_sim.config import DEFAULT_LINK, checked_config
from channel_sim.messages import impairments_message, trace_message
from channel_sim.snr_trace import SnrTrace
from protos import channel_pb2, channel_pb2_grpc
from shared.grpc_status import errors_of
from shared.transport import connect


class ChannelClient:
    """Drives the links of one proxy; ask :func:`channel_client` for one.

    Every method raises the :class:`~shared.errors.DeepscError` that the proxy answers with, and ``LinkLost`` where it
    does not answer.
    """

    def __init__(self, stub: channel_pb2_grpc.ChannelControlAsyncStub, peer: str) -> None:
        self._stub = stub
        self._peer = peer

    async def links(self) -> list[channel_pb2.LinkState]:
        """All links, in order of their names."""
        with errors_of(self._peer):
            return list((await self._stub.ListLinks(channel_pb2.ListLinksRequest())).links)

    async def get(self, link: str = DEFAULT_LINK, version: int | None = None) -> channel_pb2.LinkState:
        """Configuration and version of a link; of an earlier version, if one of the latest 32 is named."""
        with errors_of(self._peer):
            return await self._stub.GetLink(channel_pb2.GetLinkRequest(link=link, version=version))

    async def set(
        self,
        link: str = DEFAULT_LINK,
        *,
        snr_db: float | None = None,
        seed: int | None = None,
        fading: str | None = None,
        preset: str | None = None,
        sample_rate_hz: float | None = None,
        frame_gap_ms: float | None = None,
        impairments: Iterable[Mapping[str, Any]] | None = None,
        snr_trace: SnrTrace | None = None,
        expected_version: int | None = None,
    ) -> channel_pb2.LinkState:
        """Changes what is given, from the next frame on; all of it, or nothing if a value is bad.

        Args:
            link: name of the link.
            snr_db: Es/N0 per complex sample at unit mean gain; ends a trace.
            seed: of the counter-based generator.
            fading: ``"none"`` or the kind of a propagation impairment, in place of all there are.
            preset: name of a mobility preset; not with ``fading``, ``impairments`` or ``sample_rate_hz``.
            sample_rate_hz: complex samples per second.
            frame_gap_ms: silence between two frames, in the stream's own time.
            impairments: the whole list, each as ``{"kind": name, parameter: value, ...}``; not with ``fading``.
            snr_trace: SNR by frame number; not with ``snr_db``.
            expected_version: refuses the change unless the link is at this version.
        """
        given = {"snr_db": snr_db, "seed": seed, "sample_rate_hz": sample_rate_hz, "frame_gap_ms": frame_gap_ms}
        fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        listed = {} if impairments is None else {"impairments": list(impairments)}
        # Checked here too: a protobuf message cannot even hold a negative seed or a parameter that does not exist.
        wanted = checked_config({**fields, **listed})
        request = channel_pb2.SetLinkRequest(
            link=link, fading=fading, preset=preset, expected_version=expected_version, **fields
        )
        if impairments is not None:
            request.impairments.CopyFrom(impairments_message(wanted.impairments))
        if snr_trace is not None:
            request.snr_trace.CopyFrom(trace_message(snr_trace))
        with errors_of(self._peer):
            return await self._stub.SetLink(request)

    async def reset(self, link: str = "") -> list[channel_pb2.LinkState]:
        """Back to the configuration of creation, counters to zero: one link, or all with the empty name."""
        with errors_of(self._peer):
            return list((await self._stub.ResetLinks(channel_pb2.ResetLinksRequest(link=link))).links)

    async def stats(self, link: str = DEFAULT_LINK) -> channel_pb2.LinkStats:
        """Counters of a link since its creation or reset."""
        with errors_of(self._peer):
            return await self._stub.GetStats(channel_pb2.GetStatsRequest(link=link))

    async def populate(self, configs: Iterable[channel_pb2.LinkConfig]) -> list[channel_pb2.LinkState]:
        """Creates or changes links; one that is already so keeps its version."""
        with errors_of(self._peer):
            return list((await self._stub.Populate(channel_pb2.PopulateRequest(links=configs))).links)

    async def record(
        self, link: str = "", stream_id: str = "", *, sent: bool = False, delivered: bool = True
    ) -> AsyncGenerator[channel_pb2.RecordEvent, None]:
        """Frames as they pass, behind one event that says the recording has begun; ends when the proxy stops.

        Args:
            link: name of the link; all with the empty name.
            stream_id: of the stream; all with the empty one.
            sent: bring samples as they came from the sender.
            delivered: bring samples as they went to the receiver.
        """
        request = channel_pb2.RecordRequest(link=link, stream_id=stream_id, sent=sent, delivered=delivered)
        call = self._stub.Record(request)
        try:
            with errors_of(self._peer):
                async for event in call:
                    yield event
        finally:
            call.cancel()

    @asynccontextmanager
    async def applied(self, link: str = DEFAULT_LINK, **changes: Any) -> AsyncIterator[channel_pb2.LinkState]:
        """A :meth:`set` that holds inside the block; afterwards the link is as it was before.

        Example::

            async with client.applied(snr_db=-5.0, fading="rayleigh"):
                await measure()
        """
        before = (await self.get(link)).config
        state = await self.set(link, **changes)
        try:
            yield state
        finally:
            await self.populate([before])


@asynccontextmanager
async def channel_client(target: str) -> AsyncIterator[ChannelClient]:
    """Connects to the proxy at ``host:port``."""
    async with connect(target) as channel:
        yield ChannelClient(channel_pb2_grpc.ChannelControlStub(channel), f"the channel at {target}")
