"""The faces of an experiment, each with what the sender knows of it and with the edit that is meant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluation.comparison.config import DataConfig, ExperimentConfig
from evaluation.source_codec import Picture, resized
from evaluation.sweep import sample_latents
from shared.attributes import MAX_DEGREE, attribute_names
from shared.codec.codec import Latent
from shared.degree_predictor import DegreePredictor
from shared.errors import InvalidInput
from shared.prior.backend import make_backend
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import committed, fingerprint
from training.celeba import iter_faces
from transmitter.inverter import Inverter, Refinement, ignore_progress
from transmitter.models import load_editor, load_inverter

PICTURE_FILES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, eq=False)
class Face:
    """One face and its edit.

    Attributes:
        key: hash of the photo.
        photo: aligned, ``(S, S, 3)``.
        w_plus: its latent ``(16, 512)``: the true one of a sampled face, else the inversion's.
        targets: wanted degree by attribute.
        edited: the latent after the edit.
        intended: what ``edited`` looks like, ``(S, S, 3)``.
    """

    key: str
    photo: Picture
    w_plus: Latent
    targets: Mapping[str, float]
    edited: Latent
    intended: Picture


class Studio:
    """Draws, inverts and edits; every method is given the same one.

    Args:
        side: of the pictures.
        cache: folder for inversions.
    """

    def __init__(self, side: int, cache: Path) -> None:
        self.side, self._cache = side, cache
        self.prior = MobileStyleGan.load()
        self._backend = make_backend(prior=self.prior)
        self.predictor = DegreePredictor.load(committed("degrees.safetensors"))
        self._editor = load_editor(self.prior)
        self._weights = fingerprint("encoder.safetensors", "curvature.safetensors")

    @cached_property
    def _inverter(self) -> Inverter:
        return load_inverter(self.prior)

    def draw(self, w_plus: Latent) -> Picture:
        """``(16, 512)`` -> ``(side, side, 3)``."""
        picture: Picture = self._backend.render(w_plus[None], self.side)[0]
        return picture

    def edit(self, w_plus: Latent, targets: Mapping[str, float]) -> Latent:
        """The latent that shows the wanted degrees, as near as the editor comes."""
        return self._editor.edit(w_plus, targets, snr_db=None).w_plus

    def degrees(self, picture: Picture) -> NDArray[np.float32]:
        """Degrees of every attribute, ``(A,)`` in registry order."""
        degrees: NDArray[np.float32] = self.predictor.degrees(picture[None])[0]
        return degrees

    def invert(self, picture: Picture, refine_steps: int) -> Latent:
        """The latent of an aligned picture; kept on disk for these weights of the inverter: it takes seconds."""
        path = self._cache / f"latent_{key_of(picture)}_{refine_steps}_{self._weights}.npy"
        if path.exists():
            latent: Latent = np.load(path)
            return latent
        latent = self._inverter.invert(picture, Refinement(refine_steps), ignore_progress).w_plus
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, latent)
        return latent


def load_faces(config: ExperimentConfig, studio: Studio) -> Iterator[Face]:
    """The experiment's faces in their order."""
    for index, (photo, known) in enumerate(_photos(config.data, config.seed, studio)):
        w_plus = studio.invert(photo, config.refine_steps) if known is None else known
        before = studio.degrees(photo)
        names = attribute_names()
        change = config.edits[index % len(config.edits)]
        unknown = set(change) - set(names)
        if unknown:
            raise InvalidInput(f"there is no attribute {min(unknown)!r}; there are {', '.join(names)}")
        targets = {
            name: float(np.clip(before[names.index(name)] + step, 0, MAX_DEGREE)) for name, step in change.items()
        }
        edited = studio.edit(w_plus, targets)
        yield Face(key_of(photo), photo, w_plus, targets, edited, studio.draw(edited))


def key_of(picture: Picture) -> str:
    """A short hash of the pixels."""
    return hashlib.blake2b(np.ascontiguousarray(picture).tobytes(), digest_size=8).hexdigest()


def _photos(data: DataConfig, seed: int, studio: Studio) -> Iterator[tuple[Picture, Latent | None]]:
    """Pictures, and their latents where they are known."""
    if data.source == "prior":
        for w_plus in sample_latents(studio.prior, data.count, seed):
            yield studio.draw(w_plus), w_plus
        return
    if data.path is None or not data.path.is_dir():
        raise InvalidInput(f"data.path names no folder: {data.path}")
    if data.source == "celeba":
        pictures = (picture for _, picture in iter_faces(data.path, "val", studio.side))
    else:
        files = sorted(file for file in data.path.iterdir() if file.suffix.lower() in PICTURE_FILES)
        pictures = (resized(_square(file), studio.side) for file in files)
    for picture, _ in zip(pictures, range(data.count), strict=False):
        yield picture, None


def _square(file: Path) -> Picture:
    with Image.open(file) as image:
        picture = np.asarray(image.convert("RGB"))
    if picture.shape[0] != picture.shape[1]:
        raise InvalidInput(f"{file} is not square: give aligned faces")
    return picture
