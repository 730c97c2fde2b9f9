"""Channel uses: what a frame or a turn costs, and the bandwidth ratio that follows (``docs/conventions.md``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ChannelUses:
    """Complex channel uses of one frame, or the sum over several.

    Attributes:
        k_payload: symbols that carry the code of the latent.
        k_header: symbols that carry the protected header.
        k_pilot: symbols known beforehand.
    """

    k_payload: int = 0
    k_header: int = 0
    k_pilot: int = 0

    @property
    def k_total(self) -> int:
        """All of them: the frame's length in samples."""
        return self.k_payload + self.k_header + self.k_pilot

    def __add__(self, other: ChannelUses) -> ChannelUses:
        return ChannelUses(
            k_payload=self.k_payload + other.k_payload,
            k_header=self.k_header + other.k_header,
            k_pilot=self.k_pilot + other.k_pilot,
        )

    def rho(self, source_dimensions: int) -> float:
        """Bandwidth ratio ``k_total / n``; nothing is left out."""
        return self.k_total / source_dimensions

    def rho_payload(self, source_dimensions: int) -> float:
        """``k_payload / n``: only ever reported beside :meth:`rho`."""
        return self.k_payload / source_dimensions


def source_dimensions(height: int, width: int) -> int:
    """``n = 3 H W`` of an RGB image of the resolution served."""
    return 3 * height * width
