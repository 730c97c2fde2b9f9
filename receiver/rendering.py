"""Latent to picture, each resolution once, off the event loop."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from receiver.faces import Face, RenderedPicture
from shared.attribute_predictor import AttributePredictor, degrees_of
from shared.pictures import SYNTHETIC_EDITED, encode_png

if TYPE_CHECKING:
    from shared.prior.backend import InferenceBackend


class Renderer:
    """Draws faces and judges what it drew.

    Args:
        backend: latent to picture.
        predictor: picture to degrees.
        executor: where the two run.
    """

    def __init__(self, backend: InferenceBackend, predictor: AttributePredictor, executor: Executor) -> None:
        self._backend = backend
        self._predictor = predictor
        self._executor = executor

    async def picture(self, face: Face, resolution: int) -> RenderedPicture:
        """``face`` at ``resolution`` pixels a side; drawn once and then remembered with the face."""
        ready = face.pictures.get(resolution)
        if ready is None:
            loop = asyncio.get_running_loop()
            ready = await loop.run_in_executor(self._executor, self._draw, face, resolution)
            face.pictures[resolution] = ready
        return ready

    def _draw(self, face: Face, resolution: int) -> RenderedPicture:
        started = time.perf_counter()
        image = self._backend.render(face.w_plus[None], resolution)[0]
        degrees = degrees_of(self._predictor, image)
        png = encode_png(image, SYNTHETIC_EDITED)
        return RenderedPicture(png, resolution, degrees, 1e3 * (time.perf_counter() - started))
