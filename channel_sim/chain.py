"""Models in their physical order, and the truth about what they did to a frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from channel_sim.channel_model import ChannelModel, Stage
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


@dataclass(frozen=True)
class Passage:
    """A frame behind the channel, and what was measured on the way; powers are means over the frame, linear.

    Attributes:
        samples: what the receiver gets, shape ``(n,)``.
        gain: signal power behind the propagation models over that before them: the frame's ``|h|^2``.
        signal_power: of the signal where the noise is added.
        noise_power: of what was added there.
    """

    samples: Samples
    gain: float
    signal_power: float
    noise_power: float

    @property
    def gain_db(self) -> float:
        return to_db(self.gain)

    @property
    def snr_db_realised(self) -> float:
        """Es/N0 that this very frame got, in dB."""
        return to_db(self.signal_power) - to_db(self.noise_power)


class Chain:
    """Composes models: sender's parts, propagation, noise, receiver's parts; those of one stage in the order given.

    Example:
        >>> chain = Chain([Awgn(snr_db=6.0), Rayleigh()])
        >>> chain.models
        (Rayleigh(kind='rayleigh'), Awgn(snr_db=6.0))
    """

    def __init__(self, models: Iterable[ChannelModel]) -> None:
        self.models: Sequence[ChannelModel] = tuple(sorted(models, key=lambda model: model.stage))

    def pass_through(self, samples: Samples, frame: FrameContext) -> Passage:
        """Sends one frame of shape ``(n,)`` through all models."""
        sent = self._stage(Stage.TRANSMITTER, samples, frame)
        faded = self._stage(Stage.PROPAGATION, sent, frame)
        noisy = self._stage(Stage.NOISE, faded, frame)
        received = self._stage(Stage.RECEIVER, noisy, frame)
        signal_power = mean_power(faded)
        return Passage(
            samples=received,
            gain=signal_power / max(mean_power(sent), _SILENCE),
            signal_power=signal_power,
            noise_power=mean_power(noisy - faded),
        )

    def _stage(self, stage: Stage, samples: Samples, frame: FrameContext) -> Samples:
        for model in self.models:
            if model.stage is stage:
                samples = model.apply(samples, frame)
        return samples


# -300 dB: keeps the logarithm of an all-zero frame finite.
_SILENCE = 1e-30


def mean_power(samples: Samples) -> float:
    """Mean of ``|x|^2`` over a frame, linear."""
    return float(np.vdot(samples, samples).real) / samples.size


def to_db(power: float) -> float:
    """``10 log10`` of a power ratio, with a floor of -300 dB."""
    return 10.0 * math.log10(max(power, _SILENCE))
