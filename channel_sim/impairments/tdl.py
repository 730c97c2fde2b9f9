"""The tapped delay lines of 3GPP TR 38.901, section 7.7.2."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.delay_line import over_paths
from channel_sim.doppler import line_of_sight_gains, scattered_gains
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples

Path = tuple[float, float]
"""Delay in units of the delay spread, and power in dB."""

# Tables 7.7.2-1 to 7.7.2-5. The first path of D and E stands twice: first its line of sight, then its scattering.
PROFILES: Final[Mapping[str, tuple[Path, ...]]] = MappingProxyType(
    {
        "A": (
            (0.0, -13.4), (0.3819, 0.0), (0.4025, -2.2), (0.5868, -4.0), (0.4610, -6.0), (0.5375, -8.2),
            (0.6708, -9.9), (0.5750, -10.5), (0.7618, -7.5), (1.5375, -15.9), (1.8978, -6.6), (2.2242, -16.7),
            (2.1718, -12.4), (2.4942, -15.2), (2.5119, -10.8), (3.0582, -11.3), (4.0810, -12.7), (4.4579, -16.2),
            (4.5695, -18.3), (4.7966, -18.9), (5.0066, -16.6), (5.3043, -19.9), (9.6586, -29.7),
        ),
        "B": (
            (0.0, 0.0), (0.1072, -2.2), (0.2155, -4.0), (0.2095, -3.2), (0.2870, -9.8), (0.2986, -1.2),
            (0.3752, -3.4), (0.5055, -5.2), (0.3681, -7.6), (0.3697, -3.0), (0.5700, -8.9), (0.5283, -9.0),
            (1.1021, -4.8), (1.2756, -5.7), (1.5474, -7.5), (1.7842, -1.9), (2.0169, -7.6), (2.8294, -12.2),
            (3.0219, -9.8), (3.6187, -11.4), (4.1067, -14.9), (4.2790, -9.2), (4.7834, -11.3),
        ),
        "C": (
            (0.0, -4.4), (0.2099, -1.2), (0.2219, -3.5), (0.2329, -5.2), (0.2176, -2.5), (0.6366, 0.0),
            (0.6448, -2.2), (0.6560, -3.9), (0.6584, -7.4), (0.7935, -7.1), (0.8213, -10.7), (0.9336, -11.1),
            (1.2285, -5.1), (1.3083, -6.8), (2.1704, -8.7), (2.7105, -13.2), (4.2589, -13.9), (4.6003, -13.9),
            (5.4902, -15.8), (5.6077, -17.1), (6.3065, -16.0), (6.6374, -15.7), (7.0427, -21.6), (8.6523, -22.8),
        ),
        "D": (
            (0.0, -0.2), (0.0, -13.5), (0.035, -18.8), (0.612, -21.0), (1.363, -22.8), (1.405, -17.9),
            (1.804, -20.1), (2.596, -21.9), (1.775, -22.9), (4.042, -27.8), (7.937, -23.6), (9.424, -24.8),
            (9.708, -30.0), (12.525, -27.7),
        ),
        "E": (
            (0.0, -0.03), (0.0, -22.03), (0.5133, -15.8), (0.5440, -18.1), (0.5630, -19.8), (0.5440, -22.9),
            (0.7112, -22.4), (1.9092, -18.6), (1.9293, -20.8), (1.9589, -22.6), (2.6426, -22.3), (3.7136, -25.6),
            (5.4524, -20.2), (12.0034, -29.8), (20.6519, -29.2),
        ),
    }
)  # fmt: skip

_WITH_LINE_OF_SIGHT = frozenset("DE")


class Tdl(SampleImpairment):
    """TDL-A, B and C (no line of sight), TDL-D and E (line of sight), scaled to sum power 1.

    Every path fades by Rayleigh, but for the line of sight, whose gain keeps its modulus and turns at 0.7 of the
    maximal Doppler shift.

    Attributes:
        profile: ``"A"`` to ``"E"``.
        delay_spread_ns: the root-mean-square spread that the standard's delays are scaled by (its table 7.7.3-1: 10
            very short, 30 short, 100 nominal, 300 long, 1000 very long).
        doppler_hz: as of ``rayleigh``.
    """

    kind: Literal["tdl"] = "tdl"
    stage: ClassVar[Stage] = Stage.PROPAGATION

    profile: Literal["A", "B", "C", "D", "E"] = "A"
    delay_spread_ns: float = Field(default=100.0, ge=0.0, le=1e6)
    doppler_hz: float = Field(default=0.0, ge=0.0, le=1e6)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        paths = PROFILES[self.profile]
        powers = [10.0 ** (power_db / 10.0) for _, power_db in paths]
        gains = []
        for path, power in enumerate(powers):
            lane = f"tdl {path}"
            seen = path == 0 and self.profile in _WITH_LINE_OF_SIGHT
            draw = line_of_sight_gains if seen else scattered_gains
            amplitude = np.float32(math.sqrt(power / sum(powers)))
            gains.append(draw(frame, lane, samples.size, self.doppler_hz) * amplitude)
        spread_samples = self.delay_spread_ns * 1e-9 * frame.sample_rate_hz
        return over_paths(samples, [delay * spread_samples for delay, _ in paths], gains)
