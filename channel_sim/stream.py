"""One stream's frames on their way over a named link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from channel_sim.chain import Passage
from channel_sim.links import NamedLink, Setting
from channel_sim.override import Override
from channel_sim.randomness import FrameContext
from protos import link_pb2
from shared.errors import SampleError
from shared.phy.cf32 import Samples, from_bytes, to_bytes

# A frame of mean power 1 and of 2^20 samples cannot hold a component beyond 1024; what is larger still is no frame, and
# its power would soon overflow float32.
_MAX_COMPONENT = 1e4

Earlier = tuple[Samples, ...]
"""Samples of a stream's frames before one, the latest last, as far back as its link's effects may reach."""


@dataclass(frozen=True)
class Carried:
    """A frame behind the link.

    Attributes:
        frame: for the receiver; None if the link lost it.
        truth: what the link did, for the sender.
        delay_ms: how long to hold the frame back.
        passage: what was measured; None if the frame was lost.
    """

    frame: link_pb2.Frame | None
    truth: link_pb2.ChannelTruth
    delay_ms: float
    passage: Passage | None


@dataclass(frozen=True)
class Admitted:
    """A frame that was found in order, with all that decides what becomes of it.

    Attributes:
        samples: as sent, shape ``(n,)``.
        earlier: samples of the frames before.
        diagnostics: that go with it to the receiver.
        link: name of the link.
        setting: of the link when the frame came.
        context: where the frame is in its stream.
    """

    samples: Samples
    earlier: Earlier
    diagnostics: Mapping[str, str]
    link: str
    setting: Setting
    context: FrameContext

    def remembered(self) -> Earlier:
        """What the next frame has before it: no more than the link's effects may ask for, mostly nothing."""
        memory = self.setting.chain.memory
        return (*self.earlier, self.samples)[-memory:] if memory else ()

    def carry(self) -> Carried:
        """Takes the frame over the link; pure, so that it may run in any thread."""
        truth = link_pb2.ChannelTruth(
            link=self.link,
            config_version=self.setting.version,
            snr_db=self.setting.config.snr_db_at(self.context.sequence),
            seed=self.context.seed,
            start_s=self.context.start_s,
            overridden=self.setting.overridden,
        )
        fate = self.setting.chain.fate(self.context)
        if fate.lost:
            truth.lost = True
            return Carried(None, truth, 0.0, None)
        arriving = self.samples
        if 0 < fate.stale_by <= len(self.earlier):
            arriving = self.earlier[-fate.stale_by]
            truth.stale_by = fate.stale_by
        passage = self.setting.chain.pass_through(arriving, self.context)
        truth.snr_db_realised = passage.snr_db_realised
        truth.gain_db = passage.gain_db
        truth.delay_ms = fate.delay_ms
        if passage.sir_db_realised is not None:
            truth.sir_db_realised = passage.sir_db_realised
        frame = link_pb2.Frame(
            sequence=self.context.sequence,
            sample_count=arriving.size,
            samples=to_bytes(passage.samples),
            diagnostics=self.diagnostics,
        )
        return Carried(frame, truth, fate.delay_ms, passage)


class ChannelStream:
    """Takes the frames of one stream onto its link, each under the link's setting of the moment.

    Args:
        link: the named link.
        stream_id: of the stream; part of the key of its randomness.
        override: what the call puts over the link's configuration.
        strict: keeps diagnostics from the receiver.
    """

    def __init__(self, link: NamedLink, stream_id: str, override: Override, *, strict: bool) -> None:
        self._link = link
        self._stream_id = stream_id
        self._override = override
        self._strict = strict
        self._start_s = 0.0
        self._earlier: Earlier = ()

    def admit(self, frame: link_pb2.Frame, max_samples: int) -> Admitted:
        """Checks a frame and fixes its place in the stream.

        Raises:
            SampleError: if its samples are not the declared number, not finite, too many, or far beyond unit power.
        """
        samples = from_bytes(frame.samples, frame.sample_count, max_samples)
        _check_drive(samples)
        setting = self._override.over(self._link.setting)
        config = setting.config
        context = FrameContext(config.seed, self._stream_id, frame.sequence, self._start_s, config.sample_rate_hz)
        self._start_s += samples.size / config.sample_rate_hz + 1e-3 * config.frame_gap_ms
        diagnostics = {} if self._strict else frame.diagnostics
        admitted = Admitted(samples, self._earlier, diagnostics, self._link.name, setting, context)
        self._earlier = admitted.remembered()
        return admitted

    def count(self, carried: Carried) -> None:
        """Adds a frame to the link's counters."""
        if carried.passage is None:
            self._link.counters.count_lost()
        else:
            self._link.counters.count(carried.passage)


def _check_drive(samples: Samples) -> None:
    peak = float(np.abs(samples.view(np.float32)).max())
    if peak > _MAX_COMPONENT:
        raise SampleError(f"a sample reaches {peak:.3g}: scale the frame to mean power 1 over its own samples")
