from __future__ import annotations

import pytest

FAKE_PROGRAMS = {
    "transmitter": ("-m", "tests.fakes", "transmitter"),
    "channel": ("-m", "channel_sim"),
    "receiver": ("-m", "tests.fakes", "receiver"),
}


def fake_judge(received, intended) -> tuple[float, float]:
    """Mean absolute difference, and a cosine of nothing."""
    return float(abs(received.astype(float) - intended).mean() / 255), 0.5


@pytest.fixture
def fake_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets ``deepsc demo`` start the fakes as its services."""
    from cli import demo, judge

    monkeypatch.setattr(demo, "PROGRAMS", FAKE_PROGRAMS)
    monkeypatch.setattr(judge, "load_judge", lambda: fake_judge)
