"""The picture that shows a whole conversation: a row per turn, from the photo to what arrived."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from shared.pictures import Picture

PANEL = 384
"""Side of every panel, in pixels."""

MARGIN = 12
CAPTION = 26
TEXT_SIZE = 17
PAPER, INK, FAINT = "white", "black", (225, 225, 225)

Panel = tuple[str, Image.Image | None]
"""A label, and the picture under it, or ``None`` where none arrived."""


def open_png(data: bytes) -> Image.Image:
    """One of our own PNG files."""
    return Image.open(BytesIO(data), formats=["PNG"]).convert("RGB")


def open_photo(data: bytes) -> Image.Image | None:
    """The user's photo as it should be looked at; ``None`` if it cannot be opened here."""
    try:
        with Image.open(BytesIO(data)) as image:
            image.thumbnail((2 * PANEL, 2 * PANEL))
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError):
        return None


def side_by_side(rows: Sequence[tuple[str, Sequence[Panel]]]) -> Picture:
    """Draws one row of labelled panels per turn.

    Args:
        rows: a headline, and the panels from left to right.

    Returns:
        RGB ``(H, W, 3)``.
    """
    columns = max(len(panels) for _, panels in rows)
    row_height = 2 * CAPTION + PANEL + MARGIN
    size = (MARGIN + columns * (PANEL + MARGIN), MARGIN + len(rows) * row_height)
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT_SIZE)
    for row, (headline, panels) in enumerate(rows):
        top = MARGIN + row * row_height
        pen.text((MARGIN, top), _shortened(headline, pen, font, size[0] - 2 * MARGIN), INK, font)
        for column, (label, picture) in enumerate(panels):
            left = MARGIN + column * (PANEL + MARGIN)
            pen.text((left, top + CAPTION), _shortened(label, pen, font, PANEL), INK, font)
            corner = (left, top + 2 * CAPTION)
            if picture is None:
                pen.rectangle((*corner, corner[0] + PANEL - 1, corner[1] + PANEL - 1), FAINT)
                pen.text((left + MARGIN, corner[1] + MARGIN), "nothing arrived", INK, font)
            else:
                fitted = ImageOps.contain(picture, (PANEL, PANEL), Image.Resampling.LANCZOS)
                offset = (PANEL - fitted.width) // 2, (PANEL - fitted.height) // 2
                sheet.paste(fitted, (corner[0] + offset[0], corner[1] + offset[1]))
    return np.asarray(sheet, dtype=np.uint8)


def _shortened(
    text: str, pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> str:
    if pen.textlength(text, font) <= width:
        return text
    while text and pen.textlength(text + "...", font) > width:
        text = text[:-1]
    return text + "..."
