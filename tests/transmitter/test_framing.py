"""The frames of the real codec, made at one end and read at the other."""

from __future__ import annotations

import numpy as np
import pytest

from receiver.frames import DecodedFrame, StreamFace, read_frame
from shared.codec.catalogue import load_codec, load_follow_ups
from shared.codec.codec import Latent
from shared.codec.followup import agreed_snr_db
from shared.phy import FrameKind, profile_for
from tests.phy.air import cross
from transmitter.framing import Conditions, Framer, Known, Parcel
from transmitter.symbols import SymbolBudget

CODEC = load_codec()
FOLLOW_UPS = load_follow_ups(CODEC)
FRAMER = Framer(CODEC, FOLLOW_UPS)


@pytest.fixture
def face() -> Latent:
    basis = CODEC.basis
    return basis.synthesise((basis.deviation * np.random.default_rng(5).standard_normal(8192)).astype(np.float32))


def at(snr_db: float, sequence: int) -> Conditions:
    return Conditions(snr_db, profile_for(snr_db), sequence)


def pass_on(parcel: Parcel, held: StreamFace | None, snr_db: float, seed: int) -> tuple[Known, StreamFace]:
    """What both ends have after a frame that met ``snr_db``."""
    arrived = cross(parcel.frame.samples, snr_db, np.random.default_rng(seed))
    received = read_frame(arrived, parcel.sequence, CODEC, FOLLOW_UPS, held)
    assert isinstance(received, DecodedFrame), received
    return FRAMER.decoded(parcel, agreed_snr_db(received.estimate.snr_db_instantaneous)), received.face


def test_both_ends_agree_on_what_is_left_to_tell_whatever_the_frames_met(face: Latent) -> None:
    budget = SymbolBudget(512)
    known, held = pass_on(FRAMER.key(face, budget, at(6, 1)), None, 2.0, 1)
    distances, qualities = [], []
    for sequence, snr_db in enumerate((9.0, 4.0, 12.0), 2):
        known, held = pass_on(FRAMER.better(known, budget, at(6, sequence)), held, snr_db, sequence)
        np.testing.assert_array_equal(held.held.agreed, known.agreed)
        assert (held.sequence, held.met_snr_db) == (known.sequence, known.met_snr_db)
        distances.append(np.square(held.held.w_plus - face).sum())
        qualities.append(known.quality)
    assert distances == sorted(distances, reverse=True)
    assert qualities == sorted(qualities)


@pytest.mark.parametrize("quality", [0.6, 0.7, 0.8])
def test_a_better_link_needs_fewer_symbols_for_the_same_quality(face: Latent, quality: float) -> None:
    budget, uses = SymbolBudget(2048, quality=quality), []
    for snr_db in (0.0, 6.0, 12.0):
        parcel = FRAMER.key(face, budget, at(snr_db, 1))
        assert FRAMER.decoded(parcel, round(snr_db)).quality == pytest.approx(quality, abs=0.03)
        assert FRAMER.decoded(parcel, round(snr_db)).quality >= quality - 0.01  # the header rounds the SNR
        uses.append(parcel.frame.uses.k_total)
    assert uses == sorted(uses, reverse=True)
    assert uses[2] < 0.6 * uses[0]


def test_a_quality_that_is_out_of_reach_gets_all_there_is(face: Latent) -> None:
    parcel = FRAMER.key(face, SymbolBudget(512, quality=0.99), at(0, 1))
    assert parcel.frame.uses.k_total == 512


def test_after_a_fade_only_what_is_missing_is_told_and_after_a_deep_one_the_face_anew(face: Latent) -> None:
    budget = SymbolBudget(512, quality=0.85)
    key = FRAMER.key(face, budget, at(6, 1))
    assert budget.satisfied_by(FRAMER.decoded(key, 6).quality)
    mended = FRAMER.better(FRAMER.decoded(key, 3), budget, at(6, 2))
    assert mended.header.kind is FrameKind.REFINEMENT
    assert mended.frame.uses.k_payload < 0.8 * key.frame.uses.k_payload
    anew = FRAMER.better(FRAMER.decoded(key, -9), budget, at(6, 2))
    assert anew.header.kind is FrameKind.KEY
    assert anew.frame.uses == key.frame.uses
