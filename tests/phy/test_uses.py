from __future__ import annotations

import pytest

from shared.phy import ChannelUses, source_dimensions


def test_total_hides_nothing() -> None:
    assert ChannelUses(k_payload=132, k_header=36, k_pilot=24).k_total == 192


def test_turns_add_up_part_by_part() -> None:
    frames = [ChannelUses(100, 32, 20), ChannelUses(0, 0, 64)]
    assert sum(frames, ChannelUses()) == ChannelUses(k_payload=100, k_header=32, k_pilot=84)


def test_rho_counts_overhead_and_rho_payload_does_not() -> None:
    uses = ChannelUses(k_payload=132, k_header=36, k_pilot=24)
    n = source_dimensions(height=64, width=128)
    assert n == 24_576
    assert uses.rho(n) == pytest.approx(192 / 24_576)
    assert uses.rho_payload(n) == pytest.approx(132 / 24_576)
