"""What a photo asks for, and what the service does where it does not ask."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from protos.transmitter_pb2 import Photo
from shared.errors import InvalidInput
from transmitter.inverter import NO_LINK, USUAL_SNR_DB
from transmitter.options import PhotoOptions
from transmitter.settings import TransmitterSettings


@pytest.mark.parametrize(
    ("photo", "settings", "meant"),
    [
        (Photo(), TransmitterSettings(), USUAL_SNR_DB),
        (Photo(refine_steps=3), TransmitterSettings(invert_for_snr_db=0.0), 0.0),
        (Photo(invert_for_snr_db=-5.0), TransmitterSettings(), -5.0),
        (Photo(invert_for_snr_db=math.inf), TransmitterSettings(), NO_LINK),
        (Photo(), TransmitterSettings(invert_for_snr_db=math.inf), NO_LINK),
    ],
)
def test_a_photo_is_inverted_for_the_services_link_unless_it_names_another(
    photo: Photo, settings: TransmitterSettings, meant: float
) -> None:
    assert PhotoOptions.of(photo, settings).refinement.for_snr_db == meant


@pytest.mark.parametrize("snr_db", [150.0, -150.0, math.nan, -math.inf])
def test_a_service_does_not_start_for_a_link_that_there_is_not(snr_db: float) -> None:
    with pytest.raises((ValidationError, InvalidInput), match="invert_for_snr_db"):
        TransmitterSettings(invert_for_snr_db=snr_db)


@pytest.mark.parametrize(
    ("photo", "settings", "quality", "frames"),
    [
        (Photo(), TransmitterSettings(), 0.0, 1),
        (Photo(quality=0.8), TransmitterSettings(), 0.8, 4),
        (Photo(quality=0.8, frames=2), TransmitterSettings(quality=0.9), 0.8, 2),
        (Photo(), TransmitterSettings(quality=0.9), 0.9, 4),
    ],
)
def test_a_quality_may_take_four_frames_unless_their_number_is_named(
    photo: Photo, settings: TransmitterSettings, quality: float, frames: int
) -> None:
    options = PhotoOptions.of(photo, settings)
    assert (options.quality, options.frames) == (quality, frames)


@pytest.mark.parametrize("quality", [1.0, -0.1, 85.0, math.nan])
def test_a_quality_that_there_is_not_is_refused_with_one_that_there_is(quality: float) -> None:
    with pytest.raises(InvalidInput, match=r"0\.85"):
        PhotoOptions.of(Photo(quality=quality), TransmitterSettings())
