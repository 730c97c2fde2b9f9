from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.codec.codec import Latent
from shared.codec.linear import LinearCodec
from shared.errors import InvalidInput
from shared.phy import profile_for
from tests.codec.conftest import face_like_basis
from tests.fakes.codec import PhaseCodec
from tests.transmitter.visible import plain_basis
from transmitter.receptions import Receptions
from transmitter.symbols import MAX_USES, SymbolBudget

BUDGET = SymbolBudget(MAX_USES)


def face(seed: int) -> Latent:
    basis = face_like_basis()
    white = np.random.default_rng(seed).standard_normal(16 * 512)
    return basis.synthesise((basis.deviation * white).astype(np.float32))


def noise(count: int, generator: np.random.Generator) -> NDArray[np.complex64]:
    """Of power 1 each."""
    return (generator.standard_normal((count, 2)) @ [1, 1j] * 0.5**0.5).astype(np.complex64)


def test_arrivals_scatter_about_what_is_expected() -> None:
    codec, w_plus, snr_db = LinearCodec(face_like_basis(), 0), face(1), 0.0
    k = BUDGET.payload(snr_db, profile_for(snr_db), 0)
    sent, generator = codec.encode(w_plus, k, snr_db), np.random.default_rng(2)
    arrivals = [codec.decode(sent + noise(k, generator), snr_db, 1.0).w_plus for _ in range(60)]
    expected = Receptions(codec, BUDGET).expected(w_plus, snr_db)
    off = np.linalg.norm(np.mean(arrivals, 0) - expected)
    assert off < 0.3 * np.linalg.norm(arrivals[0] - expected)
    assert off < 0.3 * np.linalg.norm(w_plus - expected)


def test_a_poorer_link_draws_faces_further_towards_the_mean() -> None:
    codec, w_plus = LinearCodec(face_like_basis(), 0), face(3)
    mean, receptions = codec.basis.mean, Receptions(codec, BUDGET)
    lengths = [np.linalg.norm(receptions.expected(w_plus, snr_db) - mean) for snr_db in (-5.0, 3.0, 15.0)]
    assert lengths == sorted(lengths)
    assert lengths[-1] < np.linalg.norm(w_plus - mean)


def test_the_budget_bounds_what_arrives() -> None:
    codec, w_plus = LinearCodec(face_like_basis(), 0), face(4)
    short, long = (Receptions(codec, SymbolBudget(MAX_USES, fixed=k)).expected(w_plus, 6.0) for k in (16, 256))
    assert np.linalg.norm(short - w_plus) > np.linalg.norm(long - w_plus)


@pytest.mark.parametrize("snr_db", [-5.0, 6.0])
def test_the_mean_as_a_linear_map_is_what_is_expected(snr_db: float) -> None:
    basis = plain_basis()
    white = np.random.default_rng(5).standard_normal(16 * 512)
    w_plus = basis.synthesise((basis.deviation * white).astype(np.float32))
    receptions = Receptions(LinearCodec(basis, 0), BUDGET)
    expected = receptions.expected(w_plus, snr_db)
    mean = receptions.mean(snr_db)(torch.from_numpy(w_plus)[None])[0].numpy()
    assert np.linalg.norm(mean - expected) < 0.05 * np.linalg.norm(w_plus - expected)


def test_gradients_go_through_the_mean() -> None:
    w_plus = torch.zeros(2, 16, 512, requires_grad=True)
    Receptions(LinearCodec(plain_basis(), 0), BUDGET).mean(6.0)(w_plus).sum().backward()
    assert w_plus.grad is not None
    assert float(w_plus.grad.abs().max()) > 0


def test_the_mean_is_known_of_separable_coordinates_too() -> None:
    w_plus, receptions = face(6), Receptions(LinearCodec(face_like_basis(), 0), BUDGET)
    expected = receptions.expected(w_plus, 6.0)
    mean = receptions.mean(6.0)(torch.from_numpy(w_plus)[None])[0].numpy()
    assert np.linalg.norm(mean - expected) < 0.15 * np.linalg.norm(w_plus - expected)


def test_a_codec_that_sends_no_coefficients_has_no_linear_map() -> None:
    with pytest.raises(InvalidInput, match="sends coefficients"):
        Receptions(PhaseCodec(), BUDGET).mean(6.0)
