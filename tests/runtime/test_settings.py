"""Settings come from flags, then ``DEEPSC_<SERVICE>_*``, then defaults; a bad value gets a sentence."""

from typing import ClassVar

import pytest
from pydantic import ValidationError

from shared.errors import InvalidInput
from shared.settings import ServiceSettings, Target, load, variables_of


class RadioSettings(ServiceSettings):
    model_config = variables_of("radio")
    service: ClassVar[str] = "radio"

    port: int = 50099
    target: Target = "127.0.0.1:50053"
    strict: bool = True


def test_environment_is_read_under_the_services_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSC_RADIO_PORT", "4711")
    monkeypatch.setenv("DEEPSC_OTHER_TARGET", "elsewhere:1")
    settings = load(RadioSettings)
    assert (settings.port, settings.target) == (4711, "127.0.0.1:50053")


def test_flag_wins_over_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSC_RADIO_PORT", "1")
    monkeypatch.setenv("DEEPSC_RADIO_LOG_FORMAT", "console")
    settings = load(RadioSettings, ["--port", "2", "--drain-seconds", "3", "--no-strict"])
    assert (settings.port, settings.drain_seconds, settings.log_format) == (2, 3.0, "console")
    assert not settings.strict


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--port", "many"], r"--port \(DEEPSC_RADIO_PORT\) is 'many'"),
        (["--drain-seconds", "-1"], r"DEEPSC_RADIO_DRAIN_SECONDS\) is '-1': .*greater than or equal to 0"),
        (["--target", "nowhere"], r"'nowhere' is not host:port"),
        (["--target", "host:0"], r"port of 1 to 65535"),
        (["--log-level", "loud"], r"'debug', 'info', 'warning' or 'error'"),
        (["--colour", "red"], r"--help lists the flags"),
    ],
)
def test_bad_value_is_named_with_flag_and_variable(flags: list[str], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        load(RadioSettings, flags)


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        load(RadioSettings).port = 1
