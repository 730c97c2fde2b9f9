"""What a link leaves of a face, by the SNR that was last reported."""

from __future__ import annotations

from shared.codec.belief import CoefficientCodec
from shared.codec.codec import SemanticCodec
from shared.codec.perceptual import PerceptualBasis
from shared.phy import profile_for, quantise_design_snr
from transmitter.fields import Reception
from transmitter.symbols import SymbolBudget


class Receptions:
    """Receptions of a codec's key frames.

    Args:
        codec: codes in visible coordinates.
        budget: how long its frames are.
    """

    def __init__(self, codec: CoefficientCodec, budget: SymbolBudget) -> None:
        self._codec, self._budget = codec, budget

    @classmethod
    def of(cls, codec: SemanticCodec, budget: SymbolBudget) -> Receptions | None:
        """Those of ``codec``; ``None`` for one that codes in other coordinates."""
        if isinstance(codec, CoefficientCodec) and isinstance(codec.basis, PerceptualBasis):
            return cls(codec, budget)
        return None

    def at(self, snr_db: float) -> Reception:
        """Of a frame sent at Es/N0 ``snr_db``."""
        k = self._budget.payload(snr_db, profile_for(snr_db), 0)
        return Reception.of(self._codec, k, float(quantise_design_snr(snr_db)))
