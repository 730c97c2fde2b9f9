"""A face in the terminal: as a picture where the terminal can, else as coloured half blocks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from io import BytesIO
from typing import Literal

from PIL import Image

Protocol = Literal["kitty", "iterm", "blocks"]

COLUMNS = 40
"""Width of the preview in characters."""

_CHUNK = 4096


def protocol(environment: Mapping[str, str]) -> Protocol:
    """What the terminal behind ``environment`` understands, as far as its variables tell."""
    if environment.get("KITTY_WINDOW_ID") or environment.get("TERM") in ("xterm-kitty", "xterm-ghostty"):
        return "kitty"
    if environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm"):
        return "iterm"
    return "blocks"


def preview(png: bytes, way: Protocol) -> str:
    """What to write to a terminal to show a PNG file."""
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        small = image.convert("RGB").resize((8 * COLUMNS, 8 * COLUMNS), Image.Resampling.LANCZOS)
    if way == "blocks":
        return _half_blocks(small)
    data = BytesIO()
    small.save(data, "PNG")
    text = base64.b64encode(data.getvalue()).decode()
    if way == "iterm":
        return f"\x1b]1337;File=inline=1;width={COLUMNS}:{text}\a\n"
    chunks = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    head = f"a=T,f=100,c={COLUMNS},"
    parts = []
    for number, chunk in enumerate(chunks):
        more = int(number < len(chunks) - 1)
        parts.append(f"\x1b_G{head if number == 0 else ''}m={more};{chunk}\x1b\\")
    return "".join(parts) + "\n"


def _half_blocks(image: Image.Image) -> str:
    """Two pixels a character: the upper one in the foreground colour, the lower one in the background's."""
    small = image.resize((COLUMNS, COLUMNS), Image.Resampling.BOX)
    lines = []
    for top in range(0, COLUMNS, 2):
        cells = []
        for column in range(COLUMNS):
            upper, lower = (small.getpixel((column, row)) for row in (top, top + 1))
            cells.append(f"\x1b[38;2;{_rgb(upper)};48;2;{_rgb(lower)}m▀")
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines) + "\n"


def _rgb(pixel: object) -> str:
    assert isinstance(pixel, tuple)
    return ";".join(str(value) for value in pixel)
