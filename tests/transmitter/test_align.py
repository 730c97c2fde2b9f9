"""Alignment on a real photograph and on faces of the prior, whose frame is known."""

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from shared.errors import FaceError, WeightsCorrupt, WeightsMissing
from shared.models.catalogue import model_path
from shared.prior.face_prior import broadcast_w
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import resize, to_pictures
from transmitter.align import AlignedFace, AlignmentRules, FaceAligner
from transmitter.face_crop import cut_square, framing
from transmitter.face_detector import FaceDetector
from transmitter.face_mesh import FaceMesh

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def aligner() -> FaceAligner:
    try:
        return FaceAligner.load()
    except WeightsMissing as error:
        pytest.skip(error.message)


@pytest.fixture(scope="module")
def photo() -> Picture:
    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def aligned(aligner: FaceAligner, photo: Picture) -> AlignedFace:
    return aligner.align(photo, 256)


def middle_of(face: AlignedFace) -> tuple[NDArray[np.float64], float]:
    """Centre and side of the square, in photo pixels."""
    square, side_px = framing(face.landmarks)
    return square @ (0.5, 0.5, 1), side_px


def difference(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_astronaut_sits_in_the_ffhq_frame(aligner: FaceAligner, aligned: AlignedFace) -> None:
    assert aligned.image.shape == (256, 256, 3)
    assert aligned.image.dtype == np.uint8
    again = aligner.align(aligned.image, 256)  # aligning the aligned face is doing nothing
    centre, side_px = middle_of(again)
    assert centre + 0.5 == pytest.approx([128, 128], abs=4)
    assert side_px == pytest.approx(256, rel=0.04)
    assert again.roll_deg == pytest.approx(0, abs=2)
    eyes = again.landmarks[:2].mean(axis=0) / 256
    assert eyes == pytest.approx([0.5, 0.469], abs=0.02)


def test_frame_of_a_prior_face_is_found_again(aligner: FaceAligner) -> None:
    try:
        model_path("prior")
    except WeightsMissing as error:
        pytest.skip(error.message)
    prior = MobileStyleGan.load()
    face = to_pictures(resize(prior.synthesis(broadcast_w(prior.mean_w[None])), 512))[0]
    photo = np.full((700, 800, 3), 90, np.uint8)
    photo[100:612, 200:712] = face
    found = aligner.align(photo, 256)
    centre, side_px = middle_of(found)
    assert centre + 0.5 == pytest.approx([456, 356], abs=0.01 * 512)
    assert side_px == pytest.approx(512, rel=0.04)
    assert abs(found.roll_deg) < 1.5
    assert abs(found.yaw_deg) < 10


def test_same_photo_gives_the_same_square(aligner: FaceAligner, photo: Picture, aligned: AlignedFace) -> None:
    assert (aligner.align(photo, 256).image == aligned.image).all()


@pytest.mark.parametrize(("quarter_turns", "roll_deg"), [(1, -90), (2, 180), (3, 90)])
def test_turned_photo_gives_the_upright_face(
    aligner: FaceAligner, photo: Picture, aligned: AlignedFace, quarter_turns: int, roll_deg: float
) -> None:
    turned = aligner.align(np.ascontiguousarray(np.rot90(photo, quarter_turns)), 256)
    assert difference(turned.image, aligned.image) < 8
    assert abs((turned.roll_deg - aligned.roll_deg - roll_deg + 180) % 360 - 180) < 2


def test_yaw_points_where_the_nose_does(aligner: FaceAligner, photo: Picture, aligned: AlignedFace) -> None:
    mirrored = aligner.align(np.ascontiguousarray(photo[:, ::-1]), 256)
    assert mirrored.yaw_deg == pytest.approx(-aligned.yaw_deg, abs=6)
    centre, side_px = middle_of(aligned)
    mirrored_centre, mirrored_side_px = middle_of(mirrored)
    assert mirrored_centre == pytest.approx([511 - centre[0], centre[1]], abs=0.02 * side_px)
    assert mirrored_side_px == pytest.approx(side_px, rel=0.04)


def test_resolution_of_photo_and_square_hardly_matters(
    aligner: FaceAligner, photo: Picture, aligned: AlignedFace
) -> None:
    large = aligner.align(np.ascontiguousarray(photo.repeat(4, axis=0).repeat(4, axis=1)), 256)
    assert large.face_px == pytest.approx(4 * aligned.face_px, rel=0.04)
    assert difference(large.image, aligned.image) < 6
    small = aligner.align(photo, 128).image
    halved = aligned.image.reshape(128, 2, 128, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    assert difference(small, halved) < 2


def test_no_face_is_refused(aligner: FaceAligner) -> None:
    for photo in (np.asarray(skimage.data.coffee()), np.zeros((10, 10, 3), np.uint8), np.zeros((1, 400, 3), np.uint8)):
        with pytest.raises(FaceError, match="no face was found: send"):
            aligner.align(photo, 128)


def test_two_faces_are_counted_and_the_largest_only_on_request(aligner: FaceAligner, photo: Picture) -> None:
    smaller = np.zeros_like(photo)
    smaller[:384, :384] = photo[np.linspace(0, 511, 384).astype(int)][:, np.linspace(0, 511, 384).astype(int)]
    both = np.concatenate([smaller, photo], axis=1)
    with pytest.raises(FaceError, match="2 faces were found: crop"):
        aligner.align(both, 128)
    largest = aligner.align(both, 128, largest=True)
    assert largest.landmarks[:, 0].min() > 512


def test_small_bystander_does_not_count(aligner: FaceAligner, photo: Picture) -> None:
    scene = photo.copy()
    scene[:128, :128] = photo[::4, ::4]
    assert difference(aligner.align(scene, 128).image, aligner.align(photo, 128).image) < 6


def test_too_small_a_face_is_refused_with_its_size(aligner: FaceAligner, photo: Picture) -> None:
    with pytest.raises(FaceError, match=r"too small: its eyes are \d+\.\d pixels apart.*closer"):
        aligner.align(np.ascontiguousarray(photo[::4, ::4]), 128)


def test_face_turned_beyond_the_rule_is_refused(photo: Picture, aligned: AlignedFace) -> None:
    strict = FaceAligner(FaceDetector.load(), FaceMesh.load(), AlignmentRules(max_yaw_deg=abs(aligned.yaw_deg) / 2))
    with pytest.raises(FaceError, match=r"turned away by .* degrees.*both eyes"):
        strict.align(photo, 128)


def test_what_lies_beyond_the_photo_fades_and_does_not_tear(aligner: FaceAligner, photo: Picture) -> None:
    tight = np.ascontiguousarray(photo[60:190, 160:300])
    image = aligner.align(tight, 256).image.astype(int)
    steps = np.abs(np.diff(image[:8], axis=1)).max()
    assert steps < 30  # smooth along the invented upper border
    assert image[0, 0].max() > 0


def test_cut_does_not_alias() -> None:
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    landmarks = np.array([(0.38, 0.47), (0.62, 0.47), (0.5, 0.62), (0.39, 0.73), (0.61, 0.73)]) * 1000
    square = cut_square(stripes, landmarks, 128)[8:-8, 8:-8]
    assert square.std() < 12  # of the 127.5 that came in, where picking single pixels would keep all
    assert square.mean() == pytest.approx(127.5, abs=4)


def test_networks_that_are_not_there_or_not_networks(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("models")
    (folder / "broken").write_bytes(b"not a network")
    for kind in (FaceDetector, FaceMesh):
        with pytest.raises(WeightsMissing, match="deepsc models pull"):
            kind.load(folder / "absent")
        with pytest.raises(WeightsCorrupt, match="does not open"):
            kind.load(folder / "broken")
