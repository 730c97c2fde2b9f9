from __future__ import annotations

import pytest

from transmitter.inverter import Refinement, fit_confidence


@pytest.mark.parametrize(("done", "elapsed", "planned"), [(1, 0.5, 20), (10, 20.0, 10), (4, 0.1, 60), (1, 0.0, 60)])
def test_steps_are_planned_from_the_time_they_take(done: int, elapsed: float, planned: int) -> None:
    assert Refinement(60, seconds=10.0).planned(done, elapsed) == planned


def test_without_a_bound_on_time_all_steps_are_done() -> None:
    assert Refinement(60).planned(1, 1e6) == 60


def test_confidence_falls_with_likeness_and_with_identity() -> None:
    good, other_person, blurred = fit_confidence(0.15, 0.7), fit_confidence(0.15, 0.2), fit_confidence(0.4, 0.7)
    assert good == 1.0
    assert other_person < 0.2
    assert blurred < 0.3
    assert fit_confidence(0.7, 0.9) == 0.0
    assert fit_confidence(0.2, -0.1) == 0.0


def test_for_a_link_the_first_half_is_for_the_latent_itself() -> None:
    assert Refinement(9, seconds=5.0, for_snr_db=-3.0).parts() == (Refinement(4, 2.5), Refinement(5, 2.5, -3.0))
    assert Refinement(9).parts() == (Refinement(9),)
