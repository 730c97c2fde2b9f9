from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protos.link_pb2 import Frame
from receiver.frames import DecodedFrame, ErasedFrame, ErasureReason, StreamFace, read_frame
from shared.errors import CodecMismatch, DeepscError
from shared.phy import SoundingFrame, from_bytes
from tests.fakes.codec import PhaseCodec
from tests.fakes.followup import CHANGE, PhaseFollowUps
from tests.fakes.frames import DEGREES, face_frame, follow_up_frame, sounding_frame


def read(frame: Frame, before: StreamFace | None = None, codec: PhaseCodec | None = None):
    samples = from_bytes(frame.samples, frame.sample_count)
    return read_frame(samples, frame.sequence, codec or PhaseCodec(), PhaseFollowUps(), before)


def read_samples(samples, sequence: int = 1):
    return read_frame(samples, sequence, PhaseCodec(), PhaseFollowUps(), None)


def face_of(received) -> np.ndarray:
    assert isinstance(received, DecodedFrame)
    return received.face.held.w_plus[0, :5]


def test_a_clean_frame_gives_back_its_latent():
    received = read(face_frame(1))
    np.testing.assert_allclose(face_of(received), DEGREES, atol=1e-3)
    assert received.face.sequence == 1


def test_a_sounding_frame_is_measured_and_shows_nothing():
    assert isinstance(read(sounding_frame(1)), SoundingFrame)


def test_the_sequence_number_is_compared_modulo_256():
    assert isinstance(read(face_frame(300)), DecodedFrame)
    assert isinstance(read(face_frame(300, header_sequence=299)), ErasedFrame)


def test_a_frame_under_a_number_that_its_header_does_not_name_is_an_erasure():
    received = read(face_frame(7, header_sequence=6))
    assert isinstance(received, ErasedFrame)
    assert "frame 6" in received.message


def test_a_frame_of_noise_is_an_erasure():
    rng = np.random.default_rng(3)
    noise = (rng.standard_normal(300) + 1j * rng.standard_normal(300)).astype(np.complex64)
    assert isinstance(read_samples(noise), ErasedFrame)


def test_silence_is_an_erasure_without_an_estimate():
    received = read_samples(np.zeros(300, np.complex64))
    assert isinstance(received, ErasedFrame)
    assert received.estimate is None


def test_a_frame_of_another_codec_is_refused_with_what_to_do():
    with pytest.raises(CodecMismatch, match="same codec"):
        read(face_frame(1, codec_id=3))


def test_a_delta_changes_the_face_that_is_held():
    before = read(face_frame(300)).face
    received = read(follow_up_frame(301, base=300, change=[2, 0, 0, 0, -1]), before)
    np.testing.assert_allclose(face_of(received), [2, 1, 2, 3, 3], atol=1e-3)
    assert received.face.sequence == 301


def test_changes_are_counted_from_the_key_frame_so_that_none_of_them_is_missed():
    first = read(face_frame(1)).face
    second = read(follow_up_frame(2, base=1, change=[2, 0, 0, 0, 0]), first).face
    third = read(follow_up_frame(3, base=2, change=[1, 0, 0, 0, -1]), second)
    np.testing.assert_allclose(face_of(third), [1, 1, 2, 3, 3], atol=1e-3)


def test_a_refinement_shows_the_same_face_under_its_own_number():
    before = read(face_frame(1)).face
    received = read(follow_up_frame(2, base=1, change=None), before)
    np.testing.assert_allclose(face_of(received), DEGREES, atol=1e-3)
    assert received.face.sequence == 2
    assert received.face.held.agreed < before.held.agreed


@pytest.mark.parametrize("change", [[1, 0, 0, 0, 0], None])
def test_a_frame_that_builds_on_another_than_the_one_held_is_erased_and_says_so(change):
    frame = follow_up_frame(9, base=8, change=change)
    for before, holds in ((None, "no face"), (read(face_frame(7)).face, "frame 7 at 60 dB")):
        received = read(frame, before)
        assert isinstance(received, ErasedFrame)
        assert received.reason is ErasureReason.BASE_MISSING
        assert holds in received.message
        assert "key frame" in received.message


@pytest.mark.parametrize("change", [[1, 0, 0, 0, 0], None])
def test_a_frame_that_builds_on_another_reception_of_the_one_held_is_erased(change):
    before = read(face_frame(7)).face
    assert isinstance(read(follow_up_frame(8, base=7, change=change), before), DecodedFrame)
    received = read(follow_up_frame(8, base=7, change=change, base_snr_db=59), before)
    assert isinstance(received, ErasedFrame)
    assert received.reason is ErasureReason.BASE_MISSING
    assert "11 dB modulo 16" in received.message


def test_a_delta_that_came_under_another_number_is_erased():
    before = read(face_frame(7)).face
    assert isinstance(read(follow_up_frame(8, base=7, change=[1, 0, 0, 0, 0]), before), DecodedFrame)
    stale = read(follow_up_frame(9, base=7, change=[1, 0, 0, 0, 0], header_sequence=8), before)
    assert isinstance(stale, ErasedFrame)
    assert stale.reason is ErasureReason.UNREADABLE


def test_a_delta_too_short_to_be_one_is_erased():
    frame = follow_up_frame(8, base=7, change=[1, 0, 0, 0, 0], k_payload=CHANGE)
    short = frame.samples[: -8 * 5]
    received = read(Frame(sequence=8, sample_count=len(short) // 8, samples=short), read(face_frame(7)).face)
    assert isinstance(received, ErasedFrame)
    assert received.reason is ErasureReason.AMBIGUOUS


class HopelessCodec(PhaseCodec):
    def decode(self, symbols, design_snr_db, noise_power):
        decoded = super().decode(symbols, design_snr_db, noise_power)
        decoded.w_plus[3, 3] = np.nan
        return decoded


def test_a_latent_that_is_not_finite_is_an_erasure():
    received = read(face_frame(1), codec=HopelessCodec())
    assert isinstance(received, ErasedFrame)


@settings(max_examples=60, deadline=None)
@given(
    samples=arrays(
        np.complex64,
        st.integers(1, 600),
        elements=st.complex_numbers(max_magnitude=float(np.float32(1e38)), width=64),
        fill=st.just(np.complex64(0.5)),
    ),
    sequence=st.integers(1, 2**32 - 1),
)
def test_any_finite_samples_end_in_a_result_or_in_a_typed_error(samples, sequence):
    try:
        received = read_samples(samples, sequence)
    except DeepscError:
        return
    if received.estimate is not None:
        assert np.isfinite(received.estimate.snr_db)
        assert np.isfinite(received.estimate.gain_db)
