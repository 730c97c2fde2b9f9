from __future__ import annotations

import pytest
import torch

from training.text.average import average


def test_the_mean_of_two_rounds_lies_between_them_in_their_precision() -> None:
    first = {"up": torch.tensor([1.0, 2.0]).half(), "down": torch.tensor([[4.0]]).half()}
    second = {"up": torch.tensor([3.0, 2.0]).half(), "down": torch.tensor([[0.0]]).half()}
    mean = average([first, second])
    assert mean["up"].tolist() == [2.0, 2.0]
    assert mean["down"].tolist() == [[2.0]]
    assert mean["up"].dtype == torch.float16


@pytest.mark.parametrize("other", [{"up": torch.zeros(3)}, {"down": torch.zeros(2)}])
def test_rounds_of_different_networks_are_refused(other: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="not of one network"):
        average([{"up": torch.zeros(2)}, other])


def test_shares_weigh_the_rounds_in_any_unit() -> None:
    rounds = [{"up": torch.tensor([0.0])}, {"up": torch.tensor([4.0])}]
    assert average(rounds, [1, 3])["up"].tolist() == [3.0]
    assert average(rounds, [0, 0.5])["up"].tolist() == [4.0]


@pytest.mark.parametrize("shares", [[1], [1, -1], [0, 0]])
def test_shares_that_say_nothing_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="one share for each of 2"):
        average([{"up": torch.zeros(1)}] * 2, shares)
