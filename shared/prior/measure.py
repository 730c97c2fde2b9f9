"""How long one picture takes on each way of running the prior: `python -m shared.prior.measure`.

Prints one JSON document: milliseconds per picture (median, least) at batch 1, milliseconds of processor time over all
cores (the fairer figure on a busy machine), seconds until the first picture, and the largest difference to eager torch
in grey levels. The choice of serving backend in `docs/prior.md` rests on it.
ONNX Runtime takes part when the package `onnx`, which torch's export needs, is installed; the project does not need it.
"""

import argparse
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shared.prior.backend import OpenVinoBackend, Renderer, TorchBackend
from shared.prior.face_prior import RESOLUTIONS, broadcast_w
from shared.prior.mobile_stylegan import MobileStyleGan

Draw = Callable[[NDArray[np.float32]], NDArray[np.uint8]]


def torch_eager(prior: MobileStyleGan, resolution: int, _threads: int) -> Draw:
    backend = TorchBackend(prior)
    return lambda w_plus: backend.render(w_plus, resolution)


def torch_compile(prior: MobileStyleGan, resolution: int, _threads: int) -> Draw:
    compiled = torch.compile(Renderer(prior, resolution))

    def draw(w_plus: NDArray[np.float32]) -> NDArray[np.uint8]:
        with torch.inference_mode():
            picture: NDArray[np.uint8] = compiled(torch.from_numpy(w_plus)).numpy()
            return picture

    return draw


def openvino(prior: MobileStyleGan, resolution: int, threads: int) -> Draw:
    with TemporaryDirectory() as empty:  # an empty cache: the first picture includes the translation
        backend = OpenVinoBackend(prior, Path(empty), threads)
        return lambda w_plus: backend.render(w_plus, resolution)


def onnx_runtime(prior: MobileStyleGan, resolution: int, threads: int) -> Draw:
    import onnxruntime

    example = torch.zeros(1, prior.num_styles, prior.w_dim)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        graph = Path(folder) / "graph.onnx"
        torch.onnx.export(Renderer(prior, resolution), (example,), graph, input_names=["w_plus"], dynamo=False)
        session = onnxruntime.InferenceSession(graph.read_bytes(), options, providers=["CPUExecutionProvider"])

    def draw(w_plus: NDArray[np.float32]) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = session.run(None, {"w_plus": w_plus})[0]
        return picture

    return draw


WAYS = {"torch": torch_eager, "torch.compile": torch_compile, "openvino": openvino, "onnxruntime": onnx_runtime}


def measure(make: Callable[[], Draw], w_plus: NDArray[np.float32], runs: int) -> tuple[dict[str, Any], Draw]:
    """Time building a drawer with its first picture, then `runs` pictures."""
    start = time.perf_counter()
    draw = make()
    draw(w_plus)
    first_s = time.perf_counter() - start
    times_ms, processor_ms = [], []
    for _ in range(runs):
        start, processor_start = time.perf_counter(), time.process_time()
        draw(w_plus)
        times_ms.append(1e3 * (time.perf_counter() - start))
        processor_ms.append(1e3 * (time.process_time() - processor_start))
    result = {
        "median_ms": statistics.median(times_ms),
        "least_ms": min(times_ms),
        "processor_ms": statistics.median(processor_ms),
        "first_picture_s": first_s,
    }
    return {name: round(value, 2) for name, value in result.items()}, draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--resolution", type=int, choices=RESOLUTIONS, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    prior = MobileStyleGan.load()
    w = prior.mapping(torch.randn(1, prior.w_dim, generator=torch.Generator().manual_seed(0)))
    w_plus = broadcast_w(w).numpy()
    reference = TorchBackend(prior).render(w_plus, options.resolution).astype(int)
    results: dict[str, Any] = {}
    for way in options.ways:
        if way == "onnxruntime" and find_spec("onnx") is None:
            results[way] = {"left_out": "the package onnx is not installed"}
            continue
        result, draw = measure(partial(WAYS[way], prior, options.resolution, options.threads), w_plus, options.runs)
        result["largest_difference"] = int(np.abs(draw(w_plus) - reference).max())
        results[way] = result
    versions = {name: metadata.version(name) for name in ("torch", "openvino", "onnxruntime")}
    load = round(os.getloadavg()[0], 2)
    print(json.dumps({"resolution": options.resolution, "threads": options.threads, "load_1min": load,
                      "versions": versions, "ways": results}, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
