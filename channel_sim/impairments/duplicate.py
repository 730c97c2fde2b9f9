"""Frames that arrive twice."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from channel_sim.channel_model import Fate
from channel_sim.impairments.base import FrameImpairment
from channel_sim.randomness import FrameContext


class Duplicate(FrameImpairment):
    """In a frame's place the one before arrives once more, and crowds it out.

    A receiver counts places: it is given one frame for each, in order. Only the protected header inside the samples
    tells that this is an old frame; one that does not look shows an old picture under a new number.

    Attributes:
        probability: for every frame but a stream's first.
    """

    kind: Literal["duplicate"] = "duplicate"

    probability: float = Field(default=0.05, ge=0.0, le=1.0)

    @property
    @override
    def memory(self) -> int:
        return 1

    def fate(self, frame: FrameContext) -> Fate:
        return Fate(stale_by=int(frame.generator(self.kind).random() < self.probability))
