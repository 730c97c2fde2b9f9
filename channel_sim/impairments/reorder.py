"""Frames that are overtaken."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from channel_sim.channel_model import MOST_STALE, Fate
from channel_sim.impairments.base import FrameImpairment
from channel_sim.randomness import FrameContext


class Reorder(FrameImpairment):
    """In a frame's place a late one arrives, sent 1 to ``depth`` places before, uniformly.

    As with :class:`~channel_sim.impairments.duplicate.Duplicate`, the receiver's places stay in order, and what is in
    them does not.

    Attributes:
        probability: for every frame that has so many before it.
        depth: most places that a frame is late.
    """

    kind: Literal["reorder"] = "reorder"

    probability: float = Field(default=0.05, ge=0.0, le=1.0)
    depth: int = Field(default=3, ge=1, le=MOST_STALE)

    @property
    @override
    def memory(self) -> int:
        return self.depth

    def fate(self, frame: FrameContext) -> Fate:
        generator = frame.generator(self.kind)
        late = generator.random() < self.probability
        return Fate(stale_by=int(generator.integers(1, self.depth + 1)) if late else 0)
