"""What the impairments of a link's list have in common: checked, frozen parameters that are the model themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from channel_sim.channel_model import Fate, Stage
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Parameters(BaseModel):
    """Base of the impairments; a subclass adds its parameters as fields with their bounds, and ``kind``, its name.

    A value outside its bounds raises pydantic's ``ValidationError``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    stage: ClassVar[Stage]


class SampleImpairment(Parameters, ABC):
    """An impairment that is a :class:`~channel_sim.channel_model.ChannelModel`."""

    @abstractmethod
    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        """See :class:`~channel_sim.channel_model.ChannelModel`."""


class FrameImpairment(Parameters, ABC):
    """An impairment that is a :class:`~channel_sim.channel_model.LinkEffect`."""

    stage: ClassVar[Stage] = Stage.LINK

    @property
    def memory(self) -> int:
        """How many frames back it may reach; most effects look at no other frame."""
        return 0

    @abstractmethod
    def fate(self, frame: FrameContext) -> Fate:
        """See :class:`~channel_sim.channel_model.LinkEffect`."""
