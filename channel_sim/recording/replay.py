"""A recorded run once more: every frame over the same link, from its recorded configuration, seed and place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from channel_sim.randomness import FrameContext
from channel_sim.recording.frames import RecordedFrame
from channel_sim.recording.reader import Recording
from shared.phy.cf32 import Samples, to_bytes


@dataclass(frozen=True)
class Replayed:
    """A frame, again.

    Attributes:
        frame: what the recording says of it.
        delivered: what the receiver gets, shape ``(n,)``; None if the link loses it.
        identical: that is bit for bit what the receiver got when it was recorded.
    """

    frame: RecordedFrame
    delivered: Samples | None
    identical: bool


def replayed(recording: Recording, stream_id: str | None = None) -> Iterator[Replayed]:
    """Every frame as it goes to the receiver, in order; of one stream, if one is named.

    A recording made at the sender passes the link anew; one made at the receiver holds what came out, which is checked
    against the hash that the proxy took of it.
    """
    chains = [config.chain() for config in recording.configs]
    for frame in recording.frames:
        if stream_id not in (None, frame.stream_id):
            continue
        samples = recording.samples_of(frame)
        delivered: Samples | None = samples if samples.size else None
        if recording.place == "sender":
            rate_hz = recording.configs[frame.config].sample_rate_hz
            context = FrameContext(frame.seed, frame.stream_id, frame.sequence, frame.start_s, rate_hz)
            chain = chains[frame.config]
            lost = chain.fate(context).lost
            delivered = None if lost else chain.pass_through(samples, context).samples
        digest = None if delivered is None else sha256(to_bytes(delivered)).hexdigest()
        yield Replayed(frame, delivered, digest == frame.delivered_sha256)
