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
