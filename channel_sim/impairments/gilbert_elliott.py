"""Frames lost in bursts."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from channel_sim.channel_model import Fate
from channel_sim.impairments.base import FrameImpairment
from channel_sim.randomness import FrameContext

# Frames whose uniform numbers are drawn together.
_BLOCK = 256


class GilbertElliott(FrameImpairment):
    """A Markov chain of a good and a bad state, one step per sequence number, each state with its own loss.

    Gilbert (Bell Syst. Tech. J. 39, 1960) and Elliott (Bell Syst. Tech. J. 42, 1963). In the long run a fraction
    ``to_bad / (to_bad + to_good)`` of the frames falls into the bad state, in bursts of mean length ``1 / to_good``.

    Attributes:
        to_bad: probability of going from good to bad before a frame.
        to_good: probability of going from bad to good before a frame.
        loss_good: probability that a frame in the good state is lost.
        loss_bad: the same in the bad state.
    """

    kind: Literal["gilbert_elliott"] = "gilbert_elliott"

    to_bad: float = Field(default=0.05, ge=0.0, le=1.0)
    to_good: float = Field(default=0.3, ge=0.0, le=1.0)
    loss_good: float = Field(default=0.0, ge=0.0, le=1.0)
    loss_bad: float = Field(default=1.0, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _states_are_left(self) -> GilbertElliott:
        if self.to_bad + self.to_good < 1e-3:
            raise ValueError("to_bad + to_good is at least 0.001, or the state would hardly ever change")
        return self

    def fate(self, frame: FrameContext) -> Fate:
        loss = self.loss_bad if self._is_bad(frame) else self.loss_good
        return Fate(lost=bool(frame.generator(self.kind).random() < loss))

    def _is_bad(self, frame: FrameContext) -> bool:
        """The state at a frame without walking there from the first: by coupling from the past.

        One uniform number u per step moves the chain: from good to bad below to_bad, from bad to bad below 1 - to_good.
        A u below both leads to bad from either state, one above both to good; the latest such u decides, and those
        since all kept the state, or all turned it (Propp and Wilson, Random Structures and Algorithms 9, 1996).
        """
        thresholds = (self.to_bad, 1.0 - self.to_good)
        below, above = min(thresholds), max(thresholds)
        turns = self.to_bad > 1.0 - self.to_good
        since = 0
        last = frame.sequence
        for block in range(last // _BLOCK, -1, -1):
            u = frame.stream_generator(self.kind, block).random(_BLOCK)[: last - block * _BLOCK + 1]
            deciding = np.flatnonzero((u < below) | (u >= above))
            if deciding.size:
                since += u.size - 1 - int(deciding[-1])
                return bool(u[deciding[-1]] < below) ^ (turns and since % 2 == 1)
            since += u.size
            last = block * _BLOCK - 1
        # Before the first frame: the long run.
        start = frame.stream_generator(f"{self.kind} start").random() < self.to_bad / (self.to_bad + self.to_good)
        return bool(start) ^ (turns and since % 2 == 1)
