"""The seam every block sees the face generator through.

A face is a style latent. Two spaces are used throughout the project:

- `w`, shape `(B, 512)`: one vector per face, the output of the mapping network (the W space of StyleGAN2).
- `w_plus`, shape `(B, 16, 512)`: one vector per style input of the synthesis network (W+).

The sixteen styles drive twenty-three modulations. The generator's own graph feeds one `w` to all of them; `up` and
`conv1` of a block share a vector here because the first only rescales what the second reads at once:

| style | modulates | size in px |
| --- | --- | --- |
| 0 | `conv1` | 4 |
| 1, 2 | block 0: `up` + `conv1`, `conv2` | 8 |
| 3, 4 | block 1: `up` + `conv1`, `conv2` | 16 |
| 5, 6 | block 2: `up` + `conv1`, `conv2` | 32 |
| 7, 8 | block 3: `up` + `conv1`, `conv2` | 64 |
| 9, 10 | block 4: `up` + `conv1`, `conv2` | 128 |
| 11, 12 | block 5: `up` + `conv1`, `conv2` | 256 |
| 13, 14 | block 6: `up` + `conv1`, `conv2` | 512 |
| 15 | `to_image` | 1024 |
"""

from typing import Protocol

from torch import Tensor

W_DIM = 512
NUM_STYLES = 16
RESOLUTIONS = (128, 256, 512, 1024)


class FacePrior(Protocol):
    """A generator of faces: noise to latent, latent to image."""

    @property
    def w_dim(self) -> int:
        """Width of a style vector, 512."""

    @property
    def num_styles(self) -> int:
        """Style vectors of a W+ latent, 16."""

    @property
    def mean_w(self) -> Tensor:
        """The mean face in W, shape `(512,)`."""

    def mapping(self, z: Tensor) -> Tensor:
        """Map Gaussian noise `z (B, 512)` to `w (B, 512)`."""

    def synthesis(self, w_plus: Tensor, resolution: int = 1024) -> Tensor:
        """Render `w_plus (B, 16, 512)` to RGB images `(B, 3, resolution, resolution)` in about [-1, 1].

        Differentiable in `w_plus`; the same latent gives the same image. Values overshoot [-1, 1] slightly where
        the face is saturated: clamp before showing, not before taking a gradient.
        """


def broadcast_w(w: Tensor, num_styles: int = NUM_STYLES) -> Tensor:
    """Repeat `w (B, 512)` for every style: the W+ latent `(B, num_styles, 512)` of the same face (a view)."""
    return w.unsqueeze(1).expand(-1, num_styles, -1)


def truncate(w: Tensor, mean_w: Tensor, psi: float) -> Tensor:
    """Pull latents towards the mean face: `mean_w + psi * (w - mean_w)` (StyleGAN, section 2.2 and appendix B).

    `w` is `(..., 512)`, `mean_w` is `(512,)`. psi 1 leaves `w` alone, 0 gives the mean face; 0.5 to 0.7 gives clean
    samples at some loss of variety.
    """
    return mean_w + psi * (w - mean_w)
