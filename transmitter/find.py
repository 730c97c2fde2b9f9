"""From a photo's bytes to the one face in it."""

from __future__ import annotations

from shared.pictures import Picture
from transmitter.align import FaceAligner
from transmitter.photo import read_photo

SIDE = 512
"""Side in pixels of the aligned face; the inversion looks at less, people like to see more."""


class PhotoFaceFinder:
    """`FaceFinder`: reads the photo within its limits, finds the face, and cuts the FFHQ square."""

    def __init__(self, aligner: FaceAligner) -> None:
        self._aligner = aligner

    def find(self, photo: bytes, *, largest_face: bool) -> Picture:
        """See `FaceFinder.find`; RGB ``(512, 512, 3)``."""
        return self._aligner.align(read_photo(photo), SIDE, largest=largest_face).image
