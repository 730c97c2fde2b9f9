from pathlib import Path

import pytest

from shared.errors import WeightsMissing
from shared.models.catalogue import catalogue, model_path


def test_every_model_says_where_it_is_from_and_under_which_licence() -> None:
    entries = catalogue()
    packages = {package.name for package in entries.packages}
    assert {model.package for model in entries.models} == packages  # none unknown, none brought for nothing
    for model in entries.models:
        assert model.licence
        assert all(file.path == model.path or file.path.startswith(f"{model.path}/") for file in model.files)


def test_no_two_files_share_a_place() -> None:
    paths = [file.path for model in catalogue().models for file in model.files]
    assert len(paths) == len(set(paths))


def test_documentation_names_every_package_and_hash() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    for package in catalogue().packages:
        assert f"`{package.requirement}`" in page
        assert package.sha256 in page
    for model in catalogue().models:
        assert f"`{model.name}`" in page


def test_absent_model_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSC_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing, match=r"'sface'.*sface\.onnx.*run: deepsc models pull"):
        model_path("sface")
    (tmp_path / "sface.onnx").touch()
    assert model_path("sface") == tmp_path / "sface.onnx"


def test_folder_is_there_only_when_all_its_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSC_HOME", str(tmp_path))
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm" / "config.json").touch()
    with pytest.raises(WeightsMissing, match=r"model\.safetensors"):
        model_path("minilm")


def test_unknown_model_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="there are prior"):
        model_path("nothing")
