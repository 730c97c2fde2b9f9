"""What a recording says of a frame: one SigMF annotation each, in the namespace ``deepsc``.

SigMF (the Signal Metadata Format, version 1.2) keeps samples in ``NAME.sigmf-data`` and JSON beside them in
``NAME.sigmf-meta``; annotations with fields of a namespace of their own are what it has for everything else.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field

from channel_sim.snr_trace import Sequence32
from protos import channel_pb2

Place = Literal["sender", "receiver"]
"""Where the samples were taken: as they came from the sender, or as they went to the receiver."""

NAMESPACE: Final = "deepsc"
EXTENSION: Final = {"name": NAMESPACE, "version": "1.0.0", "optional": True}

Count = Annotated[int, Field(ge=0, lt=2**63)]


def _key(name: str) -> str:
    return f"core:{name}" if name in ("sample_start", "sample_count") else f"{NAMESPACE}:{name}"


class RecordedFrame(BaseModel):
    """One frame.

    Attributes:
        sample_start: where its samples begin in the file, in samples.
        sample_count: how many there are; 0 for a frame that did not get as far.
        stream_id: of the stream.
        sequence: the frame's number in it.
        link: name of the link.
        config: place of the configuration it passed under in the recording's list.
        config_version: of the link.
        overridden: the call changed the configuration for itself.
        seed: of the random generator.
        start_s: when the first sample passed, in seconds of the stream's own time.
        snr_db: declared Es/N0.
        snr_db_realised: what the frame got; None if it was lost.
        gain_db: its |h|^2; None if it was lost.
        sir_db_realised: signal over interference; None where nothing interfered.
        delay_ms: how long the link held it back.
        lost: the link lost it.
        stale_by: what arrived in its place was sent so many places before.
        delivered_sha256: of the bytes that went to the receiver, in hexadecimal; None if it was lost.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, alias_generator=AliasGenerator(alias=_key)
    )

    sample_start: Count
    sample_count: Count
    stream_id: Annotated[str, Field(min_length=1)]
    sequence: Sequence32
    link: str
    config: Count
    config_version: Count
    overridden: bool
    seed: Count
    start_s: float
    snr_db: float
    snr_db_realised: float | None = None
    gain_db: float | None = None
    sir_db_realised: float | None = None
    delay_ms: float = 0.0
    lost: bool
    stale_by: Count = 0
    delivered_sha256: str | None = None

    def annotation(self) -> dict[str, Any]:
        """As SigMF's JSON, with a label for the tools that show one."""
        label = f"{self.stream_id} {self.sequence}{' lost' if self.lost else ''}"
        return {**self.model_dump(by_alias=True, exclude_none=True), "core:label": label}


def frame_of(passed: channel_pb2.PassedFrame, sample_start: int, sample_count: int) -> RecordedFrame:
    """What the proxy said of a frame, for samples that stand at this place of the file."""
    truth = passed.truth
    arrived = not truth.lost
    return RecordedFrame.model_validate(
        {
            _key(name): value
            for name, value in {
                "sample_start": sample_start,
                "sample_count": sample_count,
                "stream_id": passed.stream_id,
                "sequence": passed.sequence,
                "link": truth.link,
                "config": passed.config_index,
                "config_version": truth.config_version,
                "overridden": truth.overridden,
                "seed": truth.seed,
                "start_s": truth.start_s,
                "snr_db": truth.snr_db,
                "snr_db_realised": truth.snr_db_realised if arrived else None,
                "gain_db": truth.gain_db if arrived else None,
                "sir_db_realised": truth.sir_db_realised if truth.HasField("sir_db_realised") else None,
                "delay_ms": truth.delay_ms,
                "lost": truth.lost,
                "stale_by": truth.stale_by,
                "delivered_sha256": passed.delivered_sha256.hex() if arrived else None,
            }.items()
        }
    )
