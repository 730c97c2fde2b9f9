"""Bringing a latent to the receiver: measure, choose, send, and send again what was erased."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from protos import link_pb2
from protos.link_pb2 import FrameReport
from shared.codec.codec import Latent, SemanticCodec
from shared.phy import (
    ChannelUses,
    Frame,
    FrameHeader,
    FrameKind,
    build_frame,
    build_sounding,
    profile_for,
    quantise_design_snr,
)
from shared.phy.header import SEQUENCE_MODULUS
from transmitter.link import FrameLink
from transmitter.symbols import SymbolBudget
from transmitter.workers import Workers

#: After an erasure the next try is framed as if the link were worse by this much: one profile more robust, about.
CAUTION_DB = 5.0

#: What is assumed of a link whose every sounding was erased.
ASSUMED_SNR_DB = 0.0


@dataclass
class Delivery:
    """What became of one turn's frames.

    Attributes:
        reports: one per frame, soundings and repeats included, in the order they were sent.
        uses: channel uses over all of them.
        expected_nmse_db: the latent error that the codec expects at the reported SNR.
    """

    reports: list[FrameReport] = field(default_factory=list)
    uses: ChannelUses = field(default_factory=ChannelUses)
    expected_nmse_db: float = 0.0

    @property
    def decoded(self) -> FrameReport | None:
        """The report on the frame that was decoded, if one was: it is the last."""
        last = self.reports[-1] if self.reports else None
        return last if last is not None and last.outcome == link_pb2.FRAME_OUTCOME_DECODED else None

    @property
    def erased(self) -> int:
        """How many frames were erased."""
        return sum(report.outcome == link_pb2.FRAME_OUTCOME_ERASED for report in self.reports)


class Courier:
    """Sends the latents of one conversation over one link.

    Attributes:
        snr_db: the link's Es/N0 as last reported; ``None`` before the first report.
    """

    def __init__(
        self, link: FrameLink, codec: SemanticCodec, budget: SymbolBudget, max_tries: int, workers: Workers
    ) -> None:
        self.snr_db: float | None = None
        self._link = link
        self._codec = codec
        self._budget = budget
        self._max_tries = max_tries
        self._workers = workers

    async def sound(self, delivery: Delivery) -> float:
        """The link's SNR in dB; measured with a sounding frame if nothing was reported yet.

        Raises:
            LinkLost: if the next hop is gone.
        """
        for _ in range(self._max_tries):
            if self.snr_db is not None:
                return self.snr_db
            await self._transmit(build_sounding(), delivery)
        return ASSUMED_SNR_DB if self.snr_db is None else self.snr_db

    async def deliver(self, w_plus: Latent, delivery: Delivery) -> None:
        """Sends ``w_plus`` ``(16, 512)`` until a frame is decoded or the tries are used up.

        Raises:
            LinkLost: if the next hop is gone.
            InvalidInput: if the codec or the link cannot take that many symbols.
        """
        spent = delivery.uses.k_total
        for tries in range(self._max_tries):
            snr_db = ASSUMED_SNR_DB if self.snr_db is None else self.snr_db
            frame, delivery.expected_nmse_db = await self._workers.run(
                self._frame, w_plus, snr_db, snr_db - tries * CAUTION_DB, spent
            )
            await self._transmit(frame, delivery)
            if delivery.decoded:
                return

    def _frame(self, w_plus: Latent, snr_db: float, framing_snr_db: float, spent: int) -> tuple[Frame, float]:
        """The frame that carries ``w_plus``, and the error its codec expects after the noise."""
        profile = profile_for(framing_snr_db)
        design_snr_db = quantise_design_snr(snr_db)
        k_payload = self._budget.payload(snr_db, profile, spent)
        symbols = self._codec.encode(w_plus, k_payload, float(design_snr_db))
        expected = self._codec.decode(symbols, float(design_snr_db), 10 ** (-snr_db / 10)).expected_nmse_db
        header = FrameHeader(
            codec_id=self._codec.codec_id,
            kind=FrameKind.KEY,
            sequence=self._link.next_sequence % SEQUENCE_MODULUS,
            design_snr_db=design_snr_db,
        )
        return build_frame(header, symbols, profile), expected

    async def _transmit(self, frame: Frame, delivery: Delivery) -> None:
        report = await self._link.transmit(frame.samples)
        delivery.reports.append(report)
        delivery.uses += frame.uses
        self._learn(report)

    def _learn(self, report: FrameReport) -> None:
        if not report.HasField("estimate") or not math.isfinite(report.estimate.snr_db):
            return
        measured = report.estimate.snr_db
        if report.outcome == link_pb2.FRAME_OUTCOME_ERASED and self.snr_db is not None:
            # An erased frame's pilots may have been read amiss: they may lower what is believed, never raise it.
            measured = min(measured, self.snr_db)
        self.snr_db = measured
