"""SFace (Zhong et al., arXiv 2205.12010): the identity judge. A metric, never a loss.

It runs in ONNX Runtime and gives no gradient, so nothing can be trained to please it by accident.
"""

from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import model_path
from shared.perceptual.crop import recognition_crop

EMBEDDING_DIM = 128


class SFace:
    """Unit-length identity embeddings of FFHQ-framed faces. Safe to share between threads.

    Two pictures of one person usually score above 0.36 (the threshold of its authors for photographs), strangers
    around 0.

    Example::

        judge = SFace.load()
        cosine = judge.cosine(received, intended)    # each (S, S, 3) uint8 RGB
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        if not path.is_file():
            raise WeightsMissing(f"{path} is not there; run: deepsc models pull")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's errors have no public base class
            raise WeightsCorrupt(f"{path} does not open as a network; delete it and run: deepsc models pull") from error
        self._input = self._session.get_inputs()[0].name

    @classmethod
    def load(cls, path: Path | None = None, threads: int = 1) -> Self:
        """Return the judge with the network at `path`, by default the pulled one.

        Raises `WeightsMissing` when the file is not there, `WeightsCorrupt` when it does not open.
        """
        return cls(path or model_path("sface"), threads)

    def embed(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed one FFHQ-framed square `(S, S, 3)` uint8 RGB: `(128,)` of length 1."""
        if face.ndim != 3 or face.shape[0] != face.shape[1] or face.shape[2] != 3 or face.dtype != np.uint8:
            raise ValueError(f"expected (S, S, 3) uint8, got {face.shape} {face.dtype}")
        square = torch.from_numpy(face.astype(np.float32)).permute(2, 0, 1)[None]  # RGB, 0 to 255, as it was trained
        (embedding,) = self._session.run(None, {self._input: recognition_crop(square).numpy()})
        unit: NDArray[np.float32] = embedding[0] / np.linalg.norm(embedding[0])
        return unit

    def cosine(self, face: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
        """Return the cosine of the identities of two FFHQ-framed squares `(S, S, 3)` uint8; 1 is the same picture."""
        return float(self.embed(face) @ self.embed(other))
