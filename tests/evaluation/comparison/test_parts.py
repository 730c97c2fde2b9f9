"""The comparison's parts that need no network: commands, quantiser, DeepJSCC's shapes, configuration, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

pytest.importorskip("numba")

from channel_sim.randomness import FrameContext
from cli.main import run
from evaluation.comparison.command import decode_command, encode_command
from evaluation.comparison.config import ExperimentConfig, MethodConfig, read_config
from evaluation.comparison.distances import Distances
from evaluation.comparison.faces import Face, Studio
from evaluation.comparison.latent_digital import LatentQuantiser, allocate, lloyd_max
from evaluation.comparison.methods import Methods, candidates
from evaluation.comparison.report import interval, losses, summarise, write
from evaluation.comparison.scores import FIGURES
from evaluation.deepjscc import CHANNELS, DeepJscc, sent_channels
from evaluation.link import Air
from shared.codec.catalogue import load_codec
from shared.codec.linear import LinearCodec
from shared.errors import InvalidInput

HERE = Path(__file__).resolve().parents[3]


def test_command_crosses_and_noise_alone_is_none() -> None:
    targets = {"smiling": 5.0, "age": 0.0}
    sent = encode_command(targets, 32)
    assert sent.shape == (64,)
    assert np.abs(sent) == pytest.approx(np.ones(64))
    generator = np.random.default_rng(1)
    noise = generator.normal(size=(64, 2)).view(np.complex128)[:, 0]
    assert decode_command(sent + 0.2 * noise, 32) == targets
    assert decode_command(noise, 32) is None
    assert decode_command(np.zeros(64, np.complex128), 32) is None


def test_a_command_that_leaves_no_symbols_for_the_face_is_refused_with_a_sentence() -> None:
    picture, latent = np.zeros((128, 128, 3), np.uint8), np.zeros((16, 512), np.float32)
    face = Face("0", picture, latent, {"smiling": 3.0}, latent, picture)
    air = Air.of(-5.0, "none", FrameContext(seed=1, stream_id="x", sequence=1))
    method = MethodConfig(kind="ours", k=(128,), scheme="command")
    with pytest.raises(InvalidInput, match="128 symbols leave too few for the face beside 240"):
        Methods(cast(Studio, None), 0).send(method, face, 128, -5.0, air, None)


def test_lloyd_max_of_one_and_two_bits_is_the_published_one() -> None:
    assert lloyd_max(1)[1] == pytest.approx([-0.7979, 0.7979], abs=1e-3)
    thresholds, levels = lloyd_max(2)
    assert thresholds == pytest.approx([-0.9816, 0, 0.9816], abs=1e-3)
    assert levels == pytest.approx([-1.510, -0.4528, 0.4528, 1.510], abs=1e-3)


def test_bits_go_where_the_variance_is_and_all_are_spent() -> None:
    bits = allocate(np.array([16.0, 4.0, 1.0, 1e-6]), 5)
    assert bits.sum() == 5
    assert bits.tolist() == sorted(bits, reverse=True)


def test_more_bytes_of_a_latent_are_nearer_to_it() -> None:
    codec = load_codec("linear-mse")
    assert isinstance(codec, LinearCodec)
    quantiser, basis = LatentQuantiser(codec.basis), codec.basis
    unit = np.random.default_rng(2).normal(size=basis.deviation.size)
    latent = basis.synthesise((unit * basis.deviation).astype(np.float32))
    errors = []
    for size in (16, 64, 256):
        data = quantiser.encode(latent, size)
        assert len(data) == size
        errors.append(float(np.square(quantiser.decode(data) - latent).sum()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.5 * float(np.square(latent - basis.mean).sum())


@pytest.mark.parametrize("channels", range(1, CHANNELS + 1))
def test_deepjscc_sends_whole_channels_and_gives_a_picture_back(channels: int) -> None:
    torch.manual_seed(0)
    model, k = DeepJscc().eval(), 128 * channels
    picture = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    symbols = model.encode(picture, k, 6.0)
    assert symbols.shape == (k,)
    shown = model.decode(symbols, 64, 6.0)
    assert shown.shape == picture.shape
    assert shown.dtype == np.uint8


def test_deepjscc_refuses_a_part_of_a_channel() -> None:
    with pytest.raises(InvalidInput, match="512"):
        sent_channels(700, 128)


def test_rates_beyond_capacity_are_not_tried_and_one_is_always_left() -> None:
    method = MethodConfig(kind="separate", k=(512,))
    for snr_db in (-5.0, 6.0, 20.0):
        tried = candidates(method, snr_db, "none")
        assert tried
        assert all(scheme and scheme.efficiency <= np.log2(1 + 10 ** (snr_db / 10)) for scheme in tried)
    assert candidates(method, -20.0, "none")[0] is not None
    assert candidates(MethodConfig(kind="ours", k=(128,)), 6.0, "none") == [None]


@pytest.mark.parametrize("name", ["quick", "full"])
def test_committed_experiments_are_valid(name: str) -> None:
    assert read_config(HERE / "evaluation" / f"{name}.yaml").methods


def test_a_wrong_experiment_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("name: x\nmethods: [{kind: telepathy, k: [1]}]\n")
    with pytest.raises(InvalidInput, match=r"methods\.0\.kind"):
        read_config(file)
    assert run(["eval", "--config", str(file)]) == 2
    assert "is no experiment" in capsys.readouterr().err
    assert run(["eval"]) == 2
    assert "--config" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_not_called_bad_yaml(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.yaml cannot be read \(No such file or directory\)"):
        read_config(tmp_path / "none.yaml")


def test_the_quick_experiment_is_found_from_any_folder_and_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found(path: Path) -> ExperimentConfig:
        raise InvalidInput(f"{read_config(path).name} would be run")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evaluation.comparison.config.read_config", found)
    assert run(["eval", "--quick"]) == 2
    assert "Quick comparison would be run" in capsys.readouterr().err
    assert run(["eval", "--quick", "--config", str(HERE / "evaluation" / "full.yaml")]) == 2
    assert "not both" in capsys.readouterr().err


def test_interval_holds_the_mean_and_is_the_same_again() -> None:
    values = np.random.default_rng(4).normal(size=50).tolist()
    mean, low, high = interval(values)
    assert low < mean < high
    assert interval(values) == (mean, low, high)
    assert interval([0.5]) == (0.5, 0.5, 0.5)


def row(method: str, lpips: float, delivered: bool = True) -> dict[str, object]:
    figures = dict.fromkeys(FIGURES, 0.5)
    uses = {"k_payload": 10, "k_header": 2, "k_pilot": 1, "k_total": 13, "rho": 0.1, "rho_payload": 0.08}
    place = {"method": method, "k_asked": 10, "snr_db": 6.0, "fading": "none", "scheme": "", "degrees_by": "judge"}
    edit = {"edit_success": 1.0, "edit_drift": 0.0}
    return place | uses | figures | edit | {"lpips_intended": lpips, "delivered": delivered}


def test_report_says_first_where_ours_is_behind() -> None:
    behind = summarise([row("ours linear, sender", 0.2), row("DeepJSCC, sender", 0.1)], Distances())
    paragraph, _, *table = losses(behind).splitlines()
    assert paragraph.startswith("**Where we lose** (1 of 4 comparisons")
    assert paragraph.endswith("in LPIPS at 6 dB (AWGN).")
    assert table[-1] == "| LPIPS | AWGN | 6 | DeepJSCC, sender | 13 | 0.100 | ours linear, sender | 13 | 0.200 |"
    ahead = summarise([row("ours linear, sender", 0.1), row("DeepJSCC, sender", 0.2)], Distances())
    assert losses(ahead).startswith("Ours is nowhere behind")


def test_undecodable_faces_are_counted_and_stay_in_the_mean() -> None:
    (summary,) = summarise([row("x", 0.2), row("x", 0.8, delivered=False)], Distances())
    assert (summary["faces"], summary["undecodable"]) == (2, 1)
    assert summary["lpips_intended"][0] == pytest.approx(0.5)


CONFIG = ExperimentConfig(name="test", methods=(MethodConfig(kind="ours", k=(10,)),))


def report_of(folder: Path, distances: Distances, degrees_by: str = "judge", side: int = 128) -> tuple[str, Any]:
    pytest.importorskip("pyarrow")
    config = CONFIG.model_copy(update={"resolution": side})
    write(config, [row("x", 0.2) | {"degrees_by": degrees_by}], folder, [], distances)
    return (folder / "report.md").read_text(), json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize(("degrees_by", "named"), [("judge", "own judge"), ("predictor", "own predictor, which")])
def test_report_says_which_network_judged_the_edits(tmp_path: Path, degrees_by: str, named: str) -> None:
    page, document = report_of(tmp_path, Distances(), degrees_by)
    assert (
        f"Edit success and drift are read by the {'evaluation' if degrees_by == 'judge' else 'link'}'s {named}" in page
    )
    assert document["degrees_by"] == degrees_by
    assert "Of the intended faces, before any channel, 0.500 (0.500..0.500) succeed" in page


def test_report_says_how_many_scales_ms_ssim_has(tmp_path: Path) -> None:
    page, document = report_of(tmp_path, Distances())
    assert "the 4 of the paper's 5 scales that 128 px have room for" in page
    assert document["ms_ssim_scales"] == 4
    assert "all 5 scales" in report_of(tmp_path, Distances(), side=256)[0]


def test_report_shows_fid_and_kid_or_says_why_not(tmp_path: Path) -> None:
    page, document = report_of(tmp_path, Distances({("none", "x", 10, 6.0): (12.34, 0.0056)}))
    assert "| 12.3 | 5.6 |" in page
    assert document["summaries"][0]["fid"] == 12.34
    page, document = report_of(tmp_path, Distances(missing="There are too few."))
    assert "There are too few." in page
    assert "|  |  |" in page
    assert document["summaries"][0]["kid"] is None
