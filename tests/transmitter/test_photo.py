"""What `read_photo` makes of good, odd and hostile files."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from shared.errors import ImageError
from transmitter.photo import PhotoLimits, read_photo

LEFT_RED = np.zeros((40, 60, 3), np.uint8)
LEFT_RED[:, :30, 0] = 255  # left half red, right half black, wider than tall


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png(pixels: NDArray[Any]) -> bytes:
    return saved(Image.fromarray(pixels), "PNG")


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"])
def test_every_format_gives_the_picture(file_format: str) -> None:
    picture = read_photo(saved(Image.fromarray(LEFT_RED), file_format))
    assert picture.shape == (40, 60, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    assert abs(picture[20, 10].astype(int) - (255, 0, 0)).max() < 12
    assert picture[20, 50].max() < 12


@pytest.mark.parametrize(
    ("orientation", "red_side"),
    [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (5, "top"), (6, "top"), (7, "bottom"), (8, "bottom")],
)
def test_exif_orientation_is_applied(orientation: int, red_side: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_photo(saved(Image.fromarray(LEFT_RED), "PNG", exif=exif)).astype(int)
    assert picture.shape == ((40, 60, 3) if orientation < 5 else (60, 40, 3))
    red = picture[..., 0]
    halves = {"left": red[:, :20], "right": red[:, -20:], "top": red[:20], "bottom": red[-20:]}
    assert halves[red_side].min() == 255
    assert max(half.max() for side, half in halves.items() if side == _opposite(red_side)) == 0


def _opposite(side: str) -> str:
    return {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[side]


def test_transparent_pixels_show_mid_grey() -> None:
    pixels = np.dstack([LEFT_RED, np.where(LEFT_RED[..., 0] > 0, 255, 0).astype(np.uint8)])
    picture = read_photo(png(pixels))
    assert picture[20, 10].tolist() == [255, 0, 0]
    assert picture[20, 50].tolist() == [128, 128, 128]


def test_palette_with_a_transparent_colour_shows_mid_grey() -> None:
    palette = Image.fromarray(LEFT_RED).quantize(2)
    black = palette.getpixel((50, 20))
    assert read_photo(saved(palette, "PNG", transparency=black))[20, 50].tolist() == [128, 128, 128]


def test_sixteen_bit_grey_keeps_its_upper_bits() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(8, axis=0)
    picture = read_photo(png(ramp))
    assert (picture == (ramp >> 8)[..., None]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "I"])
def test_other_colour_models_become_rgb(mode: str) -> None:
    grey = Image.fromarray(np.full((16, 16), 200, np.uint8))
    image = grey.convert("RGB").convert(mode) if mode not in ("I", "LA") else grey.convert(mode)
    picture = read_photo(saved(image, "TIFF"))
    assert picture.shape == (16, 16, 3)


def test_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    for file_format in ("GIF", "WEBP", "PNG"):
        data = saved(frames[0], file_format, save_all=True, append_images=frames[1:])
        assert abs(read_photo(data)[0, 0].astype(int) - (255, 0, 0)).max() < 12


def test_empty_and_oversized_files_are_refused_with_advice() -> None:
    with pytest.raises(ImageError, match="empty"):
        read_photo(b"")
    with pytest.raises(ImageError, match=r"at most 0\.0 MiB.*save it smaller"):
        read_photo(png(LEFT_RED), PhotoLimits(max_bytes=10))


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    bomb = saved(Image.new("1", (9000, 9000)), "PNG")  # 81 megapixels in a few kilobytes
    assert len(bomb) < 20_000
    with pytest.raises(ImageError, match=r"9000 x 9000.*50 megapixels.*scale it down"):
        read_photo(bomb)


def test_pillows_own_bomb_limits_give_the_same_error() -> None:
    for side in (10_000, 14_000):  # Pillow warns of the first and refuses the second
        with pytest.raises(ImageError, match="scale it down"):
            read_photo(saved(Image.new("1", (side, side)), "PNG"))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP"])
def test_truncated_files_are_refused(file_format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), file_format)
    with pytest.raises(ImageError, match=r"damaged|not an image"):
        read_photo(data[: len(data) * 2 // 3])


def test_what_is_no_image_is_refused_with_the_formats() -> None:
    for data in (b"hello", b"%PDF-1.7 ...", b"<svg/>", bytes(1000)):
        with pytest.raises(ImageError, match="send a JPEG, PNG"):
            read_photo(data)
    with pytest.raises(ImageError, match=r"HEIC.*export"):
        read_photo(b"\x00\x00\x00\x18ftypheic" + bytes(100))


def test_floating_point_pictures_are_refused() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        read_photo(saved(Image.fromarray(np.ones((8, 8), np.float32)), "TIFF"))


def test_damaged_exif_does_not_cost_the_picture() -> None:
    data = saved(Image.fromarray(LEFT_RED), "JPEG", exif=b"Exif\x00\x00" + b"\xff" * 30)
    assert read_photo(data).shape == (40, 60, 3)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some damage that it can live with
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    file_format=st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"]),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    keep=st.floats(0.05, 1),
)
def test_damage_gives_a_picture_or_an_image_error(
    file_format: str, flips: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(saved(Image.fromarray(LEFT_RED), file_format))
    for position, value in flips:
        data[int(position * len(data))] = value
    try:
        picture = read_photo(bytes(data[: max(1, int(keep * len(data)))]), PhotoLimits(max_pixels=1_000_000))
    except ImageError:
        return
    assert picture.ndim == 3
    assert picture.shape[2] == 3


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_an_image_error(data: bytes) -> None:
    with pytest.raises(ImageError):
        read_photo(data)
