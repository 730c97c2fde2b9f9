"""The demo as a stranger runs it: real models, real processes, a real photograph."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.main import run
from shared.home import deepsc_home
from shared.weights import WEIGHTS

TRAINED = ("encoder", "degrees", "directions", "text", "basis_seen")
NEEDED = (*(WEIGHTS / f"{name}.safetensors" for name in TRAINED), deepsc_home() / "prior.safetensors")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not all(path.is_file() for path in NEEDED), reason="a model is missing"),
]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("demo")
    options = ["--resolution", "256", "--seed", "7", "--snr-db", "12", "--out", str(out), "--json"]
    assert run(["demo", *options]) == 0
    return json.loads((out / "report.json").read_text("utf-8")), out


def test_the_astronaut_arrives_and_smiles_more(demonstration):
    report, out = demonstration
    (turn,) = report["turns"]
    assert turn["instruction"] == "Smile more"
    assert [edit["attribute"] for edit in turn["edits"]] == ["smiling"]
    assert turn["degrees_after"]["smiling"] > turn["degrees_before"]["smiling"]
    assert turn["k_total"] <= 512
    assert turn["snr_db_estimated"] == pytest.approx(12, abs=3)
    with Image.open(out / "received.png") as received:
        assert received.size == (256, 256)
        assert received.info["Description"] == "synthetic, edited"
        assert np.asarray(received).std() > 20


def test_the_received_face_is_recognisably_the_intended_one(demonstration):
    (turn,) = demonstration[0]["turns"]
    assert turn["identity_cosine"] > 0.363  # SFace's own threshold for "the same person"
    assert turn["lpips_received_vs_intended"] < 0.3
