"""``deepsc channel``: one JSON document, or lines for people; a refusal is a sentence."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import main


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A proxy without a receiver: its links can be driven all the same."""
    words = [sys.executable, "-m", "channel_sim", "--port", "0", "--snr-db", "9"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as proxy:
        assert proxy.stdout is not None
        yield json.loads(proxy.stdout.readline())["address"]
        proxy.terminate()


@dataclass(frozen=True)
class Result:
    status: int
    stdout: str
    stderr: str


def run(*words: str) -> Result:
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        status = main.run(["channel", *words])
    return Result(status, out.getvalue(), errors.getvalue())


def answer(address: str, *words: str) -> dict[str, Any]:
    result = run(*words, "--target", address, "--json")
    assert result.status == 0, result.stdout
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_set_get_and_reset_speak_json(address: str) -> None:
    answer(address, "reset")
    before = answer(address, "get")
    assert before == {
        "link": "default", "version": before["version"], "fading": "none", "snr_db": 9.0, "seed": 0,
        "sample_rate_hz": 1e6, "frame_gap_ms": 0.0, "impairments": [],
    }  # fmt: skip
    changed = answer(address, "set", "--snr-db", "-5", "--fading", "rayleigh", "--seed", "7")
    assert (changed["snr_db"], changed["fading"], changed["seed"]) == (-5.0, "rayleigh", 7)
    assert changed["impairments"] == [{"kind": "rayleigh", "doppler_hz": 0.0}]
    assert answer(address, "get") == changed
    paths = answer(address, "set", "--impairment", "taps:delays_us=[0,2.5],powers_db=[0,-3]", "--sample-rate-hz", "2e6")
    assert (paths["sample_rate_hz"], paths["impairments"][0]["delays_us"]) == (2e6, [0.0, 2.5])
    assert answer(address, "set", "--impairment", "none")["impairments"] == []
    (link,) = answer(address, "reset")["links"]
    assert link["snr_db"] == 9.0
    assert answer(address, "list") == {"links": [link]}


def test_trace_is_shown_until_an_snr_ends_it(address: str, tmp_path: Path) -> None:
    (tmp_path / "drive.csv").write_text("frame,snr_db\n1,20\n5,-3\n")
    trace = answer(address, "trace", str(tmp_path / "drive.csv"), "--repeat")["snr_trace"]
    assert trace == {"frames": [1, 5], "snr_db": [20.0, -3.0], "repeat": True}
    shown = run("get", "--target", address).stdout
    assert "SNR -3 to 20 dB by a trace of 5 frames, again and again, seed" in shown
    assert "snr_trace" not in answer(address, "set", "--snr-db", "9")


def test_file_of_links_is_populated_once(address: str, tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text("links:\n  default: {preset: vehicular-60, snr_db: 6}\n  Bad Name: {}\n")
    assert "'Bad Name' cannot name a link" in run("populate", str(file), "--target", address).stderr
    before = answer(address, "reset")["links"]
    file.write_text("links:\n  default: {preset: vehicular-60, snr_db: 6}\n")
    populated = answer(address, "populate", str(file))
    assert populated["links"][0]["version"] == before[0]["version"] + 1
    assert answer(address, "populate", str(file)) == populated
    assert answer(address, "set", "--preset", "vehicular-60") == populated["links"][0]
    answer(address, "reset")


def test_stats_speak_json_and_hold_nothing_before_the_first_frame(address: str) -> None:
    stats = answer(address, "stats")
    assert (stats["frames"], stats["snr_db_realised"], stats["gain_db"]) == (0, None, None)


def test_people_get_a_line(address: str) -> None:
    run("reset", "--target", address)
    shown = run("set", "--impairment", "tdl:profile=C,doppler_hz=5e1", "--snr-db", "3", "--target", address).stdout
    assert shown.startswith("default: version ")
    assert shown.endswith("SNR 3 dB, seed 0, impairments: tdl profile=C delay_spread_ns=100 doppler_hz=50\n")
    assert "frames_lost      0" in run("stats", "--target", address).stdout


@pytest.mark.parametrize(
    ("words", "reason", "sentence"),
    [
        (("set", "--snr-db", "1000"), "INVALID_INPUT", "snr_db is 1000"),
        (("set", "--fading", "rain"), "INVALID_INPUT", "no fading 'rain'"),
        (("set", "--impairment", "rain"), "INVALID_INPUT", "'rain'"),
        (("set", "--impairment", "rayleigh:deep"), "INVALID_INPUT", "'deep' of 'rayleigh:deep' is not NAME=VALUE"),
        (("set", "--impairment", "rayleigh:deep=[1,2]"), "INVALID_INPUT", "deep is [1, 2]"),
        (("set", "--seed", "-1"), "INVALID_INPUT", "seed is -1"),
        (("get", "--link", "moon"), "UNKNOWN_LINK", "no link 'moon'"),
    ],
)
def test_refusal_is_a_sentence_with_its_reason(
    address: str, words: tuple[str, ...], reason: str, sentence: str
) -> None:
    result = run(*words, "--target", address, "--json")
    assert result.status == (2 if reason == "INVALID_INPUT" else 1)
    assert json.loads(result.stdout)["error"]["reason"] == reason
    assert sentence in json.loads(result.stdout)["error"]["message"]


def test_no_proxy_is_a_lost_link() -> None:
    result = run("get", "--target", "127.0.0.1:1")
    assert (result.status, result.stdout) == (1, "")
    assert "the channel at 127.0.0.1:1 went away or cannot be reached" in result.stderr


@pytest.mark.parametrize("version", ["-1", str(2**64)])
def test_a_version_that_no_link_can_have_is_refused(version: str) -> None:
    result = run("get", "--version", version)
    assert (result.status, "--version" in result.stderr) == (2, True)
