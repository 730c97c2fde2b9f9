"""From the FFHQ framing, which every face here has, to the 112 px framing that recognition networks are trained on.

Both framings hold the eyes and the mouth at known places, so one fixed similarity leads from one to the other and no
landmarks are needed. It has no rotation: both framings level the eyes.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

CROP_SIDE = 112
#: Mean eyes, nose tip and mouth corners in the FFHQ framing, as fractions of the side (x, y).
FFHQ_POINTS = ((0.3755, 0.470), (0.6245, 0.470), (0.500, 0.622), (0.385, 0.728), (0.615, 0.728))
#: The same points in pixels of the 112 px framing (Deng et al., "ArcFace", CVPR 2019; their public template).
ARCFACE_POINTS = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))


def crop_box() -> tuple[float, float, float]:
    """Return left, top and side of the crop as fractions of the FFHQ square: the least-squares fit of the points."""
    source = torch.tensor(FFHQ_POINTS, dtype=torch.float64)
    target = torch.tensor(ARCFACE_POINTS, dtype=torch.float64)
    centred = source - source.mean(0)
    scale = float((centred * (target - target.mean(0))).sum() / centred.square().sum())  # px of the crop per FFHQ side
    left, top = (source.mean(0) - target.mean(0) / scale).tolist()
    return left, top, CROP_SIDE / scale


def recognition_crop(x: Tensor) -> Tensor:
    """Cut the 112 px recognition crop out of FFHQ-framed squares: `(B, 3, S, S)` -> `(B, 3, 112, 112)`.

    Differentiable; the value range is kept. A larger square is first brought to the crop's own scale with
    antialiasing, so that the result hardly depends on S.
    """
    if x.ndim != 4 or x.shape[2] != x.shape[3]:
        raise ValueError(f"expected squares (B, C, S, S), got {tuple(x.shape)}")
    left, top, side = crop_box()
    native = round(CROP_SIDE / side)
    if x.shape[-1] > native:
        x = F.interpolate(x, size=(native, native), mode="bilinear", antialias=True, align_corners=False)
    centres = (torch.arange(CROP_SIDE, dtype=torch.float64) + 0.5) / CROP_SIDE
    columns, rows = 2 * (left + side * centres) - 1, 2 * (top + side * centres) - 1  # -1 and 1 are the square's edges
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], dim=-1).to(x)  # (112, 112, 2), x then y
    return F.grid_sample(
        x, grid.expand(x.shape[0], -1, -1, -1), mode="bilinear", padding_mode="border", align_corners=False
    )
