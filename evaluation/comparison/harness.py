"""Runs an experiment cell by cell. A cell is one face by one method at one operating point; each is kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from channel_sim.randomness import FrameContext
from evaluation.comparison.config import ExperimentConfig, MethodConfig
from evaluation.comparison.faces import Face, Studio, load_faces
from evaluation.comparison.methods import Methods, candidates
from evaluation.comparison.scores import FIGURES, Scores
from evaluation.digital.transport import Scheme
from evaluation.link import Air, Fading
from shared.attribute_predictor import AttributePredictor
from shared.phy.uses import source_dimensions
from shared.pictures import SYNTHETIC_EDITED, encode_png
from shared.weights import fingerprint

Row = dict[str, Any]
"""One cell: where it stands and what was measured."""

Place = tuple[str, str, int, float]
"""An operating point as rows name it: fading, method, asked symbols, SNR in dB."""


@dataclass(frozen=True)
class Point:
    """A method at one operating point."""

    method: MethodConfig
    k: int
    snr_db: float
    fading: Fading


class Experiment:
    """An experiment and its cells.

    Args:
        config: what to run.
        cache: folder where cells and inversions are kept; deleting it costs time only.
        degrees_by: which network `reader` is, for the tables: ``judge`` or ``predictor``.
        reader: reads degrees off what was received; the wishes start from the link's own predictor all the same.
    """

    def __init__(self, config: ExperimentConfig, cache: Path, degrees_by: str, reader: AttributePredictor) -> None:
        self.config, self._cache, self._degrees_by = config, cache, degrees_by
        self.studio = Studio(config.resolution, cache)
        self._methods = Methods(self.studio, config.receiver_refine_steps)
        self._scores = Scores(reader)
        self._weights = fingerprint()
        self._faces: list[Face] = []
        cache.mkdir(parents=True, exist_ok=True)

    def points(self) -> list[Point]:
        """All operating points in their order."""
        config = self.config
        return [
            Point(method, k, snr_db, fading)
            for fading in config.fading
            for method in config.methods
            for k in method.k
            for snr_db in config.snr_db
        ]

    def faces(self) -> list[Face]:
        """The faces; they are edited here and real photos inverted, which takes long the first time."""
        self._faces = self._faces or list(load_faces(self.config, self.studio))
        return self._faces

    def run(self, on_point: Callable[[], None] = lambda: None) -> list[Row]:
        """All rows, one for each face and operating point; what was run before is read back."""
        faces = self.faces()
        rows: list[Row] = []
        for point in self.points():
            rows += self._at(point, faces)
            on_point()
        return rows

    def _at(self, point: Point, faces: list[Face]) -> list[Row]:
        """The rows of the best modulation and rate of those that there are: least mean LPIPS over these very faces."""
        tried = [
            [self._cell(point, scheme, index, face) for index, face in enumerate(faces)]
            for scheme in candidates(point.method, point.snr_db, point.fading)
        ]
        return min(tried, key=lambda rows: float(np.mean([row["lpips_intended"] for row in rows])))

    def _cell(self, point: Point, scheme: Scheme | None, index: int, face: Face) -> Row:
        place = {
            "method": point.method.name,
            "k_asked": point.k,
            "snr_db": point.snr_db,
            "fading": point.fading,
            "face": face.key,
            "seed": self.config.seed,
            "scheme": "" if scheme is None else str(scheme),
        }
        steps = self.config.refine_steps, self.config.receiver_refine_steps
        settings = [*steps, self._weights, self._degrees_by, FIGURES]
        target = json.dumps([place, index, dict(face.targets), settings])
        path = self._cache / f"{hashlib.blake2b(target.encode(), digest_size=12).hexdigest()}.json"
        if path.exists():
            row: Row = json.loads(path.read_text())
            return row
        frame = FrameContext(seed=self.config.seed, stream_id=f"comparison-{index}", sequence=1)
        air = Air.of(point.snr_db, point.fading, frame)
        received = self._methods.send(point.method, face, point.k, point.snr_db, air, scheme)
        n = source_dimensions(self.config.resolution, self.config.resolution)
        uses = received.uses
        row = place | {
            "delivered": received.delivered,
            "source_bytes": received.source_bytes,
            "k_payload": uses.k_payload,
            "k_header": uses.k_header,
            "k_pilot": uses.k_pilot,
            "k_total": uses.k_total,
            "rho": uses.rho(n),
            "rho_payload": uses.rho_payload(n),
            **self._scores.of(received, face),
            "degrees_by": self._degrees_by,
            "picture": f"{path.stem}.png",
        }
        (self._cache / f"{path.stem}.png").write_bytes(encode_png(received.picture, SYNTHETIC_EDITED))
        path.write_text(json.dumps(row))  # last, so that a cell that is there is whole
        return row

    def picture(self, row: Row) -> NDArray[np.uint8]:
        """What was received in a cell."""
        with Image.open(self._cache / row["picture"]) as image:
            return np.asarray(image.convert("RGB"))


def place_of(row: Row) -> Place:
    """The operating point of a row."""
    return row["fading"], row["method"], row["k_asked"], row["snr_db"]


def grouped(rows: list[Row]) -> Iterator[tuple[Row, list[Row]]]:
    """Rows by operating point, each group behind its first row."""
    groups: dict[Place, list[Row]] = {}
    for row in rows:
        groups.setdefault(place_of(row), []).append(row)
    for group in groups.values():
        yield group[0], group
