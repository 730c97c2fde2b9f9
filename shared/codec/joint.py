"""The joint code: visible coordinates, folds of the strongest, and what two networks add.

A linear code is about 3 dB from the rate-distortion bound of what is seen, because a few coordinates want more room
than a slot each. Folds give it to them (`shared.codec.folding`), in closed form. The encoder's network moves the slots,
each frame at unit power as before; the decoder's moves the estimate.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.codec.basis import CodecBasis
from shared.codec.codec import DecodedLatent, Latent, Symbols
from shared.codec.folding import FoldedPlan, gain_error, plan_folds
from shared.codec.layers import Layers
from shared.codec.linear import LinearCodec, check_length, demodulate, modulate
from shared.codec.networks import JointNetworks, Link
from shared.codec.sizes import COEFFICIENTS

MIN_NOISE = 1e-6
"""Complex noise variance below which a channel counts as that good."""


class JointCodec:
    """`SemanticCodec` with folds and learned residuals. Stateless but for the plans it remembers.

    Args:
        basis: the coordinates that both ends know.
        networks: what was learned; fresh ones add nothing.
        codec_id: the number that stands for it in the frame header.
    """

    def __init__(self, basis: CodecBasis, networks: JointNetworks, codec_id: int) -> None:
        self.basis = basis
        self.codec_id = codec_id
        self._networks = networks
        self.linear = LinearCodec(basis, codec_id)
        self.ranking = self.linear.ranking
        white = np.square(basis.deviation, dtype=np.float64) * basis.visibility.astype(np.float64)
        #: What is seen of a unit error of each white coefficient, falling, ``(8192,)``.
        self.importance: NDArray[np.float64] = white[self.ranking]
        self._deviation = basis.deviation[self.ranking].astype(np.float64)
        self._log_gain_deviation = float(basis.log_gain_deviation[0])
        self._plan = lru_cache(256)(self._make_plan)

    def plan(self, k: int, design_snr_db: float) -> FoldedPlan:
        """What both ends derive from the length of the payload and the SNR in the header.

        Raises:
            InvalidInput: if ``k`` is outside the codec's range.
        """
        return self._plan(k, float(design_snr_db))

    def _make_plan(self, k: int, design_snr_db: float) -> FoldedPlan:
        check_length(k)
        noise_power = 10 ** (-design_snr_db / 10)
        return plan_folds(self.importance, self.ranking, k, noise_power, self._log_gain_deviation)

    def encode(self, w_plus: Latent, k: int, design_snr_db: float) -> Symbols:
        """See `SemanticCodec.encode`."""
        plan = self.plan(k, design_snr_db)
        white = self.linear.analyse(w_plus)[plan.active] / self._deviation[: len(plan.active)]
        layers, seen = Layers.of(plan), _row(white[:COEFFICIENTS], COEFFICIENTS)
        with torch.inference_mode():
            slots = self._networks.encode(layers.fill(seen), seen, layers, Link.of(k, design_snr_db, design_snr_db))
        filled = np.zeros(2 * (k - 1))
        told = slots[layers.used].numpy()
        beyond = (np.sqrt(plan.sent) * white)[COEFFICIENTS:]
        filled[: len(told) + len(beyond)] = np.concatenate([told, beyond])
        return modulate(filled, plan.gain_energy)

    def decode(self, symbols: Symbols, design_snr_db: float, noise_power: float) -> DecodedLatent:
        """See `SemanticCodec.decode`. The error it expects is that of slots and folds, without what was learned."""
        plan = self.plan(len(symbols), design_snr_db)
        noise_power = max(noise_power, MIN_NOISE)
        received = demodulate(symbols, plan.gain_energy, noise_power, self._log_gain_deviation)
        layers = Layers.of(plan)
        slots = torch.zeros(layers.used.shape)
        told = int(layers.used.sum())
        slots[layers.used] = torch.from_numpy(received[:told].astype(np.float32))
        doubt = gain_error(plan.gain_energy, noise_power, self._log_gain_deviation)
        with torch.inference_mode():
            half_noise = torch.tensor([[noise_power / 2]])
            mean, variance = layers.read(slots, half_noise, torch.tensor([[doubt]]))
            link = Link.of(len(symbols), design_snr_db, -10 * np.log10(noise_power))
            estimate = self._networks.decode(mean, variance, slots, link)
        beyond = plan.sent[COEFFICIENTS:]
        share = beyond / (beyond + noise_power / 2)
        own = share * received[told : told + len(beyond)] / np.sqrt(beyond)
        white = np.concatenate([estimate[0].numpy(), own])
        known = np.concatenate([1 - variance[0].numpy(), share])
        deviation = self._deviation[: len(white)]
        coefficients = np.zeros(self.basis.deviation.shape, np.float32)
        coefficients[self.ranking[: len(white)]] = white * deviation
        left = 1 - float((np.square(deviation) * known).sum()) / self.basis.total_variance
        return DecodedLatent(self.basis.synthesise(coefficients), float(10 * np.log10(max(left, 1e-12))))


def _row(values: NDArray[np.float64], size: int) -> Tensor:
    """At most ``size`` values as a batch of one, filled up with zeros."""
    return torch.from_numpy(np.pad(values, (0, size - len(values))).astype(np.float32))[None]
