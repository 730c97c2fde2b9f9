"""Mobility presets: how fast a channel changes for somebody on the move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

SPEED_OF_LIGHT_M_S: Final = 299_792_458.0


@dataclass(frozen=True)
class Mobility:
    """Rayleigh fading by Clarke's process for a receiver in motion; a speed means nothing without these two beside it.

    Attributes:
        speed_km_h: of the receiver.
        carrier_hz: of the radio; 3.5 GHz is the middle of the 5G band n78.
        sample_rate_hz: of the link, complex samples per second.
    """

    speed_km_h: float
    carrier_hz: float = 3.5e9
    sample_rate_hz: float = 1e6

    @property
    def doppler_hz(self) -> float:
        """Maximal Doppler shift ``v f_c / c`` (Proakis and Salehi, "Digital Communications", 5th ed., 13.1)."""
        return self.speed_km_h / 3.6 * self.carrier_hz / SPEED_OF_LIGHT_M_S


PRESETS: Final[Mapping[str, Mobility]] = MappingProxyType(
    {"pedestrian": Mobility(3.0), "vehicular-60": Mobility(60.0), "vehicular-120": Mobility(120.0)}
)
"""Presets by name."""
