"""Counter-based randomness: every random number is a function of where it is used, not of what was drawn before.

Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns a 128-bit
key and a 256-bit counter into random bits. The key is a hash of the link's seed and the stream's id; the counter's
words are (draw, lane, frame, block), where a lane belongs to one use in one model. So the same seed and the same frames
give the same bits whatever the timing, the chunking and the number of other streams, and adding a model to a link
leaves the noise of the others as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FrameContext:
    """Where in which stream a frame is: all that a channel model may depend on besides its parameters and the samples.

    Attributes:
        seed: of the link.
        stream_id: chosen by the sender.
        sequence: the frame's number, rising within the stream from 1.
        start_s: when its first sample passes, in seconds of the stream's own time, which counts samples and gaps.
        sample_rate_hz: samples per second.
        occurrence: 0, and 1, 2 ... for further models of one kind on one link.
    """

    seed: int
    stream_id: str
    sequence: int
    start_s: float = 0.0
    sample_rate_hz: float = 1e6
    occurrence: int = 0

    def generator(self, lane: str) -> np.random.Generator:
        """A generator of this frame's own; ``lane`` names the use, such as ``"awgn"``."""
        return self._at(lane, self.sequence, 0)

    def stream_generator(self, lane: str, block: int = 0) -> np.random.Generator:
        """A generator that is the same for all frames of the stream; ``block`` numbers several of one lane."""
        # Frames are numbered from 1, so their place 0 is free.
        return self._at(lane, 0, block)

    def _at(self, lane: str, frame: int, block: int) -> np.random.Generator:
        # The lowest word counts the draws.
        word = _word(f"{lane}#{self.occurrence}" if self.occurrence else lane)
        counter = np.array([0, word, frame, block], np.uint64)
        return np.random.Generator(np.random.Philox(counter=counter, key=self._key))

    @cached_property
    def _key(self) -> NDArray[np.uint64]:
        digest = blake2b(f"{self.seed}/{self.stream_id}".encode(), digest_size=16, person=b"deepsc.channel").digest()
        return np.frombuffer(digest, "<u8").astype(np.uint64)


def complex_normal(generator: np.random.Generator, count: int) -> NDArray[np.complex64]:
    """``(count,)`` circularly symmetric complex Gaussian samples of mean power 1: variance 1/2 per real dimension."""
    pairs = generator.standard_normal(2 * count, np.float32)
    pairs *= np.float32(np.sqrt(0.5))
    return pairs.view(np.complex64)


def _word(lane: str) -> int:
    return int.from_bytes(blake2b(lane.encode(), digest_size=8).digest(), "little")
