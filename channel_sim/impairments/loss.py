"""Frames lost one by one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from channel_sim.channel_model import Fate
from channel_sim.impairments.base import FrameImpairment
from channel_sim.randomness import FrameContext


class Loss(FrameImpairment):
    """Every frame is lost with the same probability, independent of the others.

    Attributes:
        probability: of losing a frame.
    """

    kind: Literal["loss"] = "loss"

    probability: float = Field(default=0.1, ge=0.0, le=1.0)

    def fate(self, frame: FrameContext) -> Fate:
        return Fate(lost=bool(frame.generator(self.kind).random() < self.probability))
