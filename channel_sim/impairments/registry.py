"""All impairments by name. Adding one is adding its file, its line here and its message in ``protos/channel.proto``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from channel_sim.impairments.base import Parameters
from channel_sim.impairments.rayleigh import Rayleigh

Impairment = Rayleigh
"""Any impairment; pydantic tells them apart by ``kind``."""

IMPAIRMENTS: Mapping[str, type[Parameters]] = MappingProxyType({"rayleigh": Rayleigh})
"""Class of each kind."""
