"""A recorded run once more: every frame over the same link, from its recorded configuration, seed and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from channel_sim.links import Setting
from channel_sim.randomness import FrameContext
from channel_sim.recording.frames import RecordedFrame
from channel_sim.recording.reader import Recording
from channel_sim.stream import Admitted, Earlier
from shared.phy.cf32 import to_bytes


@dataclass(frozen=True)
class Replayed:
    """A frame, again.

    Attributes:
        frame: what the recording says of it.
        delivered: what the receiver gets, as cf32_le; None if the link loses it.
        identical: that is bit for bit what the receiver got when it was recorded.
    """

    frame: RecordedFrame
    delivered: bytes | None
    identical: bool


def replayed(recording: Recording, stream: Sequence[RecordedFrame]) -> Iterator[Replayed]:
    """Every frame of one of the recording's streams as it goes to the receiver, in order.

    A recording made at the sender passes the link anew; one made at the receiver holds what came out, which is checked
    against the hash that the proxy took of it.
    """
    chains = [config.chain() for config in recording.configs]
    earlier: Earlier = ()
    for frame in stream:
        samples = recording.samples_of(frame)
        if recording.place == "receiver":
            delivered = to_bytes(samples) if samples.size else None
        else:
            config = recording.configs[frame.config]
            setting = Setting(frame.config_version, config, chains[frame.config], frame.overridden)
            context = FrameContext(frame.seed, frame.stream_id, frame.sequence, frame.start_s, config.sample_rate_hz)
            admitted = Admitted(samples, earlier, {}, frame.link, setting, context)
            earlier = admitted.remembered()
            carried = admitted.carry().frame
            delivered = None if carried is None else carried.samples
        digest = None if delivered is None else sha256(delivered).hexdigest()
        yield Replayed(frame, delivered, digest == frame.delivered_sha256)
