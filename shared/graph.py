"""Networks as graphs that OpenVINO runs on the CPU: several times as fast as torch where no gradient is asked for."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.home import deepsc_home

if TYPE_CHECKING:
    import openvino


class Graph:
    """One network with one input of one shape and one output, in float32 on every machine. Safe to call from threads.

    It is translated from the torch module when it is first asked for, and kept in `cache` under a name made of
    everything it depends on, so that the next start only reads it.

    Args:
        name: of the graph; one of each name is kept.
        network: the torch module to translate.
        example: an input.
        cache: folder for the translated graphs; `DEEPSC_HOME/openvino` by default.
        threads: cores to use; 0 leaves the choice to OpenVINO.
    """

    def __init__(
        self, name: str, network: nn.Module, example: Tensor, cache: Path | None = None, threads: int = 0
    ) -> None:
        self._name, self._network, self._example = name, network, example
        self._cache = cache or deepsc_home() / "openvino"
        # Some CPUs would silently compute in bfloat16: a result must not depend on the machine that computes it.
        self._settings = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"}
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = str(threads)
        self._compiled: openvino.CompiledModel | None = None
        self._lock = threading.Lock()

    def __call__(self, values: NDArray[np.float32]) -> NDArray[Any]:
        """The network's output for an input shaped like the example."""
        with self._lock:
            if self._compiled is None:
                self._compiled = self._compile()
            output: NDArray[Any] = self._compiled(np.ascontiguousarray(values))[0].copy()
        return output

    def _compile(self) -> openvino.CompiledModel:
        import openvino  # heavy, and only needed where a graph is run

        core = openvino.Core()
        folder = self._cache / f"{self._name}-{_identity(self._network, openvino.__version__)}"
        file = folder / "graph.xml"
        if not file.is_file():
            translated = self._translate()
            with contextlib.suppress(OSError):  # a read-only home costs a translation at each start, nothing else
                self._keep(translated, folder)
            if not file.is_file():
                return core.compile_model(translated, "CPU", self._settings)
        # Read back though it was just translated: compiled as it was, it would round otherwise than at later starts.
        return core.compile_model(core.read_model(file), "CPU", self._settings)

    def _translate(self) -> openvino.Model:
        import openvino

        with warnings.catch_warnings(), torch.no_grad():
            # Shape checks become constants in a trace. Wanted here: the shape of what is served never changes.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(self._network, self._example, check_trace=False)  # type: ignore[no-untyped-call]
        return openvino.convert_model(traced, example_input=self._example, input=list(self._example.shape))

    def _keep(self, graph: openvino.Model, folder: Path) -> None:
        """Write the graph beside its final place and move it there whole; the first of two writers wins.

        Graphs of the same name from other weights or versions go: each takes 40 MB, and none is read again.
        """
        import openvino

        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as scratch:
            written = Path(scratch) / "graph"
            written.mkdir()
            openvino.save_model(graph, written / "graph.xml", compress_to_fp16=False)
            written.rename(folder)
        for stale in self._cache.glob(f"{self._name}-*"):
            if stale != folder:
                shutil.rmtree(stale, ignore_errors=True)


def _identity(network: nn.Module, openvino_version: str) -> str:
    """Digest what a translated graph depends on: weights, the code of this package, and the two libraries."""
    digest = hashlib.sha256(f"{openvino_version} {torch.__version__}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
