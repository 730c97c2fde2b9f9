"""An independent reader of degrees: what the evaluation believes of edited faces.

`shared.degree_predictor` sits inside the editing loop, so edits are made to please it. The judge has another network
(MobileNetV2 trained on ImageNet, frozen, and a head over its maps), sees 160 px, and no loop or training of the link
ever looks at it. Its degrees are made by the predictor's recipe (``weights/judge.md``), so that they mean the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from evaluation.mobilenet import CHANNELS, SIDE, MobileNetV2
from shared.attributes import MAX_DEGREE, attribute_names
from shared.degree_predictor import DegreeScale
from shared.errors import WeightsCorrupt, WeightsMissing
from shared.tensors import to_tensor
from shared.weights import WEIGHTS

JUDGE_WEIGHTS = WEIGHTS / "judge.safetensors"
CELLS = 5  # the coarse map's side


class JudgeHead(nn.Module):
    """From the trunk's two maps to one score per attribute, and from scores to degrees.

    Cells are kept apart by place: a fringe is up, a beard is down.

    Args:
        width: of the hidden layer.
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        attributes, channels = len(attribute_names()), sum(CHANNELS)
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.hidden = nn.Sequential(nn.Dropout(0.5), nn.Linear(channels * CELLS**2, width), nn.ReLU(), nn.Dropout(0.4))
        self.scores = nn.Linear(width, attributes)
        self.scale = DegreeScale(torch.arange(MAX_DEGREE + 1.0).repeat(attributes, 1))

    def forward(self, middle: Tensor, coarse: Tensor) -> Tensor:
        """``(B, 128, 10, 10)`` and ``(B, 320, 5, 5)`` -> ``(B, A)`` log-odds that each attribute is present."""
        cells = torch.cat((functional.avg_pool2d(middle, 2), coarse), 1)  # (B, 448, 5, 5)
        scores: Tensor = self.scores(self.hidden(self.norm(cells).flatten(1)))
        return scores


class DegreeJudge:
    """`AttributePredictor` for the evaluation alone.

    Args:
        trunk: the frozen features.
        head: the trained part.
    """

    def __init__(self, trunk: MobileNetV2, head: JudgeHead) -> None:
        self._trunk, self._head = trunk, head

    @classmethod
    def load(cls, weights: Path = JUDGE_WEIGHTS, trunk: Path | None = None) -> DegreeJudge:
        """Loads the committed head and the trunk that ``deepsc models pull --evaluation`` brings.

        Raises:
            WeightsMissing: if one of the files is not there.
            WeightsCorrupt: if one is not what it should be.
        """
        if not weights.is_file():
            raise WeightsMissing(f"the judge is not at {weights}; make it with: python -m training.judge --data DIR")
        head = JudgeHead()
        try:
            head.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
        except (SafetensorError, RuntimeError) as error:
            raise WeightsCorrupt(f"{weights.name} does not hold the judge; restore it from the repository") from error
        return cls(MobileNetV2.load(trunk), head.eval().requires_grad_(False))

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` uint8 -> ``(B, A)`` log-odds, in registry order."""
        with torch.inference_mode():
            scores: NDArray[np.float32] = self._head(*self._trunk(to_tensor(images, SIDE))).numpy()
        return scores

    def degrees(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` uint8 -> ``(B, A)`` degrees 0..5, in registry order."""
        with torch.inference_mode():
            degrees: NDArray[np.float32] = self._head.scale(torch.from_numpy(self.scores(images))).numpy()
        return degrees
