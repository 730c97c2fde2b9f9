import hashlib
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save

from shared.errors import WeightsCorrupt
from shared.models.catalogue import Conversion, ModelFile
from shared.models.convert import convert_file, read_member


def archive_with(folder: Path, content: bytes) -> Path:
    path = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("thing/member", content)
    return path


def described(convert: Conversion, expected: bytes, *members: str) -> ModelFile:
    digest = hashlib.sha256(expected).hexdigest()
    return ModelFile(path="out", members=members or ("thing/member",), convert=convert, sha256=digest, size_bytes=1)


def lpips_tree() -> dict[str, Any]:
    generator = np.random.default_rng(2)
    array = lambda *shape: generator.standard_normal(shape).astype(np.float32)  # noqa: E731
    convolutions = {f"Conv_{i}": {"kernel": array(3, 3, 2, 4), "bias": array(4)} for i in range(5)}
    heads = {f"NetLinLayer_{i}": {"Conv_0": {"kernel": array(1, 1, 4, 1)}} for i in range(5)}
    return {"AlexNet_0": convolutions} | heads


def test_torch_checkpoint_becomes_the_same_tensors(tmp_path: Path) -> None:
    state = {"b": torch.arange(3.0), "a": torch.eye(2)}
    checkpoint = io.BytesIO()
    torch.save(state, checkpoint)
    expected = save({"a": np.eye(2, dtype=np.float32), "b": np.arange(3, dtype=np.float32)})
    convert_file(archive_with(tmp_path, checkpoint.getvalue()), described("torch_state", expected), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == expected


def test_flax_arrays_are_turned_to_torch_order(tmp_path: Path) -> None:
    tree = lpips_tree()
    expected = {}
    for i, position in enumerate((0, 3, 6, 8, 10)):
        convolution = tree["AlexNet_0"][f"Conv_{i}"]
        expected[f"features.{position}.weight"] = np.ascontiguousarray(convolution["kernel"].transpose(3, 2, 0, 1))
        expected[f"features.{position}.bias"] = convolution["bias"]
        expected[f"lin{i}.weight"] = tree[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].reshape(1, 4, 1, 1)
    file = described("flax_lpips", save(expected))
    convert_file(archive_with(tmp_path, pickle.dumps(tree, protocol=3)), file, tmp_path / "out")
    converted = load_file(tmp_path / "out")
    assert converted.keys() == expected.keys()
    assert all((converted[name] == expected[name]).all() for name in expected)


class Malice:
    """Unpickles to the answer of a function of the attacker's choice."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (str(self._marker),)


@pytest.mark.parametrize("convert", ["torch_state", "flax_lpips"])
def test_pickle_that_calls_something_is_refused_and_not_run(tmp_path: Path, convert: Conversion) -> None:
    marker = tmp_path / "has-run"
    if convert == "torch_state":
        checkpoint = io.BytesIO()
        torch.save({"weight": Malice(marker)}, checkpoint)
        content = checkpoint.getvalue()
    else:
        content = pickle.dumps({"AlexNet_0": Malice(marker)})
    with pytest.raises(WeightsCorrupt):
        convert_file(archive_with(tmp_path, content), described(convert, b""), tmp_path / "out")
    assert not marker.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("convert", ["torch_state", "flax_lpips", "mobile_stylegan"])
@pytest.mark.parametrize("content", [b"", b"noise", pickle.dumps([1, 2], protocol=2)])
def test_rubbish_is_corrupt(tmp_path: Path, convert: Conversion, content: bytes) -> None:
    with pytest.raises(WeightsCorrupt):
        convert_file(archive_with(tmp_path, content), described(convert, b""), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_file_inside_an_inner_zip_is_found(tmp_path: Path) -> None:
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as inner:
        inner.writestr("network", b"weights")
    archive = archive_with(tmp_path, bundle.getvalue())
    convert_file(archive, described("inner_zip", b"weights", "thing/member", "network"), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"weights"
    with pytest.raises(WeightsCorrupt, match="other"):
        convert_file(archive, described("inner_zip", b"weights", "thing/member", "other"), tmp_path / "out")


def test_member_that_is_not_there_and_archive_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match="no/such"):
        read_member(archive_with(tmp_path, b""), "no/such")
    for name in ("broken.whl", "broken.tar.gz"):
        (tmp_path / name).write_bytes(b"not an archive")
        with pytest.raises(WeightsCorrupt, match="broken"):
            read_member(tmp_path / name, "anything")
