"""What is kept on disk is met again as long as the weights that made it are the same, and no longer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("numba")

from evaluation.comparison import faces, harness
from evaluation.comparison.config import DataConfig, ExperimentConfig, MethodConfig
from evaluation.comparison.faces import Face, Studio
from evaluation.comparison.harness import Experiment
from evaluation.comparison.methods import Reception
from shared.errors import WeightsMissing
from shared.phy.uses import ChannelUses
from shared.weights import fingerprint

SIDE = 128
PHOTO = np.full((SIDE, SIDE, 3), 99, np.uint8)
LATENT = np.zeros((16, 512), np.float32)
FACE = Face("face", PHOTO, LATENT, {"smiling": 3.0}, LATENT, PHOTO)
CONFIG = ExperimentConfig(
    name="test", data=DataConfig(count=1), snr_db=(6.0,), methods=(MethodConfig(kind="ours", k=(128,)),)
)


class NoReader:
    """Reads nothing, because the scores are fakes too."""

    def degrees(self, images: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def experiment(cache: Path, degrees_by: str = "judge") -> Experiment:
    return Experiment(CONFIG, cache, degrees_by, NoReader())


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights of its own."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("encoder", "curvature", "degrees"):
        (folder / f"{name}.safetensors").write_bytes(name.encode())
    monkeypatch.setattr("shared.weights.WEIGHTS", folder)
    return folder


@pytest.fixture
def inverted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps of every inversion that was really made; the latents count them."""
    made: list[int] = []

    def invert(_picture: object, refinement: object, _progress: object) -> SimpleNamespace:
        made.append(refinement.steps)  # type: ignore[attr-defined]
        return SimpleNamespace(w_plus=np.full((16, 512), len(made), np.float32))

    monkeypatch.setattr(faces, "MobileStyleGan", SimpleNamespace(load=lambda: None))
    monkeypatch.setattr(faces, "DegreePredictor", SimpleNamespace(load=lambda _path: None))
    monkeypatch.setattr(faces, "make_backend", lambda **_: None)
    monkeypatch.setattr(faces, "load_editor", lambda _prior: None)
    monkeypatch.setattr(faces, "load_inverter", lambda _prior: SimpleNamespace(invert=invert))
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods of every cell that was really run."""
    methods: list[str] = []

    def send(method: MethodConfig, *_rest: object) -> Reception:
        methods.append(method.name)
        return Reception(PHOTO, True, ChannelUses(k_payload=128))

    monkeypatch.setattr(harness, "Studio", lambda *_: None)
    monkeypatch.setattr(harness, "Methods", lambda *_: SimpleNamespace(send=send))
    monkeypatch.setattr(harness, "Scores", lambda *_: SimpleNamespace(of=lambda *_: {"lpips_intended": 0.5}))
    monkeypatch.setattr(harness, "load_faces", lambda *_: [FACE])
    return methods


def test_an_inversion_is_kept_for_its_picture_its_steps_and_the_inverter_weights(
    tmp_path: Path, weights: Path, inverted: list[int]
) -> None:
    first = Studio(SIDE, tmp_path).invert(PHOTO, 4)
    assert np.array_equal(Studio(SIDE, tmp_path).invert(PHOTO, 4), first)
    assert inverted == [4]
    Studio(SIDE, tmp_path).invert(PHOTO, 5)
    Studio(SIDE, tmp_path).invert(PHOTO + 1, 5)
    assert inverted == [4, 5, 5]
    for number, name in enumerate(("encoder", "curvature")):
        (weights / f"{name}.safetensors").write_bytes(b"trained again")
        assert Studio(SIDE, tmp_path).invert(PHOTO, 4)[0, 0] == 4 + number
    (weights / "degrees.safetensors").write_bytes(b"not the inverter's")
    assert Studio(SIDE, tmp_path).invert(PHOTO, 4)[0, 0] == 5


@pytest.mark.usefixtures("weights")
def test_a_cell_is_run_once(tmp_path: Path, sent: list[str]) -> None:
    assert experiment(tmp_path).run() == experiment(tmp_path).run()
    assert len(sent) == 1


def test_a_cell_is_run_again_with_other_weights_whichever_they_are(
    tmp_path: Path, weights: Path, sent: list[str]
) -> None:
    experiment(tmp_path).run()
    (weights / "degrees.safetensors").write_bytes(b"trained again")
    experiment(tmp_path).run()
    (weights / "new.safetensors").write_bytes(b"a codec in no manifest yet")
    experiment(tmp_path).run()
    assert len(sent) == 3


@pytest.mark.usefixtures("weights")
def test_a_cell_is_run_again_for_another_judge_and_says_who_judged(tmp_path: Path, sent: list[str]) -> None:
    for degrees_by in ("judge", "predictor", "judge"):
        assert experiment(tmp_path, degrees_by).run()[0]["degrees_by"] == degrees_by
    assert len(sent) == 2


@pytest.mark.usefixtures("weights")
def test_a_cell_that_lacks_a_figure_is_run_again(
    tmp_path: Path, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment(tmp_path).run()
    monkeypatch.setattr(harness, "FIGURES", (*harness.FIGURES, "a_new_one"))
    experiment(tmp_path).run()
    assert len(sent) == 2


def test_a_fingerprint_is_of_names_and_contents(weights: Path) -> None:
    before = fingerprint(), fingerprint("encoder.safetensors")
    assert before == (fingerprint(), fingerprint("encoder.safetensors"))
    assert fingerprint("encoder.safetensors", "curvature.safetensors") not in before
    (weights / "degrees.safetensors").write_bytes(b"other")
    assert fingerprint() != before[0]
    assert fingerprint("encoder.safetensors") == before[1]
    with pytest.raises(WeightsMissing, match=r"weights/none\.safetensors"):
        fingerprint("none.safetensors")
