"""Settings of the channel proxy: ``DEEPSC_CHANNEL_*`` and flags."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from channel_sim.config import DEFAULT_LINK, LinkConfig, checked_config
from channel_sim.links_file import read_links
from shared.errors import InvalidInput
from shared.phy.cf32 import MAX_SAMPLES
from shared.settings import ServiceSettings, Target, variables_of


class ChannelSettings(ServiceSettings):
    """What the proxy is started with; its links can be changed afterwards over ``deepsc.v1.ChannelControl``."""

    model_config = variables_of("channel")
    service: ClassVar[str] = "channel"

    port: int = Field(default=50052, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    target: Target = Field(default="127.0.0.1:50053", description="The receiver, host:port.")
    snr_db: float = Field(default=12.0, description="Es/N0 of the link 'default' at the start, in dB.")
    fading: str = Field(default="none", description="none, rayleigh, rician, taps or tdl for 'default'.")
    seed: int = Field(default=0, description="Seed of the link 'default' at the start.")
    links: Path | None = Field(default=None, description="YAML file of links that are there at the start.")
    strict: bool = Field(default=True, description="Strip diagnostics from what the receiver sees.")
    credits: int = Field(default=8, ge=1, le=1024, description="Most frames of one stream under way at once.")
    max_links: int = Field(default=64, ge=1, le=4096, description="Most named links, 'default' among them.")
    max_streams: int = Field(default=256, ge=1, description="Most streams open at once.")
    max_samples: int = Field(default=MAX_SAMPLES, ge=1, le=2**20, description="Longest frame taken, in samples.")
    connect_seconds: float = Field(
        default=3.0, gt=0.0, le=600.0, description="Longest wait for the receiver to accept a stream."
    )

    allow_overrides: bool = Field(
        default=False, description="Let a call override its link's configuration by metadata, for itself alone."
    )
    metrics_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port for Prometheus on the same host; none without it, 0 a free one."
    )

    def links_at_start(self) -> dict[str, LinkConfig]:
        """Configurations of the link ``default`` and of those in the file, by name.

        Raises:
            InvalidInput: one sentence per bad value, in the file too; if both the file and a flag describe
                ``default``; or if there are more links than ``max_links``.
        """
        if self.links is None:
            return {DEFAULT_LINK: self._default_link()}
        in_file = read_links(self.links)
        given = [name for name in ("snr_db", "fading", "seed") if name in self.model_fields_set]
        if DEFAULT_LINK in in_file and given:
            raise InvalidInput(
                f"{self.links} describes the link 'default', and so does {', '.join(given)}: say it in one place"
            )
        links = {DEFAULT_LINK: self._default_link(), **in_file}
        if len(links) > self.max_links:
            raise InvalidInput(
                f"{self.links} makes {len(links)} links and max_links is {self.max_links}: start with more, or leave "
                "some out"
            )
        return links

    def _default_link(self) -> LinkConfig:
        return checked_config({"snr_db": self.snr_db, "seed": self.seed}).with_fading(self.fading)
