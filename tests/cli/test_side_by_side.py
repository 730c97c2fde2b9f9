from __future__ import annotations

import numpy as np
from PIL import Image

from cli.side_by_side import PANEL, open_photo, side_by_side
from shared.pictures import encode_png


def panel(colour: str) -> Image.Image:
    return Image.new("RGB", (64, 32), colour)


def test_a_sheet_has_a_row_per_turn_and_a_column_per_panel():
    rows = [("one", [("a", panel("red")), ("b", panel("lime"))]), ("two", [("a", panel("blue")), ("b", None)])]
    sheet = side_by_side(rows)
    assert sheet.shape[1] > 2 * PANEL
    assert sheet.shape[0] > 2 * PANEL
    for colour in ([255, 0, 0], [0, 255, 0], [0, 0, 255]):
        assert (sheet == colour).all(axis=2).sum() == PANEL * PANEL // 2  # wide pictures are fitted, not cut


def test_a_label_that_is_too_long_is_cut_and_does_not_run_into_the_next():
    short = side_by_side([("h", [("x", panel("red"))])])
    long = side_by_side([("h" * 500, [("x" * 500, panel("red"))])])
    assert long.shape == short.shape
    assert (long[:, -5:] == 255).all()


def test_a_photo_that_cannot_be_opened_is_left_out_and_one_that_can_is_reduced():
    assert open_photo(b"junk") is None
    opened = open_photo(encode_png(np.zeros((3000, 1500, 3), np.uint8)))
    assert opened is not None
    assert max(opened.size) <= 2 * PANEL
