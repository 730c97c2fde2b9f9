"""Bringing a latent to the receiver: measure, choose, send, and send again what was erased."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from protos import link_pb2
from protos.link_pb2 import FrameReport
from shared.codec.codec import Latent
from shared.codec.followup import agreed_snr_db
from shared.errors import LinkLost
from shared.phy import ChannelUses, Frame, FrameKind, LinkOutlook, build_sounding
from transmitter.framing import Conditions, Framer, Known, Parcel, same_face
from transmitter.link import FrameLink
from transmitter.snr import SnrTracker
from transmitter.symbols import SymbolBudget
from transmitter.workers import Workers

#: After an erasure the next try is framed as if the link were worse by this much: one profile more robust, about.
CAUTION_DB = 5.0

#: What is assumed of a link whose every sounding was erased.
ASSUMED = LinkOutlook(snr_db=0.0)

_KINDS = {
    FrameKind.KEY: link_pb2.FRAME_KIND_KEY,
    FrameKind.DELTA: link_pb2.FRAME_KIND_DELTA,
    FrameKind.REFINEMENT: link_pb2.FRAME_KIND_REFINEMENT,
}

#: Saying it again would not help: the receiver needs a whole face.
_NEEDS_KEY = (link_pb2.ERASURE_REASON_BASE_MISSING, link_pb2.ERASURE_REASON_AMBIGUOUS)


@dataclass
class Delivery:
    """What became of one turn's frames.

    Attributes:
        reports: one per frame, soundings and repeats included, in the order they were sent.
        kinds: what each of them was.
        uses: channel uses over all of them.
        expected_nmse_db: error of the face's latent that the last decoded frame leaves at the SNRs reported.
        quality: how much of what is seen of the face the receiver knows after that frame, 0..1.
        reopened: whether the link was lost on the way and opened again.
        cut_short: whether the link was lost while the face, which had arrived, was being refined.
    """

    reports: list[FrameReport] = field(default_factory=list)
    kinds: list[link_pb2.FrameKind.ValueType] = field(default_factory=list)
    uses: ChannelUses = field(default_factory=ChannelUses)
    expected_nmse_db: float = 0.0
    quality: float = 0.0
    reopened: bool = False
    cut_short: bool = False

    def add(self, report: FrameReport, kind: link_pb2.FrameKind.ValueType, uses: ChannelUses) -> None:
        """Counts a frame that was sent."""
        self.reports.append(report)
        self.kinds.append(kind)
        self.uses += uses

    @property
    def decoded(self) -> FrameReport | None:
        """The report on the last frame that was decoded, if one was."""
        decoded = (report for report in reversed(self.reports) if report.outcome == link_pb2.FRAME_OUTCOME_DECODED)
        return next(decoded, None)

    @property
    def carrying(self) -> int:
        """How many frames carried the face, or more about it: all but the soundings."""
        return len(self.kinds) - self.kinds.count(link_pb2.FRAME_KIND_SOUNDING)

    @property
    def erased(self) -> int:
        """How many frames were erased."""
        return sum(report.outcome == link_pb2.FRAME_OUTCOME_ERASED for report in self.reports)


class Courier:
    """Sends the latents of one conversation over one link, and remembers what the receiver holds of them.

    Args:
        link: an open stream.
        framer: makes its frames.
        budget: how long they may be.
        max_tries: frames sent for one turn before it is given up.
        workers: where frames are made.
    """

    def __init__(self, link: FrameLink, framer: Framer, budget: SymbolBudget, max_tries: int, workers: Workers) -> None:
        self._snr = SnrTracker()
        self._link = link
        self._framer = framer
        self._budget = budget
        self._max_tries = max_tries
        self._workers = workers
        self._known: Known | None = None

    @property
    def outlook(self) -> LinkOutlook | None:
        """The link as reports have shown it; ``None`` before the first report."""
        return self._snr.outlook

    def begin(self, budget: SymbolBudget) -> None:
        """A new face begins: the next frame is a key frame, and frames are as long as ``budget`` says."""
        self._budget = budget
        self._known = None

    async def sound(self, delivery: Delivery) -> float:
        """The SNR in dB that payloads are made for; measured with a sounding frame if nothing was reported yet.

        Raises:
            LinkLost: if the next hop is gone.
        """
        for _ in range(self._max_tries):
            if self.outlook is not None:
                break
            await self._transmit(build_sounding(), link_pb2.FRAME_KIND_SOUNDING, delivery)
        return self._believed.payload_snr_db

    async def deliver(self, w_plus: Latent, delivery: Delivery) -> None:
        """Sends ``w_plus`` ``(16, 512)`` until a frame is decoded or the tries are used up.

        What the receiver holds is changed where it can be. A repeat is framed for a worse link, and after the first one
        that would not help, or before giving up, it is a key frame.

        Raises:
            LinkLost: if the next hop is gone and does not come back.
            InvalidInput: if the codec or the link cannot take that many symbols.
        """
        spent = delivery.uses.k_total
        for tries in range(self._max_tries):
            insist = tries > 0 and (tries == self._max_tries - 1 or delivery.reports[-1].reason in _NEEDS_KEY)
            parcel = await self._workers.run(self._frame, w_plus, tries * CAUTION_DB, spent, insist)
            if await self._send(parcel, delivery):
                return

    async def refine(self, w_plus: Latent, delivery: Delivery, frames: int, *, until_enough: bool = False) -> None:
        """Sends ``frames`` frames that tell more about ``w_plus`` ``(16, 512)``; none of them is repeated.

        Where the receiver does not hold the face yet, the first of them brings it. Once a frame of the turn was
        decoded, a link that is lost only ends the refining.

        Args:
            w_plus: the face.
            delivery: counts the frames.
            frames: how many there may be.
            until_enough: if a quality was asked for, send no more than that takes.

        Raises:
            LinkLost: if the next hop is gone and does not come back, and no frame of the turn was decoded.
        """
        budget = self._budget if until_enough else replace(self._budget, quality=0.0)
        for _ in range(frames):
            if budget.satisfied_by(delivery.quality):
                return
            try:
                await self._refine_once(w_plus, delivery, budget)
            except LinkLost:
                if delivery.decoded is None:
                    raise
                delivery.cut_short = True
                return

    async def _refine_once(self, w_plus: Latent, delivery: Delivery, budget: SymbolBudget) -> None:
        if self._known is None or not same_face(self._known.shown, w_plus):
            await self.sound(delivery)
            await self.deliver(w_plus, delivery)
        else:
            parcel = await self._workers.run(self._framer.better, self._known, budget, self._conditions(0.0, 0))
            await self._send(parcel, delivery)

    @property
    def _believed(self) -> LinkOutlook:
        return self.outlook or ASSUMED

    def _conditions(self, caution_db: float, spent: int) -> Conditions:
        link = self._believed
        return Conditions(link.payload_snr_db, link.worse_by(caution_db).profile, self._link.next_sequence, spent)

    def _frame(self, w_plus: Latent, caution_db: float, spent: int, insist_on_key: bool) -> Parcel:
        at = self._conditions(caution_db, spent)
        if self._known is not None and not insist_on_key:
            delta = self._framer.delta(w_plus, self._known, self._budget, at)
            if delta is not None:
                return delta
        return self._framer.key(w_plus, self._budget, at)

    async def _send(self, parcel: Parcel, delivery: Delivery) -> bool:
        """Whether the frame was decoded."""
        report = await self._transmit(parcel.frame, _KINDS[parcel.header.kind], delivery)
        if report.outcome != link_pb2.FRAME_OUTCOME_DECODED:
            return False
        self._known = None
        if (met_db := _met_db(report)) is not None:
            self._known = known = self._framer.decoded(parcel, agreed_snr_db(met_db))
            delivery.expected_nmse_db, delivery.quality = known.expected_nmse_db, known.quality
        return True

    async def _transmit(self, frame: Frame, kind: link_pb2.FrameKind.ValueType, delivery: Delivery) -> FrameReport:
        """Sends a frame; it counts as erased if the link is lost, which is opened again once in a turn."""
        try:
            report = await self._link.transmit(frame.samples)
        except LinkLost:
            self._known = None
            lost = FrameReport(
                sequence=self._link.next_sequence - 1,
                outcome=link_pb2.FRAME_OUTCOME_ERASED,
                message="The link was lost.",
            )
            delivery.add(lost, kind, frame.uses)
            if delivery.reopened:
                raise
            await self._link.reopen()
            delivery.reopened = True
            return lost
        delivery.add(report, kind, frame.uses)
        self._learn(report, frame.uses)
        return report

    def _learn(self, report: FrameReport, uses: ChannelUses) -> None:
        measured, known_symbols = _met_db(report), uses.k_pilot + uses.k_header
        if measured is None:
            return
        if report.outcome == link_pb2.FRAME_OUTCOME_ERASED:
            known_symbols = uses.k_pilot
            if self.outlook is not None:
                # An erased frame's pilots may have been read amiss: they may lower what is believed, never raise it.
                measured = min(measured, self.outlook.snr_db)
        self._snr.learn(measured, known_symbols)


def _met_db(report: FrameReport) -> float | None:
    """The SNR that a frame's symbols met, its fade included, as its receiver measured it, if it could."""
    met_db = report.estimate.snr_db + report.estimate.gain_db
    return met_db if report.HasField("estimate") and math.isfinite(met_db) else None
