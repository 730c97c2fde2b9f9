"""The learned joint code: the linear code in visible coordinates, and what two networks add to it.

A linear code gives each coefficient one slot, and leaves about 1.3 dB to the rate-distortion bound at 6 dB: the strong
coefficients would want more room and the weak ones less, and faces are not quite Gaussian. The encoder's network moves
the slots, each frame at unit power as before; the decoder's moves the estimate.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.codec.basis import CodecBasis
from shared.codec.codec import DecodedLatent, Latent, Symbols
from shared.codec.linear import LinearCodec, PowerPlan, demodulate, modulate
from shared.codec.networks import JointNetworks, Link
from shared.codec.sizes import COEFFICIENTS, SLOTS


class JointCodec:
    """`SemanticCodec` with learned residuals. Stateless after construction.

    Args:
        basis: the coordinates that both ends know.
        networks: what was learned; fresh ones add nothing, and leave the linear code of this basis.
        codec_id: the number that stands for it in the frame header.
    """

    def __init__(self, basis: CodecBasis, networks: JointNetworks, codec_id: int) -> None:
        self.basis = basis
        self.codec_id = codec_id
        self._networks = networks
        self._linear = LinearCodec(basis, codec_id)

    def plan(self, k: int, design_snr_db: float) -> PowerPlan:
        """See `LinearCodec.plan`: the energies that the linear part spends."""
        return self._linear.plan(k, design_snr_db)

    def encode(self, w_plus: Latent, k: int, design_snr_db: float) -> Symbols:
        """See `SemanticCodec.encode`."""
        plan = self.plan(k, design_snr_db)
        coefficients = self._linear.analyse(w_plus)
        slots = self._linear.fill_slots(coefficients, plan, k)
        used = min(len(slots), SLOTS)
        with torch.inference_mode():
            sent = self._networks.encode(
                _row(_padded(slots[:used], SLOTS)),
                _row(coefficients[self._seen] / self.basis.deviation[self._seen]),
                _row(_share(plan, 10 ** (-design_snr_db / 10))),
                _link(k, design_snr_db, design_snr_db),
            )
        slots[:used] = sent[0, :used].numpy()
        return modulate(slots, plan.gain_energy)

    def decode(self, symbols: Symbols, design_snr_db: float, noise_power: float) -> DecodedLatent:
        """See `SemanticCodec.decode`. The error it expects is the linear decoder's, a bound from above."""
        plan = self.plan(len(symbols), design_snr_db)
        slots = demodulate(symbols, plan.gain_energy, noise_power, float(self.basis.log_gain_deviation[0]))
        coefficients, expected_nmse_db = self._linear.estimate(slots, plan, noise_power)
        deviation = self.basis.deviation[self._seen]
        with torch.inference_mode():
            estimate = self._networks.decode(
                _row(coefficients[self._seen] / deviation),
                _row(_share(plan, noise_power)),
                _row(_padded(slots[:SLOTS], SLOTS)),
                _link(len(symbols), design_snr_db, -10 * np.log10(max(noise_power, 1e-6))),
            )
        coefficients[self._seen] = estimate[0].numpy() * deviation
        return DecodedLatent(self.basis.synthesise(coefficients), expected_nmse_db)

    @property
    def _seen(self) -> NDArray[np.intp]:
        """The coefficients that the networks see."""
        return self._linear.ranking[:COEFFICIENTS]


def _padded(values: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    return np.pad(values, (0, size - len(values)))


def _share(plan: PowerPlan, noise_power: float) -> NDArray[np.float64]:
    """How much of each of the first coefficients a linear receiver learns, ``(COEFFICIENTS,)``."""
    energy = plan.energy[:COEFFICIENTS]
    return _padded(energy / (energy + noise_power / 2), COEFFICIENTS)


def _row(values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))[None]


def _link(k: int, design_snr_db: float, snr_db: float) -> Link:
    return Link(*(torch.tensor([float(value)]) for value in (k, design_snr_db, snr_db)))
