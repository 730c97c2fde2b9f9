"""What the transmitter is made of beside its own plumbing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.attribute_predictor import AttributePredictor
from shared.codec.codec import SemanticCodec
from shared.codec.followup import FollowUps
from shared.pictures import Picture
from transmitter.editor import LatentEditor
from transmitter.inverter import Inverter
from transmitter.text.parser import InstructionParser

if TYPE_CHECKING:
    from shared.prior.backend import InferenceBackend


class FaceFinder(Protocol):
    """From a photo's bytes to the aligned face in it; synchronous, meant for a worker thread."""

    def find(self, photo: bytes, *, largest_face: bool) -> Picture:
        """The face in FFHQ framing, RGB ``(S, S, 3)``.

        Raises:
            ImageError: if the bytes are not a picture within the limits.
            FaceError: if there is no face that can be aligned, or several and ``largest_face`` is not asked for.
        """
        ...


@dataclass(frozen=True)
class TransmitterParts:
    """One of each.

    Attributes:
        finder: photo to aligned face.
        inverter: aligned face to latent.
        parser: sentence to edits.
        predictor: picture to degrees.
        editor: latent and wanted degrees to edited latent.
        codec: latent to symbols of a key frame.
        follow_ups: what follows it, to symbols.
        backend: latent to picture.
    """

    finder: FaceFinder
    inverter: Inverter
    parser: InstructionParser
    predictor: AttributePredictor
    editor: LatentEditor
    codec: SemanticCodec
    follow_ups: FollowUps
    backend: InferenceBackend
