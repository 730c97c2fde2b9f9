"""Models in their physical order, and the truth about what they did to a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from channel_sim.channel_model import ChannelModel, Fate, LinkEffect, Stage
from channel_sim.power import SILENCE, mean_power, to_db
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples

Each = TypeVar("Each")


@dataclass(frozen=True)
class Passage:
    """A frame behind the channel, and what was measured on the way; powers are means over the frame, linear.

    Attributes:
        samples: what the receiver gets, shape ``(n,)``.
        gain: signal power behind the propagation models over that before them: the frame's ``|h|^2``.
        signal_power: of the signal behind the propagation models.
        interference_power: of what the interference models added to it.
        noise_power: of the thermal noise that was added then.
    """

    samples: Samples
    gain: float
    signal_power: float
    interference_power: float
    noise_power: float

    @property
    def gain_db(self) -> float:
        return to_db(self.gain)

    @property
    def snr_db_realised(self) -> float:
        """Es/N0 that this very frame got, in dB; interference is no part of it."""
        return to_db(self.signal_power) - to_db(self.noise_power)

    @property
    def sir_db_realised(self) -> float | None:
        """Signal over interference that this very frame got, in dB; None where nothing interfered."""
        return to_db(self.signal_power) - to_db(self.interference_power) if self.interference_power else None


class Chain:
    """Composes models in the order of their stages; those of one stage act in the order given.

    Two models of one kind draw different random numbers.

    Args:
        models: what acts on samples.
        effects: what acts on whole frames.

    Example:
        >>> Chain([Awgn(snr_db=6.0), Rayleigh()]).models
        (Rayleigh(kind='rayleigh', doppler_hz=0.0), Awgn(snr_db=6.0))
    """

    def __init__(self, models: Iterable[ChannelModel], effects: Iterable[LinkEffect] = ()) -> None:
        self.models: Sequence[ChannelModel] = tuple(sorted(models, key=lambda model: model.stage))
        self.effects: Sequence[LinkEffect] = tuple(effects)

    @property
    def memory(self) -> int:
        """How many frames back the effects may reach."""
        return max((effect.memory for effect in self.effects), default=0)

    def fate(self, frame: FrameContext) -> Fate:
        """What becomes of a frame as a whole: lost if any effect loses it, delayed by all, as stale as any makes it."""
        fates = [effect.fate(context) for effect, context in _told_apart(self.effects, frame)]
        return Fate(
            lost=any(fate.lost for fate in fates),
            delay_ms=sum(fate.delay_ms for fate in fates),
            stale_by=max((fate.stale_by for fate in fates), default=0),
        )

    def pass_through(self, samples: Samples, frame: FrameContext) -> Passage:
        """Sends one frame of shape ``(n,)`` through all models."""
        behind = {Stage.AMPLIFIER: samples}
        for model, context in _told_apart(self.models, frame):
            samples = model.apply(samples, context)
            behind[model.stage] = samples
        sent = behind[Stage.AMPLIFIER]
        faded = behind.get(Stage.PROPAGATION, sent)
        disturbed = behind.get(Stage.INTERFERENCE, faded)
        noisy = behind.get(Stage.NOISE, disturbed)
        signal_power = mean_power(faded)
        return Passage(
            samples=samples,
            gain=signal_power / max(mean_power(sent), SILENCE),
            signal_power=signal_power,
            interference_power=0.0 if disturbed is faded else mean_power(disturbed - faded),
            noise_power=0.0 if noisy is disturbed else mean_power(noisy - disturbed),
        )


def _told_apart(each_of: Sequence[Each], frame: FrameContext) -> Iterator[tuple[Each, FrameContext]]:
    """Every model with the frame's context, changed for the second of a kind so that it draws numbers of its own."""
    seen: Counter[type] = Counter()
    for each in each_of:
        yield each, replace(frame, occurrence=seen[type(each)]) if seen[type(each)] else frame
        seen[type(each)] += 1
