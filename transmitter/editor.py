"""The seam between a latent with wishes and the latent that fulfils them (JECC's iterative attributes matching)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.codec.codec import Latent


@dataclass(frozen=True)
class EditOutcome:
    """An edited latent, and how far the edit went.

    Attributes:
        w_plus: the edited latent, shape ``(16, 512)``.
        degrees_before: every attribute's degree 0..5 of the latent that came in.
        degrees_after: the same of the latent that goes out.
        reached: whether every target was met.
        message: in words, where a target was out of reach and how far it went; empty otherwise.
    """

    w_plus: Latent
    degrees_before: dict[str, float]
    degrees_after: dict[str, float]
    reached: bool
    message: str


class LatentEditor(Protocol):
    """Moves a latent until its face shows the wanted degrees; synchronous, meant for a worker thread."""

    def edit(
        self,
        w_plus: Latent,
        targets: Mapping[str, float],
        due: Mapping[str, float] | None = None,
        *,
        snr_db: float | None,
    ) -> EditOutcome:
        """Edits ``w_plus`` of shape ``(16, 512)``; the caller's array is left alone.

        Args:
            w_plus: the face as it is.
            targets: wanted degree 0..5 of each attribute to change; attributes not named are to stay.
            due: the degrees at which they are to stay, where edits before may have moved them; otherwise as they are.
            snr_db: the link's Es/N0 as last reported, for editors that prepare the latent for the noise; ``None`` if
                nothing was reported yet.
        """
        ...
