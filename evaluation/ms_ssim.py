"""MS-SSIM: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003.

Contrast and structure are compared at every scale, luminance at the last:

    MS-SSIM = l_M^w_M  prod_j (c_j s_j)^w_j

over windows that lie whole in the picture: 11 x 11 px, Gaussian of 1.5 px. The paper's five scales halve the side four
times, so they need 176 px. Smaller pictures are compared at as many scales as hold a window, with the weights of those
scaled to a sum of one: at 128 px that is four, and the value stands beside no five-scale one.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first (the paper's section 3.2)."""

WINDOW, DEVIATION = 11, 1.5
PEAK = 255.0
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def scales_of(side: int) -> int:
    """How many of the five scales a picture of that side in pixels has room for; 0 if not even one."""
    return sum(side >> scale >= WINDOW for scale in range(len(WEIGHTS)))


def ms_ssim(picture: NDArray[np.uint8], reference: NDArray[np.uint8], scales: int | None = None) -> float:
    """Multiscale structural similarity of uint8 ``(S, S, 3)``, mean over colours: 1 when equal.

    A negative mean of contrast and structure counts as 0, because its power is no number.

    Args:
        picture: what is judged.
        reference: what it should be.
        scales: 1 to 5; as many as there is room for if not given.

    Raises:
        ValueError: if the shapes differ or there is no room for a scale.
    """
    if picture.shape != reference.shape:
        raise ValueError(f"pictures of different shapes cannot be compared: {picture.shape} and {reference.shape}")
    room = scales_of(min(picture.shape[:2]))
    count = room if scales is None else scales
    if not 1 <= count <= room:
        raise ValueError(f"{picture.shape[0]} px have room for {room} scales, not for {count}")
    x, y = (torch.from_numpy(square.astype(np.float64)).permute(2, 0, 1)[:, None] for square in (picture, reference))
    weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
    value = torch.ones(len(x), dtype=torch.float64)
    for scale, weight in enumerate(weights):
        if scale:
            x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
        similarity, contrast = _compare(x, y)
        value = value * (similarity if scale == count - 1 else contrast).clamp(min=0) ** float(weight)
    return float(value.mean())


def _compare(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """``(3, 1, S, S)`` each -> means over windows of l c s and of c s, ``(3,)`` each."""
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    contrast = (2 * covariance + C2) / (variance_x + variance_y + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _blur(x: Tensor) -> Tensor:
    """``(3, 1, S, S)`` -> weighted means over whole windows, ``(3, 1, S - 10, S - 10)``."""
    line = torch.exp(-0.5 * ((torch.arange(WINDOW, dtype=x.dtype) - WINDOW // 2) / DEVIATION) ** 2)
    line /= line.sum()
    return functional.conv2d(functional.conv2d(x, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))
