"""Serving: a latent to an 8 bit picture, as fast as the machine at hand allows.

Training and inversion call the torch module; the services call an `InferenceBackend`, which needs no gradient. All
backends run one graph, `Renderer`, so that they agree to a grey level; `docs/prior.md` holds the measurements behind
the choice. A backend draws one latent at a time: a picture then never depends on what it was batched with.
"""

import copy
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.graph import Graph
from shared.prior.face_prior import NUM_STYLES, RESOLUTIONS, W_DIM
from shared.prior.mobile_stylegan import MobileStyleGan

BackendName = Literal["auto", "openvino", "torch"]
Pictures = NDArray[np.uint8]


class InferenceBackend(Protocol):
    """Renders latents."""

    def render(self, w_plus: NDArray[np.float32], resolution: int) -> Pictures:
        """Render `w_plus (B, 16, 512)` to RGB pictures `(B, resolution, resolution, 3)`.

        The same latent gives the same bytes. Safe to call from several threads. Raises `ValueError` for a latent of
        another shape or with values that are not finite, and for a resolution not in `RESOLUTIONS`.
        """


class Renderer(nn.Module):
    """The graph that is served: `(1, 16, 512)` float32 to `(1, R, R, 3)` uint8, -1 is 0 and 1 is 255."""

    def __init__(self, prior: MobileStyleGan, resolution: int) -> None:
        super().__init__()
        self.prior = prior
        self.resolution = resolution

    def forward(self, w_plus: Tensor) -> Tensor:
        image = self.prior.synthesis(w_plus, self.resolution)
        return (image * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


class TorchBackend:
    """Renders with torch on `device`: the way to a GPU, and the reference on a CPU."""

    def __init__(self, prior: MobileStyleGan, device: str = "cpu") -> None:
        self._prior = prior if device == "cpu" else copy.deepcopy(prior).to(device)  # others still use theirs
        self._device = device

    def render(self, w_plus: NDArray[np.float32], resolution: int) -> Pictures:
        """Render; see `InferenceBackend`."""
        _check(w_plus, resolution)
        renderer = Renderer(self._prior, resolution)
        with torch.inference_mode():
            latents = torch.from_numpy(w_plus).to(self._device)
            return np.concatenate([renderer(latent[None]).cpu().numpy() for latent in latents])


class OpenVinoBackend:
    """Renders with OpenVINO on the CPU, in float32 on every machine.

    Each resolution has a `Graph` of its own, made when it is first asked for. One picture is drawn at a time: the
    network already uses all threads, and its buffers at 1024 px are large.

    Args:
        prior: the torch module to translate.
        cache: see `Graph`.
        threads: see `Graph`.
    """

    def __init__(self, prior: MobileStyleGan, cache: Path | None = None, threads: int = 0) -> None:
        self._prior, self._cache, self._threads = prior, cache, threads
        self._graphs: dict[int, Graph] = {}

    def render(self, w_plus: NDArray[np.float32], resolution: int) -> Pictures:
        """Render; see `InferenceBackend`."""
        _check(w_plus, resolution)
        graph = self._graphs.get(resolution) or self._graphs.setdefault(resolution, self._graph(resolution))
        return np.concatenate([graph(latent[None]) for latent in w_plus])

    def _graph(self, resolution: int) -> Graph:
        example = torch.zeros(1, NUM_STYLES, W_DIM)
        return Graph(f"render-{resolution}", Renderer(self._prior, resolution), example, self._cache, self._threads)


def make_backend(name: BackendName = "auto", prior: MobileStyleGan | None = None, threads: int = 0) -> InferenceBackend:
    """Return the backend called `name`; "auto" is torch where there is a CUDA device and OpenVINO elsewhere.

    `prior` defaults to the pulled one, `threads` (OpenVINO only) to as many as the library likes. Raises
    `WeightsMissing` when the prior has not been pulled and `ValueError` for an unknown name.
    """
    if name not in get_args(BackendName):
        raise ValueError(f"unknown backend {name!r}; choose one of {get_args(BackendName)}")
    cuda = torch.cuda.is_available()
    if name == "torch" or (name == "auto" and cuda):
        return TorchBackend(prior or MobileStyleGan.load(), "cuda" if cuda else "cpu")
    return OpenVinoBackend(prior or MobileStyleGan.load(), threads=threads)


def _check(w_plus: NDArray[np.float32], resolution: int) -> None:
    if w_plus.ndim != 3 or w_plus.shape[1:] != (NUM_STYLES, W_DIM) or w_plus.dtype != np.float32:
        expected = f"float32 (B, {NUM_STYLES}, {W_DIM})"
        raise ValueError(f"w_plus must be {expected}, not {w_plus.dtype} {w_plus.shape}")
    if len(w_plus) == 0 or not np.isfinite(w_plus).all():
        raise ValueError("w_plus must hold at least one latent and only finite values")
    if resolution not in RESOLUTIONS:
        raise ValueError(f"cannot render at {resolution} px; choose one of {RESOLUTIONS}")
