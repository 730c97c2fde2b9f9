from pathlib import Path

import pytest

from shared.home import deepsc_home


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEEPSC_HOME", str(tmp_path / "models"))
    assert deepsc_home() == tmp_path / "models"
    assert not deepsc_home().exists()


@pytest.mark.parametrize("value", [None, ""])
def test_home_defaults_to_the_users_cache(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("DEEPSC_HOME", raising=False)
    else:
        monkeypatch.setenv("DEEPSC_HOME", value)
    assert deepsc_home() == Path.home() / ".cache" / "deepsc"
