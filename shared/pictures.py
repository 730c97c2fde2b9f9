"""Pictures as the services pass them on: RGB arrays and marked PNG files."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from shared.errors import InvalidInput

Picture = NDArray[np.uint8]
"""RGB, shape ``(H, W, 3)``."""

SERVED_RESOLUTIONS = (128, 256, 512, 1024)
"""Sides in pixels at which faces are served."""

SYNTHETIC = "synthetic"
"""Mark of a face that the generator drew."""

SYNTHETIC_EDITED = "synthetic, edited"
"""Mark of a face that the generator drew after an edit."""

PICTURE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Endings of files that a received face can be kept as, with their formats in Pillow."""

_PROGRAM = "editable-deepsc"
_JPEG_QUALITY = 95


def encode_png(picture: Picture, mark: str | None = None) -> bytes:
    """Encodes ``(H, W, 3)`` as PNG; the same picture gives the same bytes.

    Args:
        picture: RGB.
        mark: what to write into the file's ``Description``, so that nobody takes the face for a photograph.
    """
    info = PngInfo()
    if mark is not None:
        info.add_text("Description", mark)
        info.add_text("Software", _PROGRAM)
    buffer = BytesIO()
    # Level 2: a quarter of the default's time for a tenth more bytes, on a 1024 px face.
    Image.fromarray(picture).save(buffer, format="PNG", pnginfo=info, compress_level=2)
    return buffer.getvalue()


def decode_png(data: bytes) -> Picture:
    """Decodes one of our own PNG files to RGB ``(H, W, 3)``; a stranger's photo goes through the transmitter's door."""
    with Image.open(BytesIO(data), formats=["PNG"]) as image:
        return np.array(image.convert("RGB"), dtype=np.uint8)


def recoded(png: bytes, kind: str) -> bytes:
    """One of our own PNG files in another format, with its mark; as it is where that is PNG."""
    if kind == "PNG":
        return png
    buffer = BytesIO()
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        exif = Image.Exif()
        if "Description" in image.info:
            exif[Base.ImageDescription], exif[Base.Software] = image.info["Description"], _PROGRAM
        image.convert("RGB").save(buffer, format=kind, quality=_JPEG_QUALITY, exif=exif)
    return buffer.getvalue()


def served_resolution(asked: int, default: int) -> int:
    """The side to serve: ``asked``, or ``default`` where 0 was asked.

    Raises:
        InvalidInput: if it is none of :data:`SERVED_RESOLUTIONS`.
    """
    resolution = asked or default
    if resolution not in SERVED_RESOLUTIONS:
        offered = ", ".join(str(side) for side in SERVED_RESOLUTIONS)
        raise InvalidInput(f"faces are served at {offered} pixels a side, not {resolution}")
    return resolution
