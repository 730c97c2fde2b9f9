"""How many symbols a turn may spend on its payload."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from shared.errors import InvalidInput
from shared.phy import Profile

#: Channel uses of a turn without repeats, unless the service is told another bound.
MAX_USES = 512

#: (from this SNR in dB, most payload symbols worth sending): a better link needs fewer for the same face.
WORTHWHILE = ((-100.0, 512), (12.0, 448), (18.0, 320))

#: Share of its key frame's channel uses that a frame with a change takes, where that is enough to tell it.
FOLLOW_UP_SHARE = 1 / 5

#: Payload symbols among which the fewest are taken that promise a quality: steps of a tenth to a sixth.
LENGTHS = tuple(step << octave for octave in range(1, 13) for step in (8, 9, 10, 11, 12, 14))

#: What a quality may lack in the end, as a multiple of what it lacks by design: a measured SNR is off by a dB.
SLACK = 1.25


@dataclass(frozen=True)
class SymbolBudget:
    """The rule by which payloads get their length.

    Attributes:
        max_uses: channel uses of a turn, its sounding included and repeats of lost frames not.
        fixed: payload symbols of every frame, whatever the budget; 0 chooses.
        quality: that is enough, as `FollowUps.quality` counts it; 0 asks for what the budget allows.
    """

    max_uses: int
    fixed: int = 0
    quality: float = 0.0

    def payload(self, snr_db: float, profile: Profile, spent: int) -> int:
        """Payload symbols for a frame.

        Args:
            snr_db: the link's Es/N0 as last reported.
            profile: what the frame spends beside its payload.
            spent: channel uses that the turn has already spent on sounding.

        Raises:
            InvalidInput: if nothing is left for a payload.
        """
        if self.fixed:
            return self.fixed
        left = self.max_uses - spent - profile.overhead
        if left < 1:
            raise InvalidInput(
                f"{self.max_uses} channel uses leave none for a payload beside {profile.overhead} of pilots and header "
                f"and {spent} of sounding; allow more"
            )
        if self.quality:
            return left
        *_, (_, most) = takewhile(lambda row: snr_db >= row[0], WORTHWHILE)
        return min(most, left)

    def enough(self, most: int, least: int, quality_of: Callable[[int], float]) -> int:
        """The fewest payload symbols that promise the quality asked for, and ``most`` where it is out of reach.

        Args:
            most: that there are.
            least: that a payload of this kind takes.
            quality_of: what a number of them promises; it rises.
        """
        if self.fixed or not self.quality or most <= least:
            return most
        lengths = [least, *(length for length in LENGTHS if least < length < most), most]
        return lengths[min(bisect_left(lengths, self.quality, key=quality_of), len(lengths) - 1)]

    def satisfied_by(self, quality: float) -> bool:
        """Whether a quality was asked for, and this one is it but for what an SNR is measured amiss."""
        return self.quality > 0 and 1 - quality <= SLACK * (1 - self.quality)

    def follow_up(self, key_uses: int, profile: Profile, least: int) -> int:
        """Payload symbols for a frame that changes the face of a key frame.

        Args:
            key_uses: channel uses of the key frame.
            profile: what the frame spends beside its payload.
            least: payload symbols that a change takes.
        """
        return self.fixed or max(int(FOLLOW_UP_SHARE * key_uses) - profile.overhead, least)
