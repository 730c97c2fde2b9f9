"""The impairments a link can be given, a file each; the registry of their names is :data:`Impairment`."""

from channel_sim.impairments.base import Parameters
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.impairments.registry import IMPAIRMENTS, Impairment

__all__ = ["IMPAIRMENTS", "Impairment", "Parameters", "Rayleigh"]
