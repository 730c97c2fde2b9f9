"""From the bytes somebody sent to an RGB picture: formats, orientation, depth, transparency, and limits.

The bytes are hostile until proven otherwise. The header is read first, and nothing is decoded that declares more
pixels than allowed. Colour profiles are not applied: pixels are taken as sRGB.
"""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from shared.errors import ImageError

Picture = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
OFFER = "send a JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF"
MATTE = (128, 128, 128)  # what shows through transparent pixels: mid-grey favours neither light nor dark hair
SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
#: What undoes each EXIF orientation (EXIF 2.32, section 4.6.4, tag 0x0112).
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class PhotoLimits:
    """What a photo may cost before it is refused."""

    max_bytes: int = 16 * 2**20
    max_pixels: int = 50_000_000  # a 50-megapixel phone photo; 150 MB once decoded


def read_photo(data: bytes, limits: PhotoLimits = PhotoLimits()) -> Picture:
    """Decode a photo to upright RGB `(H, W, 3)` uint8.

    The EXIF orientation is applied; of an animation the first frame counts; transparent pixels show mid-grey;
    16-bit greys keep their upper eight bits, CMYK and the other colour models become RGB.

    Raises `ImageError`, with what to do about it, for an empty or too large file, too many pixels, anything that is
    no picture in one of `FORMATS`, and a picture that is damaged or cut short.
    """
    if not data:
        raise ImageError(f"the image is empty: {OFFER} of a face")
    if len(data) > limits.max_bytes:
        raise ImageError(
            f"the image file has {_mebibytes(len(data))} and at most {_mebibytes(limits.max_bytes)} are accepted: "
            "save it smaller or as a JPEG"
        )
    image = _open(data, limits)
    pixels = image.width * image.height
    if pixels > limits.max_pixels:
        raise _too_many_pixels(f"{image.width} x {image.height}", limits)
    # Decoders raise whatever they stumble over, from zlib.error to IndexError; to the sender it is all one thing.
    try:
        image.load()
        return np.array(_rgb(_upright(image)), dtype=np.uint8)
    except ImageError:
        raise
    except MemoryError as error:
        raise _too_many_pixels("that many", limits) from error
    except Exception as error:
        raise ImageError("the image is damaged or ends too early: save or send the whole file again") from error


def _open(data: bytes, limits: PhotoLimits) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels("far too many", limits) from error
    except Exception as error:
        if data[4:8] == b"ftyp" and data[8:11] in (b"hei", b"hev", b"mif", b"msf"):
            raise ImageError("this is a HEIC image, which is not read here: export it as a JPEG") from error
        raise ImageError(f"this is not an image that can be opened: {OFFER}") from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF must not cost the picture it stands beside
        return image
    transpose = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if transpose is None else image.transpose(transpose)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ImageError("the image has floating-point pixels of unknown range: export it with 8 bits per channel")
    if image.mode in SIXTEEN_BIT_MODES:
        return _eight_bit(np.asarray(image))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        # Premultiplied greys have no direct way to RGBA.
        rgba = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        matte = Image.new("RGBA", rgba.size, (*MATTE, 255))
        return Image.alpha_composite(matte, rgba).convert("RGB")
    return image.convert("RGB")


def _eight_bit(grey: NDArray[Any]) -> Image.Image:
    wide = grey.astype(np.int64)
    if wide.size and (wide.min() < 0 or wide.max() > 0xFFFF):
        raise ImageError("the image has more than 16 bits per pixel: export it with 8 bits per channel")
    return Image.fromarray((wide >> 8).astype(np.uint8)).convert("RGB")


def _too_many_pixels(found: str, limits: PhotoLimits) -> ImageError:
    side = math.isqrt(limits.max_pixels)
    return ImageError(
        f"the image declares {found} pixels and at most {limits.max_pixels / 1e6:g} megapixels are accepted "
        f"(about {side} x {side}): scale it down"
    )


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
