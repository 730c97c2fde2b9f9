"""Who reads the degrees of an edit, and FID and KID of many faces at once; no network is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from evaluation.comparison import scores as scores_module
from evaluation.comparison.distances import LEAST_FACES, measure
from evaluation.comparison.faces import Face
from evaluation.comparison.harness import Row
from evaluation.comparison.methods import Reception
from evaluation.comparison.scores import FIGURES, Scores
from evaluation.inception import FEATURES, Inception, fid, kid
from shared.attributes import attribute_names
from shared.errors import WeightsMissing
from shared.phy.uses import ChannelUses

SIDE = 32


def plain(level: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


class Brightness:
    """Reads every degree off a picture's first pixel: level 10 is one degree."""

    def degrees(self, images: np.ndarray) -> np.ndarray:
        return np.repeat(images[:, 0, 0, :1] / 10, len(attribute_names()), 1).astype(np.float32)


class NoNetworks:
    lpips = staticmethod(lambda *_: 0.5)
    identity = staticmethod(lambda _: np.array([1, 0], np.float32))


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> Scores:
    monkeypatch.setattr(scores_module, "FaceMetrics", NoNetworks)
    return Scores(Brightness())


def face(number: int = 0, intended: int = 30) -> Face:
    latent = np.zeros((16, 512), np.float32)
    return Face(f"face {number}", plain(10), latent, {"smiling": 3.0}, latent, plain(intended))


def received(level: int, delivered: bool = True) -> Reception:
    return Reception(plain(level), delivered, ChannelUses(k_payload=1))


def test_success_and_drift_are_read_by_the_reader_given(scores: Scores) -> None:
    figures = scores.of(received(25), face())
    assert set(figures) == set(FIGURES)
    assert figures["edit_success"] == 1  # it reads 2.5 where 3 was wanted
    assert figures["edit_drift"] == pytest.approx(1.5)  # of the others, which read 1 in the photo
    assert (figures["edit_success_unsent"], figures["edit_drift_unsent"]) == (1, 2)
    assert scores.of(received(25), face(intended=10))["edit_success_unsent"] == 0
    assert scores.of(received(19), face())["edit_success"] == 0
    assert scores.of(received(30, delivered=False), face())["edit_success"] == 0


def test_ms_ssim_stands_beside_ssim(scores: Scores) -> None:
    figures = scores.of(received(30), face())
    assert figures["ssim_intended"] == figures["ms_ssim_intended"] == pytest.approx(1)
    assert figures["ms_ssim_photo"] < 1


class Levels(Inception):
    """Features of 2048 that hang on the first pixel; counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def features(self, pictures: np.ndarray) -> np.ndarray:
        self.asked += len(pictures)
        return np.stack([np.random.default_rng(int(one[0, 0, 0])).normal(size=FEATURES) for one in pictures])


def rows(faces: list[Face], method: str) -> list[Row]:
    place = {"fading": "none", "method": method, "k_asked": 10, "snr_db": 6.0}
    return [place | {"number": number} for number in range(len(faces))]


def test_distances_are_of_all_faces_of_a_point_and_features_are_computed_once(tmp_path: Path) -> None:
    faces = [face(number, number) for number in range(LEAST_FACES)]
    network = Levels()

    def shown(row: Row) -> np.ndarray:
        return plain(row["number"] + (100 if row["method"] == "worse" else 0))

    both = rows(faces, "perfect") + rows(faces, "worse")
    found = measure(both, faces, shown, tmp_path, lambda: network)
    perfect, worse = found.at["none", "perfect", 10, 6.0], found.at["none", "worse", 10, 6.0]
    assert found.missing == ""
    assert perfect == (0, 0)
    sets = [np.stack([network.features(plain(n + by)[None])[0] for n in range(LEAST_FACES)]) for by in (100, 0)]
    assert worse == (round(fid(*sets), 2), round(kid(*sets, paired=True), 6))
    asked = network.asked
    assert measure(both, faces, shown, tmp_path, lambda: network) == found
    assert network.asked == asked == 4 * LEAST_FACES  # the two sets here and those of the first run


def test_few_faces_have_no_distance_and_the_network_is_not_asked_for(tmp_path: Path) -> None:
    faces = [face()] * (LEAST_FACES - 1)

    def never() -> Inception:
        raise AssertionError

    found = measure(rows(faces, "x"), faces, lambda _row: plain(0), tmp_path, never)
    assert found.at == {}
    assert f"here are {LEAST_FACES - 1}" in found.missing


def test_a_network_that_was_not_pulled_leaves_the_cells_empty_with_the_command(tmp_path: Path) -> None:
    faces = [face()] * LEAST_FACES

    def absent() -> Inception:
        raise WeightsMissing("it is not there; run: deepsc models pull --evaluation")

    found = measure(rows(faces, "x"), faces, lambda _row: plain(0), tmp_path, absent)
    assert found.at == {}
    assert "deepsc models pull --evaluation" in found.missing
