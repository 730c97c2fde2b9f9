"""What the transmitter tells its client, as messages."""

from __future__ import annotations

from collections.abc import Mapping

from protos import link_pb2
from protos.transmitter_pb2 import AttributeEdit, Question, TurnReport
from shared.attributes import Edit
from shared.phy import ChannelUses
from transmitter.courier import Delivery
from transmitter.editor import EditOutcome
from transmitter.resolve import Intent
from transmitter.text.parser import ParsedInstruction


def question(parsed: ParsedInstruction, guess: str) -> Question:
    """Asks back about a sentence whose best guess, in words, is ``guess``."""
    return Question(
        instruction=parsed.instruction,
        guess=guess,
        edits=[edit_message(edit) for edit in parsed.edits],
        confidence=parsed.confidence,
        message=parsed.message,
    )


def turn_report(
    turn: int,
    instruction: str,
    intent: Intent,
    outcome: EditOutcome,
    delivery: Delivery,
    intended_png: bytes,
    timings: Mapping[str, float],
) -> TurnReport:
    """One turn, whether or not it was received.

    Args:
        turn: its number.
        instruction: the sentence.
        intent: what was understood.
        outcome: how far the edit went.
        delivery: what became of its frames.
        intended_png: the face as it is meant.
        timings: of its parts, in milliseconds.
    """
    last, decoded = delivery.reports[-1], delivery.decoded
    shown = decoded or last
    said = [intent.words, outcome.message]
    if decoded is None:
        frames = "the frame" if delivery.carrying == 1 else f"each of the {delivery.carrying} frames"
        said.append(
            f"{frames} that carried the face was erased and the receiver shows what it showed before, "
            "so say it again when the channel is better"
        )
    if delivery.cut_short:
        said.append("the link was lost before all frames were sent, and the receiver shows what has arrived")
    return TurnReport(
        turn=turn,
        instruction=instruction,
        edits=[edit_message(edit) for edit in intent.edits],
        message="; ".join(part for part in said if part),
        degrees_before=outcome.degrees_before,
        degrees_after=outcome.degrees_after,
        intended_png=intended_png,
        sequence=decoded.sequence if decoded else 0,
        uses=_uses(delivery.uses),
        frames_sent=len(delivery.reports),
        frames_erased=delivery.erased,
        estimate=shown.estimate if shown.HasField("estimate") else None,
        channel=shown.channel if shown.HasField("channel") else None,
        timings_ms={**timings, "decode": shown.decode_ms},
        expected_nmse_db=delivery.expected_nmse_db,
        quality=delivery.quality,
        received_sha256=[report.received_sha256 for report in delivery.reports],
        kinds=delivery.kinds,
    )


def edit_message(edit: Edit) -> AttributeEdit:
    """One wish."""
    return AttributeEdit(attribute=edit.attribute, change=edit.change, target=edit.target)


def _uses(uses: ChannelUses) -> link_pb2.ChannelUses:
    return link_pb2.ChannelUses(
        k_payload=uses.k_payload, k_header=uses.k_header, k_pilot=uses.k_pilot, k_total=uses.k_total
    )
