from __future__ import annotations

import pytest

from tests.fakes.processes import PROGRAMS


def fake_judge(received, intended) -> tuple[float, float]:
    """Mean absolute difference, and a cosine of nothing."""
    return float(abs(received.astype(float) - intended).mean() / 255), 0.5


@pytest.fixture
def fake_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets ``deepsc demo`` start the fakes as its services."""
    from cli import demo, judge

    monkeypatch.setattr(demo, "PROGRAMS", PROGRAMS)
    monkeypatch.setattr(judge, "load_judge", lambda: fake_judge)
