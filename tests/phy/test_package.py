from __future__ import annotations

import json
import subprocess
import sys

import pytest

import shared.phy as phy
from shared.phy import measure


def test_public_names_are_these() -> None:
    assert sorted(phy.__all__) == [
        "ChannelUses", "DataFrame", "Erasure", "Frame", "FrameHeader", "FrameKind", "LinkEstimate", "LinkOutlook",
        "MAX_SAMPLES", "PROFILES", "Profile", "ReceivedFrame", "SOUNDING", "Samples", "SoundingFrame", "build_frame",
        "build_sounding", "from_bytes", "profile_for", "quantise_design_snr", "receive_frame", "source_dimensions",
        "to_bytes",
    ]  # fmt: skip


def test_importing_the_framing_brings_numpy_and_nothing_heavier() -> None:
    # The channel proxy imports it and has to start in a second.
    program = (
        "import sys, numpy; before = set(sys.modules); import shared.phy\n"
        "outside = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "outside -= {'numpy', *sys.stdlib_module_names}\n"
        "print(sorted(outside))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == "['shared']"


def test_measurement_prints_one_json_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "SNRS_DB", (6.0,))
    monkeypatch.setattr(sys, "argv", ["measure", "--quick"])
    monkeypatch.setattr(measure, "QUICK_FRAMES", 25)
    measure.main()
    report = json.loads(capsys.readouterr().out)
    row = next(row for row in report["rows"] if (row["profile"], row["fading"]) == ("short", "none"))
    assert row["header_error_rate"] == 0
    assert abs(row["snr_bias_db"]) < 1
    assert 0.2 < row["snr_variance_over_bound"] < 3
    assert report["noise_only"]["accepted"] == 0


def test_one_point_is_measured_on_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["measure", "--profile", "minimal", "--snr-db", "12.5", "14", "--frames", "30"])
    measure.main()
    report = json.loads(capsys.readouterr().out)
    points = [(row["profile"], row["snr_db"], row["frames"], row["fading"]) for row in report["rows"]]
    assert points == [("minimal", snr_db, 30, fading) for snr_db in (12.5, 14.0) for fading in ("none", "rayleigh")]
    assert 0.4 < report["rows"][0]["snr_deviation_db"] < 1.6
