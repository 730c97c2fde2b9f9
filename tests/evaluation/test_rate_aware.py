"""Inversions for a link against those for themselves: the same photos, steps and noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.rate_aware import NOTHING, Row, compare
from shared.codec.codec import Latent
from shared.pictures import Picture
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import latent_of
from transmitter.inverter import NO_LINK, Inversion, InversionProgress, Refinement

FACES = [np.full((8, 8, 3), level, np.uint8) for level in (50, 100, 200)]


class Overdrawing:
    """For a link it draws everything a degree stronger."""

    def invert(
        self, face: NDArray[np.uint8], refinement: Refinement, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        del on_progress
        level = face.mean() / 50 + (refinement.for_snr_db != NO_LINK)
        return Inversion(latent_of([level] * 5), 0.1, 0.9, (), 1.0)


def likeness(w_plus: Latent, face: Picture) -> tuple[float, float]:
    """Off what the latent of `Overdrawing` is without a link."""
    off = float(np.abs(w_plus - latent_of([face.mean() / 50] * 5)).mean())
    return off, 1 - off


def test_both_inversions_of_a_photo_are_sent_and_compared_with_the_photo() -> None:
    (row,) = compare(FACES, Overdrawing(), PhaseCodec(), likeness, 4, 9.0, [30.0], 2)
    assert row.lpips < row.lpips_for_link
    assert row.identity_cosine > row.identity_cosine_for_link
    assert row.lpips_gain_error < row.lpips_for_link - row.lpips


def test_a_lost_frame_counts_as_nothing_alike() -> None:
    (row,) = compare(FACES, Overdrawing(), PhaseCodec(), likeness, 4, 9.0, [-40.0], 2)
    assert (row.lpips, row.identity_cosine) == NOTHING


def test_errors_are_those_of_the_difference_photo_by_photo() -> None:
    for_itself, for_link = [(0.1, 0.5), (0.5, 0.9)], [(0.2, 0.6), (0.6, 1.0)]
    row = Row.of(0.0, 100, for_itself, for_link)
    assert row.lpips_gain_error == pytest.approx(0.0, abs=1e-9)
    assert row.lpips_for_link - row.lpips == pytest.approx(0.1)
