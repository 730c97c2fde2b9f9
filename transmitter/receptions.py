"""What a link leaves of a face, by its SNR."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.codec.basis import LatentBasis
from shared.codec.belief import CoefficientCodec, left_by_key
from shared.codec.codec import Latent, SemanticCodec
from shared.codec.perceptual import PerceptualBasis
from shared.errors import InvalidInput
from shared.phy import profile_for, quantise_design_snr
from transmitter.symbols import SymbolBudget

Basis = LatentBasis | PerceptualBasis


class Receptions:
    """Receptions of a codec's key frames.

    Args:
        codec: known to both ends.
        budget: how long its frames are.
    """

    def __init__(self, codec: SemanticCodec, budget: SymbolBudget) -> None:
        self._codec, self._budget = codec, budget

    def expected(self, w_plus: Latent, snr_db: float) -> Latent:
        """The face ``(16, 512)`` about which arrivals of ``w_plus`` scatter, at Es/N0 ``snr_db``.

        The decoder hears the very symbols that were sent, and discounts them for noise of the power that the link has:
        what is left out of a key frame, and how far the decoder draws faces towards the mean, are in it.
        """
        design_snr_db = float(quantise_design_snr(snr_db))
        k = self._budget.payload(snr_db, profile_for(snr_db), 0)
        sent = self._codec.encode(w_plus, k, design_snr_db)
        return self._codec.decode(sent, design_snr_db, 10 ** (-snr_db / 10)).w_plus

    def mean(self, snr_db: float) -> MeanReception:
        """The same as a linear map, for gradients.

        Raises:
            InvalidInput: if the codec does not send coefficients.
        """
        if not isinstance(self._codec, CoefficientCodec) or not isinstance(self._codec.basis, Basis):
            raise InvalidInput("A photo can be inverted only for the link of a codec that sends coefficients.")
        k = self._budget.payload(snr_db, profile_for(snr_db), 0)
        left = left_by_key(self._codec, k, float(quantise_design_snr(snr_db)), 10 ** (-snr_db / 10))
        share = 1 - left / np.square(self._codec.basis.deviation, dtype=np.float64)
        return MeanReception(self._codec.basis, share.astype(np.float32))


class MeanReception:
    """What arrives of latents on average, to first order: ``share_i c_i`` of coefficient ``c_i``.

    Args:
        basis: the coefficients.
        share: what a least-squares receiver keeps of each, 0..1, ``(8192,)``.
    """

    def __init__(self, basis: Basis, share: NDArray[np.float32]) -> None:
        nothing = np.empty((0, 0), np.float32)
        if isinstance(basis, PerceptualBasis):
            separable, rotated = basis.separable, basis.rotated
            there, back = basis.coordinates, basis.directions / basis.deviation[: len(rotated)]
        else:
            separable, rotated, there, back = basis, np.empty(0, np.int32), nothing, nothing
        count = len(rotated)
        self._mean, self._layers = torch.from_numpy(separable.mean), torch.from_numpy(separable.layers)
        self._features = torch.from_numpy(separable.features)
        self._kept = torch.zeros(len(share))
        self._kept[np.setdiff1d(np.arange(len(share)), rotated)] = torch.from_numpy(share[count:])
        self._rotated = torch.from_numpy(rotated.astype(np.int64))
        self._there, self._back = torch.from_numpy(there), torch.from_numpy(back * share[:count])

    def __call__(self, w_plus: Tensor) -> Tensor:
        """``(B, 16, 512)`` to the same; differentiable."""
        table = self._layers.T @ (w_plus - self._mean) @ self._features
        flat = table.flatten(1)
        visible = flat[:, self._rotated] @ self._there.T @ self._back.T
        arrived = (flat * self._kept).index_copy(1, self._rotated, visible)
        received: Tensor = self._mean + self._layers @ arrived.view_as(table) @ self._features.T
        return received
