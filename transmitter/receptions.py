"""What a link leaves of a face, by the SNR that was last reported."""

from __future__ import annotations

from shared.codec.codec import Latent, SemanticCodec
from shared.phy import profile_for, quantise_design_snr
from transmitter.symbols import SymbolBudget


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
