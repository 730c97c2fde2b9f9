from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protos.link_pb2 import Frame
from receiver.frames import DecodedFrame, read_frame
from shared.errors import CodecMismatch, DeepscError
from shared.phy import Erasure, FrameKind, SoundingFrame, from_bytes
from tests.fakes.codec import PhaseCodec
from tests.fakes.frames import DEGREES, face_frame, sounding_frame


def read(frame: Frame):
    return read_frame(from_bytes(frame.samples, frame.sample_count), frame.sequence, PhaseCodec())


def test_a_clean_frame_gives_back_its_latent():
    received = read(face_frame(1))
    assert isinstance(received, DecodedFrame)
    np.testing.assert_allclose(received.w_plus[0, :5], DEGREES, atol=1e-3)


def test_a_sounding_frame_is_measured_and_shows_nothing():
    assert isinstance(read(sounding_frame(1)), SoundingFrame)


def test_the_sequence_number_is_compared_modulo_256():
    assert isinstance(read(face_frame(300)), DecodedFrame)
    assert isinstance(read(face_frame(300, header_sequence=299)), Erasure)


def test_a_frame_under_a_number_that_its_header_does_not_name_is_an_erasure():
    received = read(face_frame(7, header_sequence=6))
    assert isinstance(received, Erasure)
    assert "frame 6" in received.message


def test_a_frame_of_noise_is_an_erasure():
    rng = np.random.default_rng(3)
    noise = (rng.standard_normal(300) + 1j * rng.standard_normal(300)).astype(np.complex64)
    assert isinstance(read_frame(noise, 1, PhaseCodec()), Erasure)


def test_silence_is_an_erasure_without_an_estimate():
    received = read_frame(np.zeros(300, np.complex64), 1, PhaseCodec())
    assert isinstance(received, Erasure)
    assert received.estimate is None


def test_a_frame_of_another_codec_is_refused_with_what_to_do():
    with pytest.raises(CodecMismatch, match="same codec"):
        read(face_frame(1, codec_id=3))


def test_a_delta_is_an_erasure_because_this_receiver_decodes_whole_faces():
    received = read(face_frame(1, kind=FrameKind.DELTA))
    assert isinstance(received, Erasure)
    assert "delta" in received.message


class HopelessCodec(PhaseCodec):
    def decode(self, symbols, design_snr_db, noise_power):
        decoded = super().decode(symbols, design_snr_db, noise_power)
        decoded.w_plus[3, 3] = np.nan
        return decoded


def test_a_latent_that_is_not_finite_is_an_erasure():
    frame = face_frame(1)
    received = read_frame(from_bytes(frame.samples, frame.sample_count), 1, HopelessCodec())
    assert isinstance(received, Erasure)


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
        received = read_frame(samples, sequence, PhaseCodec())
    except DeepscError:
        return
    if received.estimate is not None:
        assert np.isfinite(received.estimate.snr_db)
        assert np.isfinite(received.estimate.gain_db)
