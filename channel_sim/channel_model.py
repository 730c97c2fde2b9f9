"""The seams of what a link does: to the samples of a frame, and to a frame as a whole; and the order of it all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Stage(IntEnum):
    """Where a model stands on the way of a sample; a link applies its models in this order."""

    #: The sender's power amplifier.
    AMPLIFIER = 1
    #: Between the antennas: what the signal's gain is measured over.
    PROPAGATION = 2
    #: Other people's signals at the receiver's antenna.
    INTERFERENCE = 3
    #: Thermal noise at the receiver's input: what the realised SNR is measured over.
    NOISE = 4
    #: The receiver's local oscillator.
    OSCILLATOR = 5
    #: Its quadrature mixer.
    MIXER = 6
    #: Its sampling clock.
    SAMPLING = 7
    #: Its analog-to-digital converter.
    ADC = 8
    #: What happens to whole frames.
    LINK = 9


class ChannelModel(Protocol):
    """One effect on samples. It is pure: equal samples, context and parameters give bit-identical samples."""

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


@dataclass(frozen=True)
class Fate:
    """What happens to a frame as a whole.

    Attributes:
        lost: it does not arrive.
        delay_ms: how much later than without the effect it arrives.
        stale_by: what arrives in its place is the frame that was sent so many places before; 0: itself.
    """

    lost: bool = False
    delay_ms: float = 0.0
    stale_by: int = 0


#: No effect brings back a frame that was sent longer ago: what a stream keeps of its past.
MOST_STALE = 8


class LinkEffect(Protocol):
    """One effect on whole frames; pure as well."""

    @property
    def memory(self) -> int:
        """How many frames back it may reach."""
        ...

    def fate(self, frame: FrameContext) -> Fate:
        """Decides what becomes of a frame."""
        ...
