"""Frames that take their time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from channel_sim.channel_model import Fate
from channel_sim.impairments.base import FrameImpairment
from channel_sim.randomness import FrameContext


class Delay(FrameImpairment):
    """A fixed delay and a uniform one on top. Frames keep their order: one never overtakes another.

    Attributes:
        delay_ms: of every frame.
        jitter_ms: most that is added, uniform from 0.
    """

    kind: Literal["delay"] = "delay"

    delay_ms: float = Field(default=20.0, ge=0.0, le=60_000.0)
    jitter_ms: float = Field(default=0.0, ge=0.0, le=60_000.0)

    def fate(self, frame: FrameContext) -> Fate:
        return Fate(delay_ms=self.delay_ms + self.jitter_ms * float(frame.generator(self.kind).random()))
