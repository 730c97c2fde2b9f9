"""The seam of everything that acts on the samples of a frame, and the order in which it acts."""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Stage(IntEnum):
    """Where a model stands on the way of a sample; a link applies its models in this order."""

    #: The sender's analog parts: before the antenna.
    TRANSMITTER = 1
    #: Between the antennas: what the signal's gain is measured over.
    PROPAGATION = 2
    #: What adds to the signal at the receiver's input: what the realised SNR is measured over.
    NOISE = 3
    #: The receiver's analog parts: behind the noise.
    RECEIVER = 4


class ChannelModel(Protocol):
    """One effect. It is pure: equal samples, context and parameters give bit-identical samples."""

    @property
    def stage(self) -> Stage:
        """Where it acts."""
        ...

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        """Returns new samples of the same shape ``(n,)``; ``samples`` itself is left as it is.

        Args:
            samples: one frame, float32 complex baseband; mean power 1 where it enters the link.
            frame: where the frame is, and its random generators.
        """
        ...
