"""docker-compose.yml against the services' own settings, for machines where no container engine runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from channel_sim.settings import ChannelSettings
from receiver.settings import ReceiverSettings
from shared.settings import ServiceSettings
from transmitter.settings import TransmitterSettings

ROOT = Path(__file__).parent.parent
SETTINGS: dict[str, type[ServiceSettings]] = {
    "transmitter": TransmitterSettings,
    "receiver": ReceiverSettings,
    "channel": ChannelSettings,
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def settings_of(compose: dict[str, Any], service: str, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    for name, value in compose["services"][service]["environment"].items():
        monkeypatch.setenv(name, value)
    return SETTINGS[service]()


@pytest.mark.parametrize("service", SETTINGS)
def test_every_variable_is_a_setting_of_its_service(compose: dict[str, Any], service: str) -> None:
    known = {f"DEEPSC_{service.upper()}_{field.upper()}" for field in SETTINGS[service].model_fields}
    assert set(compose["services"][service]["environment"]) <= known


@pytest.mark.parametrize("service", SETTINGS)
def test_services_start_with_these_settings_and_are_probed_where_they_listen(
    compose: dict[str, Any], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(compose, service, monkeypatch)
    entry = compose["services"][service]
    assert settings.host == "0.0.0.0"
    assert entry["ports"] == [f"127.0.0.1:{settings.port}:{settings.port}"]
    assert entry["healthcheck"]["test"][-1] == f"127.0.0.1:{settings.port}"


@pytest.mark.parametrize(("service", "next_hop"), [("transmitter", "channel"), ("channel", "receiver")])
def test_each_hop_leads_to_the_next_over_a_common_network(
    compose: dict[str, Any], service: str, next_hop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(compose, service, monkeypatch)
    services = compose["services"]
    assert isinstance(settings, TransmitterSettings | ChannelSettings)
    assert settings.target == f"{next_hop}:{settings_of(compose, next_hop, monkeypatch).port}"
    assert set(services[service]["networks"]) & set(services[next_hop]["networks"])
    assert services[service]["depends_on"][next_hop]["condition"] == "service_healthy"


def test_the_transmitter_reaches_the_receiver_only_through_the_channel(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert not set(services["transmitter"]["networks"]) & set(services["receiver"]["networks"])


@pytest.mark.parametrize("service", SETTINGS)
def test_containers_run_without_privileges(compose: dict[str, Any], service: str) -> None:
    entry = compose["services"][service]
    assert entry["user"].split(":")[0] != "0"
    assert entry["read_only"] is True
    assert entry["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("service", SETTINGS)
def test_build_targets_exist_and_copy_what_they_run(compose: dict[str, Any], service: str) -> None:
    entry = compose["services"][service]
    dockerfile = (ROOT / "Dockerfile").read_text()
    _, _, stage = dockerfile.partition(f" AS {entry['build']['target']}\n")
    stage = stage.split("\nFROM ")[0]
    assert f"COPY {entry['command'][0]} {entry['command'][0]}" in stage
    assert "USER deepsc" in stage
