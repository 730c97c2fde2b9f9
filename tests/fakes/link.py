"""A link without a network: a real receiver's frame reading behind a channel made of a list of fates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from protos import link_pb2
from protos.link_pb2 import FrameReport
from receiver.frames import DecodedFrame, ErasedFrame, StreamFace, read_frame
from receiver.streams import REASONS
from shared.codec.codec import Latent
from shared.errors import LinkLost
from shared.phy import Samples, SoundingFrame
from tests.fakes.codec import PhaseCodec
from tests.fakes.followup import PhaseFollowUps


class FakeLink:
    """Adds noise at ``snr_db`` and treats each frame as its fate says: ``pass``, ``erase``, ``lose``, ``forget``,
    ``mum`` or ``die``.

    A receiver that forgets has no face any more when the frame comes, one that is mum does not say what it measured; a
    link that dies can be opened again ``reopenings`` times.

    Attributes:
        frames: lengths of the frames that were sent.
        faces: latents that were decoded, with their sequence.
        gain_db: of the next frames; the noise stays as it is.
    """

    def __init__(self, snr_db: float = 12.0, fates: Iterable[str] = (), seed: int = 0, reopenings: int = 0) -> None:
        self.snr_db = snr_db
        self.gain_db = 0.0
        self.frames: list[int] = []
        self.faces: list[tuple[int, Latent]] = []
        self.reopenings = reopenings
        self._face: StreamFace | None = None
        self._sequence = 0
        self._fates = list(fates)
        self._rng = np.random.default_rng(seed)

    @property
    def next_sequence(self) -> int:
        """As a real link counts."""
        return self._sequence + 1

    async def reopen(self) -> None:
        """A new stream, of which the receiver knows nothing."""
        if not self.reopenings:
            raise LinkLost("the link is still away")
        self.reopenings -= 1
        self._sequence, self._face = 0, None

    async def transmit(self, samples: Samples) -> FrameReport:
        """``(n,)`` samples to a report."""
        sequence = self.next_sequence
        self._sequence = sequence
        self.frames.append(samples.size)
        fate = self._fates.pop(0) if self._fates else "pass"
        if fate == "die":
            raise LinkLost("the link went away")
        if fate == "forget":
            self._face = None
        report = FrameReport(sequence=sequence, outcome=link_pb2.FRAME_OUTCOME_ERASED, message=fate)
        if fate == "lose":
            return report
        noise = self._rng.standard_normal((2, samples.size)) * np.sqrt(10 ** (-self.snr_db / 10) / 2)
        arrived = (10 ** (self.gain_db / 20) * samples + noise[0] + 1j * noise[1]).astype(np.complex64)
        report.received_sha256 = hashlib.sha256(arrived.tobytes()).digest()
        received = read_frame(arrived, sequence, PhaseCodec(), PhaseFollowUps(), self._face)
        if received.estimate is not None and fate != "mum":
            estimate = link_pb2.LinkEstimate(snr_db=received.estimate.snr_db, gain_db=received.estimate.gain_db)
            report.estimate.CopyFrom(estimate)
        if fate == "erase":
            return report
        if isinstance(received, ErasedFrame):
            report.reason = REASONS[received.reason]
        elif isinstance(received, SoundingFrame):
            report.outcome = link_pb2.FRAME_OUTCOME_SOUNDED
        elif isinstance(received, DecodedFrame):
            report.outcome = link_pb2.FRAME_OUTCOME_DECODED
            self._face = received.face
            self.faces.append((sequence, received.face.held.w_plus))
        return report
