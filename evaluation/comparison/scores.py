"""Every measure of one received face, against the intended edit and against the original photo."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evaluation.comparison.faces import Face, key_of
from evaluation.comparison.methods import Reception
from evaluation.metrics import psnr_db, ssim
from evaluation.ms_ssim import ms_ssim
from evaluation.source_codec import Picture
from shared.attribute_predictor import AttributePredictor
from shared.attributes import attribute_names
from shared.perceptual.face_metrics import FaceMetrics

FIGURES = (
    "lpips_intended", "identity_intended", "psnr_db_intended", "ssim_intended", "ms_ssim_intended",
    "lpips_photo", "identity_photo", "psnr_db_photo", "ssim_photo", "ms_ssim_photo", "edit_success", "edit_drift",
    "edit_success_unsent", "edit_drift_unsent",
)  # fmt: skip
"""What `Scores.of` measures, by name; the last two are of the intended face, before any channel."""

BEST_PSNR_DB = 100.0
"""What equal pictures count as, so that means stay finite."""

CLOSE_DEGREES = 1.0
"""An edit has succeeded within this many degrees of its target."""


class Scores:
    """Judges receptions; the networks are loaded once.

    Args:
        reader: reads degrees off what was received and off the photo, for success and drift.
    """

    def __init__(self, reader: AttributePredictor) -> None:
        self._reader, self._metrics = reader, FaceMetrics()
        self._known: dict[tuple[str, str, str, str, bool], dict[str, float]] = {}
        self._references: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}

    def of(self, reception: Reception, face: Face) -> dict[str, float]:
        """Figures by name; the identity of a face that did not arrive counts as 0, and its edit as failed."""
        key = key_of(reception.picture), face.key, key_of(face.intended), str(face.targets), reception.delivered
        if key not in self._known:  # the same file arrives at many operating points
            self._known[key] = self._judge(reception, face)
        return self._known[key]

    def _judge(self, reception: Reception, face: Face) -> dict[str, float]:
        shown = reception.picture
        figures: dict[str, float] = {}
        identity, after = self._look(shown)
        degrees_of = {}
        for name, reference in (("intended", face.intended), ("photo", face.photo)):
            whose, degrees_of[name] = self._look_at_reference(reference)
            figures[f"lpips_{name}"] = self._metrics.lpips(shown, reference)
            figures[f"identity_{name}"] = float(identity @ whose) if reception.delivered else 0.0
            figures[f"psnr_db_{name}"] = min(psnr_db(shown, reference), BEST_PSNR_DB)
            figures[f"ssim_{name}"] = ssim(shown, reference)
            figures[f"ms_ssim_{name}"] = ms_ssim(shown, reference)
        wanted = np.array([face.targets.get(name, math.nan) for name in attribute_names()])
        asked = ~np.isnan(wanted)
        for name, degrees in (("", after), ("_unsent", degrees_of["intended"])):
            reached = bool((np.abs(degrees - wanted)[asked] <= CLOSE_DEGREES).all())
            figures[f"edit_success{name}"] = float(reached)
            figures[f"edit_drift{name}"] = float(np.abs(degrees - degrees_of["photo"])[~asked].mean())
        figures["edit_success"] *= reception.delivered
        return {name: round(float(value), 6) for name, value in figures.items()}

    def _look(self, picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Identity ``(128,)`` and degrees ``(A,)``."""
        return self._metrics.identity(picture), self._reader.degrees(picture[None])[0]

    def _look_at_reference(self, picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same of a picture that every method is held against: looked at once."""
        key = key_of(picture)
        if key not in self._references:
            self._references[key] = self._look(picture)
        return self._references[key]
