"""What a client may choose with its photo, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from protos.transmitter_pb2 import Photo
from shared.errors import InvalidInput
from shared.pictures import served_resolution
from transmitter.inverter import Refinement
from transmitter.settings import TransmitterSettings

MAX_REFINE_STEPS = 1000
MAX_SYMBOLS = 2**16
MAX_FRAMES = 16

QUALITY_FRAMES = 4
"""Frames that a turn may take for a quality that was asked for, where their number was not."""


@dataclass(frozen=True)
class PhotoOptions:
    """What the conversation about one photo keeps to.

    Attributes:
        resolution: side in pixels of the pictures in events.
        refinement: bounds on the inversion's gradient steps after the encoder: their number, and the seconds they take.
        symbols: payload symbols of every key, delta and refinement frame; 0 chooses by the kind and the reported SNR.
        frames: frames of a turn that changes the face, 1 to 16: one brings it and, if it arrives, the others refine it.
            A sounding and repeats come on top; a turn that only refines has a number of its own.
        quality: at which the others stop, and which frames are made just long enough for; 0 asks for none.
    """

    resolution: int
    refinement: Refinement
    symbols: int
    frames: int
    quality: float = 0.0

    @classmethod
    def of(cls, photo: Photo, settings: TransmitterSettings) -> PhotoOptions:
        """The photo's options, and where it names none the service's, or one frame, or four for a quality.

        Raises:
            InvalidInput: if one is out of range, or faces are not served at the resolution.
        """
        if photo.refine_steps > MAX_REFINE_STEPS:
            raise InvalidInput(f"refine_steps is at most {MAX_REFINE_STEPS}, not {photo.refine_steps}")
        if photo.symbols > MAX_SYMBOLS:
            raise InvalidInput(f"symbols is at most {MAX_SYMBOLS}, not {photo.symbols}; 0 lets the transmitter choose")
        check_frames(photo.frames)
        quality = check_quality(photo.quality or settings.quality)
        return cls(
            resolution=served_resolution(photo.resolution, settings.resolution),
            refinement=_refinement(photo, settings),
            symbols=photo.symbols or settings.symbols,
            frames=photo.frames or (QUALITY_FRAMES if quality else 1),
            quality=quality,
        )


def _refinement(photo: Photo, settings: TransmitterSettings) -> Refinement:
    """As many steps as the photo asks for, however long they take; the service's bounds where it does not ask."""
    for_snr_db = photo.invert_for_snr_db if photo.HasField("invert_for_snr_db") else settings.invert_for_snr_db
    if photo.HasField("refine_steps"):
        return Refinement(photo.refine_steps, for_snr_db=for_snr_db)
    return Refinement(settings.refine_steps, settings.refine_seconds, for_snr_db)


def check_frames(frames: int) -> None:
    """Raises ``InvalidInput`` if a turn may not take that many frames."""
    if frames > MAX_FRAMES:
        raise InvalidInput(f"a turn takes at most {MAX_FRAMES} frames, not {frames}")


def check_quality(quality: float) -> float:
    """Gives a quality back that can be asked for.

    Raises:
        InvalidInput: if it is not below 1, or less than 0.
    """
    if not 0 <= quality < 1:
        raise InvalidInput(f"quality is a share from 0 to below 1, such as 0.85, not {quality:g}; 0 asks for none")
    return quality
