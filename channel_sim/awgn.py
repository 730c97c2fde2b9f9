"""Additive white Gaussian noise: the one model that every link has, at one SNR or along a trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from channel_sim.channel_model import Stage
from channel_sim.randomness import FrameContext, complex_normal
from channel_sim.snr_trace import SnrTrace
from shared.phy.cf32 import Samples


@dataclass(frozen=True)
class Awgn:
    """``y = x + n`` with ``n ~ CN(0, N0)``, N0/2 per real dimension, ``N0 = 10^(-snr_db / 10)``.

    ``snr_db`` is Es/N0 for the unit mean power that a frame has by convention, and at unit mean channel gain: the noise
    floor stays where it is when fading takes the signal down or a sender strays from unit power, as at a real antenna.

    Attributes:
        snr_db: declared Es/N0 per complex sample.
    """

    snr_db: float

    @property
    def stage(self) -> Stage:
        return Stage.NOISE

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        noise = complex_normal(frame.generator("awgn"), samples.size)
        noise *= np.float32(10.0 ** (-self.snr_db / 20.0))
        noise += samples
        return noise


@dataclass(frozen=True)
class TracedAwgn:
    """The same with an SNR that depends on the frame's number; at an equal SNR the noise is that of :class:`Awgn`.

    Attributes:
        trace: declared Es/N0 by frame number.
    """

    trace: SnrTrace

    @property
    def stage(self) -> Stage:
        return Stage.NOISE

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        return Awgn(self.trace.at(frame.sequence)).apply(samples, frame)
