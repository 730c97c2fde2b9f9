"""Serving: a latent to an 8 bit picture, as fast as the machine at hand allows.

Training and inversion call the torch module; the services call an `InferenceBackend`, which needs no gradient. All
backends run one graph, `Renderer`, so that they agree to a grey level; `docs/prior.md` holds the measurements behind
the choice. A backend draws one latent at a time: a picture then never depends on what it was batched with.
"""

import contextlib
import hashlib
import shutil
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.home import deepsc_home
from shared.prior.face_prior import NUM_STYLES, RESOLUTIONS, W_DIM
from shared.prior.mobile_stylegan import MobileStyleGan

if TYPE_CHECKING:
    import openvino

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
        self._prior = prior.to(device)
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

    A graph is translated from the torch module when its resolution is first asked for, and kept in `cache` under a
    name made of everything it depends on, so that the next start only reads it. One picture is drawn at a time: the
    network already uses all `threads`, and its buffers at 1024 px are large.

    Args:
        prior: the torch module to translate.
        cache: folder for the translated graphs; `DEEPSC_HOME/openvino` by default.
        threads: cores to use; 0 leaves the choice to OpenVINO.
    """

    def __init__(self, prior: MobileStyleGan, cache: Path | None = None, threads: int = 0) -> None:
        import openvino  # heavy, and only this backend needs it

        self._openvino = openvino
        self._prior = prior
        self._cache = cache or deepsc_home() / "openvino"
        # Some CPUs would silently compute in bfloat16: a picture must not depend on the machine that draws it.
        self._settings = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"}
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = str(threads)
        self._identity = _identity(prior, openvino.__version__)
        self._compiled: dict[int, openvino.CompiledModel] = {}
        self._lock = threading.Lock()

    def render(self, w_plus: NDArray[np.float32], resolution: int) -> Pictures:
        """Render; see `InferenceBackend`."""
        _check(w_plus, resolution)
        with self._lock:
            model = self._model(resolution)
            pictures = [model(np.ascontiguousarray(latent[None]))[0].copy() for latent in w_plus]
        return cast(Pictures, np.concatenate(pictures))

    def _model(self, resolution: int) -> "openvino.CompiledModel":
        if resolution not in self._compiled:
            core = self._openvino.Core()
            graph = self._graph(core, resolution)
            self._compiled[resolution] = core.compile_model(graph, "CPU", self._settings)
        return self._compiled[resolution]

    def _graph(self, core: "openvino.Core", resolution: int) -> "openvino.Model":
        folder = self._cache / f"render-{resolution}-{self._identity}"
        if (folder / "graph.xml").is_file():
            return core.read_model(folder / "graph.xml")
        example = torch.zeros(1, NUM_STYLES, W_DIM)
        with warnings.catch_warnings(), torch.no_grad():
            # Shape checks become constants in a trace. Wanted here: the shape of a served latent never changes.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                Renderer(self._prior, resolution), example, check_trace=False
            )
        graph = self._openvino.convert_model(traced, example_input=example, input=list(example.shape))
        with contextlib.suppress(OSError):  # a read-only home costs a translation at each start, nothing else
            self._keep(graph, folder)
        return graph

    def _keep(self, graph: "openvino.Model", folder: Path) -> None:
        """Write the graph beside its final place and move it there whole; the first of two writers wins.

        Graphs of the same resolution from other weights or versions go: each takes 40 MB, and none is read again.
        """
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as scratch:
            written = Path(scratch) / "graph"
            written.mkdir()
            self._openvino.save_model(graph, written / "graph.xml", compress_to_fp16=False)
            written.rename(folder)
        for stale in self._cache.glob(f"render-{folder.name.split('-')[1]}-*"):
            if stale != folder:
                shutil.rmtree(stale, ignore_errors=True)


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


def _identity(prior: MobileStyleGan, openvino_version: str) -> str:
    """Digest what a translated graph depends on: weights, this code, and the two libraries."""
    digest = hashlib.sha256(f"{openvino_version} {torch.__version__}".encode())
    for source in ("backend.py", "heads.py", "mobile_stylegan.py"):
        digest.update(Path(__file__).with_name(source).read_bytes())
    for name, tensor in sorted(prior.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
