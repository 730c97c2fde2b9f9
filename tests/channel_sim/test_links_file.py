"""Links in a YAML file: what it says is in force, at the start or later; what it says wrongly gets a sentence."""

import json
from pathlib import Path

import pytest

from channel_sim.client import channel_client
from channel_sim.config import LinkConfig, checked_config
from channel_sim.links_file import read_links
from channel_sim.mobility import PRESETS
from channel_sim.settings import ChannelSettings
from shared.errors import InvalidInput
from shared.settings import load
from tests.channel_sim.bench import bench
from tests.channel_sim.test_cli import run

LABORATORY = """
links:
  default: {preset: pedestrian, snr_db: 6}
  drive:
    seed: 7
    snr_trace: {file: drive.csv, repeat: true}
    impairments:
      - {kind: tdl, profile: C, doppler_hz: 50}
      - {kind: cfo, offset_hz: 300}
  plain:
  faded: {fading: rician, impairments: [{kind: loss}]}
"""


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    (tmp_path / "drive.csv").write_text("frame,snr_db\n1,20\n5,-3\n")
    file = tmp_path / "lab.yaml"
    file.write_text(LABORATORY)
    return file


def test_file_describes_links_with_defaults_for_what_it_leaves_out(laboratory: Path) -> None:
    links = read_links(laboratory)
    assert links["default"] == LinkConfig(snr_db=6.0).with_preset("pedestrian")
    assert links["plain"] == LinkConfig()
    assert [each.kind for each in links["drive"].impairments] == ["tdl", "cfo"]
    assert (links["drive"].seed, links["drive"].snr_db_at(5), links["drive"].snr_db_at(6)) == (7, -3.0, 20.0)
    assert links["faded"].fading == "rician"
    assert [each.kind for each in links["faded"].impairments] == ["rician", "loss"]


def test_link_can_be_written_as_another_one_with_a_difference(laboratory: Path) -> None:
    laboratory.write_text("links:\n  a: &a {snr_db: 3, seed: 5}\n  b: {<<: *a, seed: 6}\n")
    links = read_links(laboratory)
    assert (links["a"].seed, links["b"].seed, links["b"].snr_db) == (5, 6, 3.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no file of links"),
        ("links: [1]", "no file of links"),
        ("links: {}", "no file of links"),
        ("link: {a: {}}", "no file of links"),
        ("links: {a: {}}\nmore: 1", "no file of links"),
        ("links: {a: {snr_db: 1", "is no YAML"),
        ("links: {a: {}, a: {}}", "'a' stands there twice"),
        ("links: {a: {seed: 1, seed: 2}}", "'seed' stands there twice"),
        ("links: {a: !!python/object:os.system {}}", "is no YAML"),
        ("links: {a: 3}", "link a: 3 is not a list"),
        ("links: {a: {snr_db: 1000}, b: {snr: 1}}", r"link a: snr_db is 1000: .*; .*link b: snr is 1: extra"),
        ("links: {a: {impairments: [{kind: rain}]}}", "link a: impairments.0"),
        ("links: {a: {fading: rain}}", "link a: there is no fading 'rain'"),
        ("links: {a: {preset: train}}", "no preset 'train'"),
        ("links: {a: {preset: pedestrian, sample_rate_hz: 2}}", "sample_rate_hz is 2"),
        ("links: {a: {preset: pedestrian, sample_rate_hz: 2.0e+6}}", "brings its sample_rate_hz along"),
        ("links: {a: {preset: pedestrian, fading: tdl}}", "propagation is given twice"),
        ("links: {a: {fading: tdl, impairments: [{kind: taps}]}}", "propagation is given twice"),
        ("links: {a: {snr_db: 1, snr_trace: {frames: [1], snr_db: [1]}}}", "either snr_db"),
        ("links: {a: {snr_trace: {frames: [2], snr_db: [1]}}}", "begins with frame 1"),
        ("links: {a: {snr_trace: {file: none.csv}}}", "none.csv cannot be read"),
        ("links: {a: {snr_trace: {file: drive.csv, frames: [1]}}}", "file and repeat, no others"),
        ("links: {a: {snr_trace: {file: drive.csv, repeat: wet}}}", "snr_trace.repeat is 'wet'"),
    ],
)
def test_bad_file_gets_a_sentence_that_names_it(laboratory: Path, text: str, sentence: str) -> None:
    laboratory.write_text(text)
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        read_links(laboratory)
    assert str(laboratory) in refusal.value.message


async def test_proxy_starts_with_the_file_and_resets_to_it(laboratory: Path) -> None:
    async with bench(links=laboratory) as parts, channel_client(parts.proxy.address) as client:
        at_start = await client.links()
        assert [state.config.link for state in at_start] == ["default", "drive", "faded", "plain"]
        await client.set("drive", snr_db=1.0)
        await client.reset("drive")
        assert (await client.get("drive")).config == at_start[1].config


def test_links_come_from_the_environment(laboratory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSC_CHANNEL_LINKS", str(laboratory))
    assert load(ChannelSettings).links_at_start() == read_links(laboratory)


@pytest.mark.parametrize("flag", ["--snr-db=12", "--fading=none", "--seed=0"])
def test_default_is_described_once(laboratory: Path, flag: str) -> None:
    with pytest.raises(InvalidInput, match="so does"):
        load(ChannelSettings, [f"--links={laboratory}", flag]).links_at_start()
    laboratory.write_text("links: {other: {}}")
    assert set(load(ChannelSettings, [f"--links={laboratory}", flag]).links_at_start()) == {"default", "other"}


def test_a_file_of_more_links_than_the_proxy_takes_is_refused(laboratory: Path) -> None:
    with pytest.raises(InvalidInput, match="makes 4 links and max_links is 3"):
        load(ChannelSettings, [f"--links={laboratory}", "--max-links=3"]).links_at_start()


async def test_proxy_does_not_start_with_a_name_that_names_no_link(laboratory: Path) -> None:
    laboratory.write_text("links: {Not A Name: {}}")
    with pytest.raises(InvalidInput, match="'Not A Name' cannot name a link"):
        async with bench(links=laboratory):
            pass


def test_populate_without_a_proxy_or_a_file_is_refused(laboratory: Path) -> None:
    result = run("populate", str(laboratory.with_name("none.yaml")), "--target", "127.0.0.1:1", "--json")
    assert (result.status, "cannot be read" in json.loads(result.stdout)["error"]["message"]) == (2, True)
    assert run("populate", str(laboratory), "--target", "127.0.0.1:1").status == 1


@pytest.mark.parametrize(
    ("preset", "doppler_hz"), [("pedestrian", 9.729), ("vehicular-60", 194.58), ("vehicular-120", 389.16)]
)
def test_preset_is_the_doppler_of_its_speed_at_its_carrier(preset: str, doppler_hz: float) -> None:
    mobility = PRESETS[preset]
    # In other units: wavelengths per second.
    assert mobility.doppler_hz == pytest.approx(mobility.speed_km_h / 3.6 / (299.792458 / 3500))
    assert mobility.doppler_hz == pytest.approx(doppler_hz, rel=1e-4)
    config = checked_config(
        {"sample_rate_hz": 5e6, "snr_db": 3.0, "impairments": [{"kind": "tdl"}, {"kind": "cfo"}]}
    ).with_preset(preset)
    assert [each.kind for each in config.impairments] == ["rayleigh", "cfo"]
    assert (config.sample_rate_hz, config.snr_db) == (1e6, 3.0)
    assert config.impairments[0].model_dump()["doppler_hz"] == mobility.doppler_hz
