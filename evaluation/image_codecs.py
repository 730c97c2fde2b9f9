"""JPEG, JPEG 2000, WebP, AVIF and JPEG XL, each with its container whole and stripped of what a receiver could know.

At these sizes a file's container is a large part of it. Stripped, a file loses what it has in common with any file of
the same codec, side and quality: the receiver takes that from a file of its own, made of a mid-grey picture, and sets
the lengths. A sender checks that this works, so nothing is assumed. JPEG XL's bare codestream has hardly a container.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from evaluation.source_codec import Picture, SourceCodec, grey
from shared.errors import InvalidInput

SourceName = Literal["jpeg", "jpeg2000", "webp", "avif", "jxl"]
SOURCE_NAMES: tuple[SourceName, ...] = get_args(SourceName)

Container = Literal["whole", "stripped"]


@dataclass(frozen=True)
class Format:
    """How Pillow is asked for one codec.

    Attributes:
        pillow: its name there.
        qualities: settings, the worst first.
        options: what a quality means to Pillow.
        strip: file -> what a receiver could not know; None where there is nothing to strip.
        restore: that, and a file of the same side and quality, to the file.
    """

    pillow: str
    qualities: Sequence[int]
    options: Callable[[int], dict[str, Any]]
    strip: Callable[[bytes], bytes] | None
    restore: Callable[[bytes, bytes], bytes] | None


class PillowCodec:
    """`SourceCodec` through Pillow.

    Args:
        name: of the codec.
        container: whether to send whole files or stripped ones.

    Raises:
        InvalidInput: if it cannot be had: JPEG XL needs ``pillow-jxl-plugin``, and has nothing to strip.
    """

    def __init__(self, name: SourceName, container: Container = "stripped") -> None:
        self.name: str = name
        self._source, self._format = name, FORMATS[name]
        if name == "jxl":
            if find_spec("pillow_jxl") is None:
                raise InvalidInput("JPEG XL needs the package pillow-jxl-plugin: pip install '.[evaluation]'")
            import pillow_jxl  # noqa: F401  registers the format with Pillow
        self._stripped = container == "stripped" and self._format.strip is not None
        self.qualities = self._format.qualities

    def encode(self, picture: Picture, quality: int) -> bytes:
        """See `SourceCodec.encode`; a file whose stripped form would not come back whole is a fault of this module."""
        file = self._file(picture, quality)
        if not self._stripped:
            return file
        assert self._format.strip is not None
        data = self._format.strip(file)
        if self._restored(data, picture.shape[0], quality) != file:
            raise RuntimeError(f"a stripped {self.name} file of {picture.shape[0]} px at {quality} is not restored")
        return data

    def decode(self, data: bytes, side: int, quality: int) -> Picture:
        """See `SourceCodec.decode`."""
        file = self._restored(data, side, quality) if self._stripped else data
        try:
            with Image.open(BytesIO(file), formats=[self._format.pillow]) as image:
                picture = np.asarray(image.convert("RGB"))
        except Exception as error:  # decoders raise whatever they stumble over
            raise InvalidInput(f"these bytes are no {self.name} picture") from error
        if picture.shape != (side, side, 3):
            raise InvalidInput(f"a picture of {picture.shape[:2]} came where one of {side} px was announced")
        return picture

    def _file(self, picture: Picture, quality: int) -> bytes:
        buffer = BytesIO()
        Image.fromarray(picture).save(buffer, self._format.pillow, **self._format.options(quality))
        return buffer.getvalue()

    def _restored(self, data: bytes, side: int, quality: int) -> bytes:
        assert self._format.restore is not None
        return self._format.restore(data, _template(self._source, side, quality))


@cache
def _template(name: SourceName, side: int, quality: int) -> bytes:
    """The file that both ends can make."""
    return PillowCodec(name, "whole")._file(grey(side), quality)


def _strip_jpeg(file: bytes) -> bytes:
    return file[_jpeg_header(file) : -2]


def _restore_jpeg(data: bytes, template: bytes) -> bytes:
    return template[: _jpeg_header(template)] + data + b"\xff\xd9"


def _jpeg_header(file: bytes) -> int:
    """Where the entropy-coded scan begins; the tables before it follow from the quality."""
    scan = file.index(b"\xff\xda")
    return scan + 2 + int.from_bytes(file[scan + 2 : scan + 4], "big")


#: RIFF, length, WEBP, "VP8 ", length; then the frame's tag of three bytes, its start code and its two sides.
_WEBP_TAG, _WEBP_DATA = 20, 30


def _strip_webp(file: bytes) -> bytes:
    size = int.from_bytes(file[16:20], "little")
    return file[_WEBP_TAG : _WEBP_TAG + 3] + file[_WEBP_DATA : _WEBP_TAG + size]


def _restore_webp(data: bytes, template: bytes) -> bytes:
    frame = data[:3] + template[_WEBP_TAG + 3 : _WEBP_DATA] + data[3:]
    padded = frame + bytes(len(frame) % 2)
    length = (len(padded) + 12).to_bytes(4, "little")
    return b"RIFF" + length + template[8:16] + len(frame).to_bytes(4, "little") + padded


def _strip_avif(file: bytes) -> bytes:
    return file[file.index(b"mdat") + 4 :]


def _restore_avif(data: bytes, template: bytes) -> bytes:
    box = template.index(b"mdat")
    header, old = template[: box - 4], len(template) - box - 4
    location = header.index(b"iloc")  # the box that names the item's length
    length = header.index(old.to_bytes(4, "big"), location)
    header = header[:length] + len(data).to_bytes(4, "big") + header[length + 4 :]
    return header + (len(data) + 8).to_bytes(4, "big") + b"mdat" + data


#: Start of tile: marker, its length, tile, Psot, part, parts; then the marker of the data.
_TILE_BYTES = 14


def _strip_jpeg2000(file: bytes) -> bytes:
    return file[file.index(b"\xff\x90") + _TILE_BYTES : -2]


def _restore_jpeg2000(data: bytes, template: bytes) -> bytes:
    tile = template.index(b"\xff\x90")
    length = (len(data) + _TILE_BYTES).to_bytes(4, "big")
    return template[: tile + 6] + length + template[tile + 10 : tile + _TILE_BYTES] + data + b"\xff\xd9"


FORMATS: dict[SourceName, Format] = {
    "jpeg": Format("JPEG", range(1, 96), lambda q: {"quality": q}, _strip_jpeg, _restore_jpeg),
    "jpeg2000": Format(
        "JPEG2000",
        range(10, 81),
        lambda q: {"quality_mode": "dB", "quality_layers": [q / 2 + 10], "irreversible": True, "no_jp2": True},
        _strip_jpeg2000,
        _restore_jpeg2000,
    ),
    "webp": Format("WEBP", range(0, 101), lambda q: {"quality": q, "method": 6}, _strip_webp, _restore_webp),
    "avif": Format(
        "AVIF", range(0, 101), lambda q: {"quality": q, "speed": 6, "max_threads": 1}, _strip_avif, _restore_avif
    ),
    "jxl": Format("JXL", range(1, 101), lambda q: {"quality": q, "effort": 7, "num_threads": 1}, None, None),
}


def available() -> list[SourceName]:
    """The codecs that can be used here."""
    return [name for name in SOURCE_NAMES if name != "jxl" or find_spec("pillow_jxl")]


def make(name: SourceName, container: Container) -> SourceCodec:
    """The codec called ``name``."""
    return PillowCodec(name, container)
