"""All impairments by name. Adding one is adding its file, its line here and its message in ``protos/channel.proto``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from channel_sim.impairments.adc import Adc
from channel_sim.impairments.base import Parameters
from channel_sim.impairments.cfo import Cfo
from channel_sim.impairments.delay import Delay
from channel_sim.impairments.duplicate import Duplicate
from channel_sim.impairments.gilbert_elliott import GilbertElliott
from channel_sim.impairments.impulses import Impulses
from channel_sim.impairments.iq_imbalance import IqImbalance
from channel_sim.impairments.loss import Loss
from channel_sim.impairments.phase_noise import PhaseNoise
from channel_sim.impairments.rapp import Rapp
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.impairments.reorder import Reorder
from channel_sim.impairments.rician import Rician
from channel_sim.impairments.sfo import Sfo
from channel_sim.impairments.taps import Taps
from channel_sim.impairments.tdl import Tdl
from channel_sim.impairments.tone import Tone

AnyImpairment = (
    Rapp
    | Rayleigh
    | Rician
    | Taps
    | Tdl
    | Impulses
    | Tone
    | Cfo
    | PhaseNoise
    | IqImbalance
    | Sfo
    | Adc
    | Loss
    | GilbertElliott
    | Delay
    | Duplicate
    | Reorder
)

Impairment = Annotated[AnyImpairment, Field(discriminator="kind")]
"""Any impairment, told from the others by ``kind``; in the order of the stages."""

_CLASSES: tuple[type[Parameters], ...] = AnyImpairment.__args__

IMPAIRMENTS: Final[Mapping[str, type[Parameters]]] = MappingProxyType(
    {cls.model_fields["kind"].default: cls for cls in _CLASSES}
)
"""Class of each kind."""
