"""What the receiver can be told, ``DEEPSC_RECEIVER_*``."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from shared.codec.catalogue import CodecName
from shared.phy import MAX_SAMPLES
from shared.pictures import served_resolution
from shared.settings import ServiceSettings, variables_of


class ReceiverSettings(ServiceSettings):
    """Settings of the receiver; every bound is a promise about memory."""

    model_config = variables_of("receiver")
    service: ClassVar[str] = "receiver"

    port: int = Field(50053, ge=0, le=65535, description="Port to listen on; 0 takes a free one and announces it.")
    codec: CodecName = Field("jecc", description="Code of the latent, the same at both ends.")
    adapters: Path | None = Field(None, description="Adapter pairs for codec jecc, the same file at both ends.")
    resolution: int = Field(
        1024, description="Side in pixels of the faces for watchers who ask for none: 128, 256, 512 or 1024."
    )
    credits: int = Field(4, ge=1, le=64, description="Frames that a stream may have under way.")
    max_samples: int = Field(MAX_SAMPLES, ge=64, le=2**20, description="Longest frame taken, in samples.")
    max_streams: int = Field(64, ge=1, le=4096, description="Streams open at once.")
    drawing_bound: int = Field(4, ge=1, le=64, description="Faces of one stream that may wait to be drawn.")
    remembered_faces: int = Field(32, ge=1, le=4096, description="Streams whose last face is kept for late watchers.")
    face_idle_seconds: float = Field(900.0, gt=0, description="How long a last face is kept.")
    max_watchers: int = Field(64, ge=1, le=4096, description="Watchers at once.")
    watch_bound: int = Field(4, ge=1, le=64, description="Faces that wait for a slow watcher; then the oldest goes.")
    render_workers: int = Field(1, ge=1, le=16, description="Threads that draw; one drawing uses several cores.")

    @field_validator("resolution")
    @classmethod
    def _is_served(cls, resolution: int) -> int:
        return served_resolution(resolution, resolution)
