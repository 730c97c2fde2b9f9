"""The seam for whoever looks on: metrics and recordings, told of every stream and frame."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import override

from channel_sim.stream import Admitted, Carried
from protos import link_pb2


class StreamObserver:
    """One that is told of nothing; a subclass overrides what it wants to hear.

    Told in the event loop, so each method is quick and raises nothing.
    """

    def opened(self, link: str) -> None:
        """A stream over the link began."""

    def carried(self, admitted: Admitted, carried: Carried) -> None:
        """The link did to a frame what it does."""

    def delivered(self, link: str, added_s: float) -> None:
        """A frame goes to the receiver, ``added_s`` seconds after it came, the delay that was asked for taken off."""

    def reported(self, report: link_pb2.FrameReport) -> None:
        """A frame's report, truth included, goes to the sender."""

    def ended(self, link: str) -> None:
        """A stream over the link ended."""


class Observers(StreamObserver):
    """Several observers as one."""

    def __init__(self, each: Iterable[StreamObserver]) -> None:
        self._each = tuple(each)

    @override
    def opened(self, link: str) -> None:
        for each in self._each:
            each.opened(link)

    @override
    def carried(self, admitted: Admitted, carried: Carried) -> None:
        for each in self._each:
            each.carried(admitted, carried)

    @override
    def delivered(self, link: str, added_s: float) -> None:
        for each in self._each:
            each.delivered(link, added_s)

    @override
    def reported(self, report: link_pb2.FrameReport) -> None:
        for each in self._each:
            each.reported(report)

    @override
    def ended(self, link: str) -> None:
        for each in self._each:
            each.ended(link)
