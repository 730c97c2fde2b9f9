"""The impairments a link can be given, a file each; the registry of their names is :data:`IMPAIRMENTS`."""

from channel_sim.impairments.base import FrameImpairment, Parameters, SampleImpairment
from channel_sim.impairments.registry import IMPAIRMENTS, Impairment

__all__ = ["IMPAIRMENTS", "FrameImpairment", "Impairment", "Parameters", "SampleImpairment"]
