"""What the transmitter can be told, ``DEEPSC_TRANSMITTER_*``."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from shared.codec.catalogue import CodecName
from shared.pictures import served_resolution
from shared.settings import ServiceSettings, Target, variables_of
from transmitter.inverter import USUAL_SNR_DB, Refinement
from transmitter.symbols import MAX_USES


class TransmitterSettings(ServiceSettings):
    """Settings of the transmitter."""

    model_config = variables_of("transmitter")
    service: ClassVar[str] = "transmitter"

    port: int = Field(50051, ge=0, le=65535, description="Port to listen on; 0 takes a free one and announces it.")
    target: Target = Field("127.0.0.1:50052", description="The channel proxy, or a receiver, host:port.")
    link: str = Field("default", min_length=1, max_length=64, description="Named link of the channel proxy to go over.")
    codec: CodecName = Field("jecc", description="Code of the latent, the same at both ends.")
    adapters: Path | None = Field(None, description="Adapter pairs for codec jecc, the same file at both ends.")
    resolution: int = Field(
        1024, description="Side in pixels of the pictures in events, unless asked: 128, 256, 512 or 1024."
    )
    refine_steps: int = Field(40, ge=0, le=1000, description="Gradient steps after the encoder, unless asked.")
    refine_seconds: float = Field(5.0, gt=0, description="Longest that those steps may take, unless steps were asked.")
    invert_for_snr_db: float = Field(
        USUAL_SNR_DB,
        description="Es/N0 in dB of the link that photos are inverted for, unless asked; inf: for none.",
    )
    symbols: int = Field(0, ge=0, le=2**16, description="Payload symbols of a frame; 0 chooses by the reported SNR.")
    quality: float = Field(
        0.0, ge=0, lt=1, description="Share of what is seen of a face that is enough, unless asked; 0: no such bound."
    )
    max_uses: int = Field(MAX_USES, ge=128, le=2**16, description="Channel uses of a turn without repeats, at most.")
    max_tries: int = Field(4, ge=1, le=64, description="Frames sent for one turn before it is given up.")
    max_conversations: int = Field(8, ge=1, le=1024, description="Conversations at once.")
    remembered_turns: int = Field(32, ge=1, le=1024, description="Turns of a conversation that can be undone.")
    idle_seconds: float = Field(600.0, gt=0, description="Longest silence of a client before its conversation ends.")
    workers: int = Field(2, ge=1, le=64, description="Threads for the mathematics.")
    connect_seconds: float = Field(5.0, gt=0, le=600, description="Longest wait for the link to accept a stream.")
    report_seconds: float = Field(10.0, gt=0, le=600, description="Longest wait for the report on a frame.")
    # Well above the photo's own limit: the sentence about a photo that is too large should be ours.
    max_message_bytes: int = Field(128 * 2**20, ge=2**20, le=2**30, description="Largest gRPC message, in bytes.")

    @field_validator("resolution")
    @classmethod
    def _is_served(cls, resolution: int) -> int:
        return served_resolution(resolution, resolution)

    @field_validator("invert_for_snr_db")
    @classmethod
    def _is_an_snr(cls, snr_db: float) -> float:
        return Refinement(for_snr_db=snr_db).for_snr_db
