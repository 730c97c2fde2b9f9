"""The report of a conversation: one JSON document, its keys fixed by the project's contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.client import Talk, Turn
from protos.link_pb2 import FrameKind
from protos.transmitter_pb2 import AttributeEdit
from shared.attributes import attribute_names
from shared.phy import source_dimensions
from shared.pictures import Picture, decode_png

Judge = Callable[[Picture, Picture], tuple[float, float]]
"""Two pictures ``(S, S, 3)`` of one size to their LPIPS and their identity cosine."""

#: Decimals of everything measured: more would be noise, and would differ from machine to machine.
DECIMALS = 6


@dataclass(frozen=True)
class Likeness:
    """How near the received face is to the one that was meant.

    Attributes:
        lpips: perceptual distance (LPIPS v0.1, AlexNet).
        identity_cosine: identity by a network that no loss of this project uses (SFace).
    """

    lpips: float
    identity_cosine: float


def likeness(turn: Turn, judge: Judge) -> Likeness | None:
    """The received face against the intended one; ``None`` if nothing was received."""
    if turn.received is None:
        return None
    intended, received = decode_png(turn.report.intended_png), decode_png(turn.received.png)
    return Likeness(*judge(received, intended))


def turn_document(turn: Turn, alike: Likeness | None, resolution: int) -> dict[str, Any]:
    """One turn.

    Args:
        turn: as it went.
        alike: how near the received face is.
        resolution: side of the faces served, in pixels.
    """
    report, received = turn.report, turn.received
    n = source_dimensions(resolution, resolution)
    truth = report.channel if report.HasField("channel") else None
    estimate = report.estimate if report.HasField("estimate") else None
    timings = dict(report.timings_ms) | {"total": turn.wall_ms}
    if received is not None:
        timings["receiver_render"] = received.render_ms
    return {
        "turn": report.turn,
        "instruction": report.instruction,
        "edits": [_edit(edit) for edit in report.edits],
        "message": report.message,
        "degrees_before": degrees(report.degrees_before),
        "degrees_after": degrees(report.degrees_after),
        "degrees_received": degrees(received.degrees) if received is not None else None,
        "resolution": resolution,
        "n": n,
        "k_payload": report.uses.k_payload,
        "k_header": report.uses.k_header,
        "k_pilot": report.uses.k_pilot,
        "k_total": report.uses.k_total,
        "rho": report.uses.k_total / n,
        "rho_payload": report.uses.k_payload / n,
        "snr_db_channel": _rounded(truth.snr_db) if truth else None,
        "snr_db_realised": _rounded(truth.snr_db_realised) if truth else None,
        "snr_db_estimated": _rounded(estimate.snr_db) if estimate else None,
        "gain_db_channel": _rounded(truth.gain_db) if truth else None,
        "gain_db_estimated": _rounded(estimate.gain_db) if estimate else None,
        "sequence": report.sequence,
        "frames_sent": report.frames_sent,
        "frames_erased": report.frames_erased,
        "kinds": [FrameKind.Name(kind).removeprefix("FRAME_KIND_").lower() for kind in report.kinds],
        "expected_nmse_db": _rounded(report.expected_nmse_db),
        "quality": _rounded(report.quality),
        "lpips_received_vs_intended": _rounded(alike.lpips) if alike else None,
        "identity_cosine": _rounded(alike.identity_cosine) if alike else None,
        "received_sha256": [digest.hex() for digest in report.received_sha256],
        "timings_ms": _milliseconds(timings),
    }


def face_document(talk: Talk) -> dict[str, Any]:
    """The photo as it was understood, before any edit."""
    return {
        "degrees": degrees(talk.face.degrees),
        "lpips": _rounded(talk.face.lpips),
        "identity_cosine": _rounded(talk.face.identity_cosine),
        "confidence": _rounded(talk.face.confidence),
        "timings_ms": _milliseconds(talk.face.timings_ms),
    }


def degrees(by_name: Mapping[str, float]) -> dict[str, float]:
    """In registry order, whatever order the wire had."""
    return {name: _rounded(by_name[name]) for name in attribute_names() if name in by_name}


def _edit(edit: AttributeEdit) -> dict[str, Any]:
    return {
        "attribute": edit.attribute,
        "change": edit.change if edit.HasField("change") else None,
        "target": edit.target if edit.HasField("target") else None,
    }


def _milliseconds(timings: Mapping[str, float]) -> dict[str, float]:
    return {name: round(timings[name], 1) for name in sorted(timings)}


def _rounded(value: float) -> float:
    return round(value, DECIMALS)
