"""An independent reader of degrees: what the evaluation believes of edited faces.

`shared.degree_predictor` sits inside the editing loop, so edits are made to please it. The judge has another network
(MobileNetV2 trained on ImageNet, read as it is and with its later half trained on for these questions), sees 160 px,
and no loop or training of the link ever looks at it. Its degrees are made by the predictor's recipe
(``weights/judge.md``), so that they mean the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from evaluation.mobilenet import CHANNELS, SIDE, EarlyLayers, LateLayers
from shared.attributes import MAX_DEGREE, attribute_names
from shared.degree_predictor import DegreeScale
from shared.errors import WeightsCorrupt, WeightsMissing
from shared.tensors import to_tensor
from shared.weights import WEIGHTS

JUDGE_WEIGHTS = WEIGHTS / "judge.safetensors"
CELLS = 5  # the coarse map's side


class Reader(nn.Module):
    """From the late layers' two maps to one score per attribute.

    Cells are kept apart by place: a fringe is up, a beard is down.

    Args:
        width: of the hidden layer.
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        channels = sum(CHANNELS)
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.hidden = nn.Sequential(nn.Dropout(0.5), nn.Linear(channels * CELLS**2, width), nn.ReLU(), nn.Dropout(0.4))
        self.scores = nn.Linear(width, len(attribute_names()))

    def forward(self, middle: Tensor, coarse: Tensor) -> Tensor:
        """``(B, 128, 10, 10)`` and ``(B, 320, 5, 5)`` -> ``(B, A)`` log-odds that each attribute is present."""
        cells = torch.cat((functional.avg_pool2d(middle, 2), coarse), 1)  # (B, 448, 5, 5)
        scores: Tensor = self.scores(self.hidden(self.norm(cells).flatten(1)))
        return scores


class TunedReader(nn.Module):
    """A reader and late layers of its own, which were trained on with it."""

    def __init__(self) -> None:
        super().__init__()
        self.late, self.reader = LateLayers(), Reader()

    def forward(self, fine: Tensor) -> Tensor:
        """``(B, 32, 20, 20)`` -> ``(B, A)`` log-odds that each attribute is present."""
        scores: Tensor = self.reader(*self.late(fine))
        return scores


class JudgeHead(nn.Module):
    """What is trained of the judge: both readers, and the way from their scores to degrees.

    The tuned one knows better whether an attribute is there; the plain one is less sure of itself and so says better
    how much of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.tuned = Reader(), TunedReader()
        self.scale = DegreeScale(torch.arange(MAX_DEGREE + 1.0).repeat(len(attribute_names()), 1))

    def save(self, path: Path) -> None:
        """Writes it as safetensors, large tensors in half precision."""
        tensors = {
            name: (tensor.half() if tensor.dim() > 1 and "scale" not in name else tensor).contiguous()
            for name, tensor in self.state_dict().items()
        }
        save_file(tensors, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads it, for evaluation.

        Raises:
            WeightsMissing: if it is not there.
            WeightsCorrupt: if it is not what it should be.
        """
        if not path.is_file():
            raise WeightsMissing(f"the judge is not at {path}; make it with: python -m training.judge --data DIR")
        head = cls()
        try:
            head.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
        except (SafetensorError, RuntimeError) as error:
            raise WeightsCorrupt(f"{path.name} does not hold the judge; restore it from the repository") from error
        return head.eval()


class DegreeJudge:
    """`AttributePredictor` for the evaluation alone.

    Args:
        early: the early layers as ImageNet left them.
        late: the late ones.
        head: the trained part.
    """

    def __init__(self, early: EarlyLayers, late: LateLayers, head: JudgeHead) -> None:
        self._early, self._late, self._head = early, late, head

    @classmethod
    def load(cls, weights: Path = JUDGE_WEIGHTS, layers: Path | None = None) -> DegreeJudge:
        """Loads the committed part and the layers that ``deepsc models pull --evaluation`` brings.

        Raises:
            WeightsMissing: if one of the files is not there.
            WeightsCorrupt: if one is not what it should be.
        """
        head = JudgeHead.load(weights)
        return cls(EarlyLayers.load(layers), LateLayers.load(layers), head)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` uint8 -> ``(B, A)`` log-odds, in registry order.

        They are means of both readers, of a face and its mirror image.
        """
        with torch.inference_mode():
            faces = to_tensor(images, SIDE)
            fine = self._early(torch.cat((faces, faces.flip(3))))
            both = (self._head.plain(*self._late(fine)) + self._head.tuned(fine)) / 2
            seen, mirrored = both.chunk(2)
            scores: NDArray[np.float32] = ((seen + mirrored) / 2).numpy()
        return scores

    def degrees(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` uint8 -> ``(B, A)`` degrees 0..5, in registry order."""
        return self.to_degrees(self.scores(images))

    def to_degrees(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(B, A)`` log-odds -> ``(B, A)`` degrees 0..5."""
        with torch.inference_mode():
            degrees: NDArray[np.float32] = self._head.scale(torch.from_numpy(scores)).numpy()
        return degrees
