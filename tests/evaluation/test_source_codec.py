"""Image codecs fitted to a number of bytes, with and without their containers."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from evaluation.image_codecs import Container, SourceName, available, make
from evaluation.source_codec import Picture, fit, grey, resized, unfit
from shared.errors import InvalidInput

CONTAINERS: tuple[Container, ...] = ("whole", "stripped")


@pytest.fixture(scope="module")
def picture() -> Picture:
    return resized(astronaut()[:224, 120:344], 128)


@pytest.mark.parametrize("name", available())
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("budget", [500, 3000])
def test_fitted_file_keeps_the_budget_and_comes_back(
    name: SourceName, container: Container, budget: int, picture: Picture
) -> None:
    codec = make(name, container)
    fitted = fit(codec, picture, budget)
    if name == "jpeg" and container == "whole" and budget == 500:
        assert fitted is None
        return
    assert fitted is not None
    assert len(fitted.data) <= budget
    shown = unfit(codec, fitted.data, 128)
    assert shown.shape == picture.shape
    error = np.abs(shown.astype(int) - picture).mean()
    assert error < np.abs(grey(128).astype(int) - picture).mean() / 3


@pytest.mark.parametrize("name", [name for name in available() if name != "jxl"])
def test_stripped_file_is_smaller_and_restored_exactly(name: SourceName, picture: Picture) -> None:
    whole, stripped = make(name, "whole"), make(name, "stripped")
    for quality in (whole.qualities[5], whole.qualities[40]):
        file, data = whole.encode(picture, quality), stripped.encode(picture, quality)
        assert len(data) < len(file)
        assert np.array_equal(whole.decode(file, 128, quality), stripped.decode(data, 128, quality))


def test_more_bytes_never_look_worse(picture: Picture) -> None:
    codec = make("webp", "stripped")
    errors = []
    for budget in (200, 400, 800, 1600):
        fitted = fit(codec, picture, budget)
        assert fitted is not None
        errors.append(np.mean((unfit(codec, fitted.data, 128).astype(float) - picture) ** 2))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("name", available())
def test_bytes_that_are_no_picture_are_refused(name: SourceName) -> None:
    with pytest.raises(InvalidInput):
        unfit(make(name, "whole"), bytes([4, 9]) + b"not a picture", 128)
    with pytest.raises(InvalidInput):
        unfit(make(name, "whole"), b"\xff", 128)
