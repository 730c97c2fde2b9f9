"""What a link does: one frozen, checked value that can be compared, replaced and written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channel_sim.awgn import Awgn, TracedAwgn
from channel_sim.chain import Chain
from channel_sim.channel_model import Stage
from channel_sim.impairments import IMPAIRMENTS, FrameImpairment, Impairment, SampleImpairment
from channel_sim.mobility import PRESETS
from channel_sim.sentences import joined, sentences
from channel_sim.snr_trace import SnrDb, SnrTrace
from shared.errors import InvalidInput

DEFAULT_LINK = "default"

LinkName = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")]


class LinkConfig(BaseModel):
    """Everything that decides, together with a stream's id and its frames, what comes out of a link.

    Attributes:
        snr_db: Es/N0 per complex sample at unit mean channel gain; not used while there is a trace.
        seed: of the counter-based generator.
        sample_rate_hz: complex samples per second; gives hertz and microseconds their meaning.
        frame_gap_ms: silence between a frame's end and the next one's start, in the stream's own time.
        impairments: in the order in which they act; sorted into physical order when the value is made.
        snr_trace: SNR by frame number, in place of ``snr_db``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    snr_db: SnrDb = 12.0
    seed: int = Field(default=0, ge=0, lt=2**63)
    sample_rate_hz: float = Field(default=1e6, ge=1e3, le=1e10)
    frame_gap_ms: float = Field(default=0.0, ge=0.0, le=1e6)
    impairments: tuple[Impairment, ...] = Field(default=(), max_length=32)
    snr_trace: SnrTrace | None = None

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002
        in_order = tuple(sorted(self.impairments, key=lambda impairment: impairment.stage))
        object.__setattr__(self, "impairments", in_order)

    @property
    def fading(self) -> str:
        """Kinds of the propagation impairments joined by ``+``; ``"none"`` without any."""
        return "+".join(each.kind for each in self.impairments if each.stage is Stage.PROPAGATION) or "none"

    def with_fading(self, fading: str) -> LinkConfig:
        """The same with one propagation impairment of that kind and its default parameters, or with ``"none"``.

        Raises:
            InvalidInput: if there is no such fading.
        """
        known = {kind: cls for kind, cls in IMPAIRMENTS.items() if cls.stage is Stage.PROPAGATION}
        if fading != "none" and fading not in known:
            raise InvalidInput(f"there is no fading {fading!r}; choose one of {', '.join(['none', *known])}")
        return self._propagating([] if fading == "none" else [{"kind": fading}])

    def with_preset(self, preset: str) -> LinkConfig:
        """The same with the propagation and the sample rate of a mobility preset.

        Raises:
            InvalidInput: if there is no such preset.
        """
        mobility = PRESETS.get(preset)
        if mobility is None:
            raise InvalidInput(f"there is no preset {preset!r}; choose one of {', '.join(PRESETS)}")
        rayleigh = {"kind": "rayleigh", "doppler_hz": mobility.doppler_hz}
        return self._propagating([rayleigh], sample_rate_hz=mobility.sample_rate_hz)

    def _propagating(self, impairments: list[dict[str, Any]], **fields: Any) -> LinkConfig:
        others = [each.model_dump() for each in self.impairments if each.stage is not Stage.PROPAGATION]
        return self.changed(impairments=[*others, *impairments], **fields)

    def changed(self, **fields: Any) -> LinkConfig:
        """The same with some fields replaced, checked; an ``snr_db`` ends the trace.

        Raises:
            InvalidInput: one sentence per bad value.
        """
        ended = {"snr_trace": None} if "snr_db" in fields else {}
        return checked_config({**self.model_dump(), **ended, **fields})

    def overlaid(self, fields: Mapping[str, Any]) -> LinkConfig:
        """The same with some fields replaced, among which ``fading`` and ``preset`` are shorthands.

        Raises:
            InvalidInput: one sentence per bad value, or if two fields say the same thing.
        """
        if sum(name in fields for name in ("fading", "preset", "impairments")) > 1:
            raise InvalidInput("set either fading or preset, the shorthands, or impairments, the whole list")
        if "preset" in fields and "sample_rate_hz" in fields:
            raise InvalidInput("a preset brings its sample_rate_hz along: leave that out, or set it afterwards")
        if "snr_db" in fields and "snr_trace" in fields:
            raise InvalidInput("set either snr_db, one value for all frames, or snr_trace, a course over them")
        config = self.changed(**{name: fields[name] for name in fields if name not in ("fading", "preset")})
        if "fading" in fields:
            config = config.with_fading(str(fields["fading"]))
        if "preset" in fields:
            config = config.with_preset(str(fields["preset"]))
        return config

    def snr_db_at(self, sequence: int) -> float:
        """Declared SNR in dB of a stream's frame of that number."""
        return self.snr_db if self.snr_trace is None else self.snr_trace.at(sequence)

    def chain(self) -> Chain:
        """The models of this configuration, composed."""
        noise = Awgn(self.snr_db) if self.snr_trace is None else TracedAwgn(self.snr_trace)
        return Chain(
            [noise, *(each for each in self.impairments if isinstance(each, SampleImpairment))],
            [each for each in self.impairments if isinstance(each, FrameImpairment)],
        )


def checked_config(fields: dict[str, Any]) -> LinkConfig:
    """Builds a configuration from plain values, impairments as ``{"kind": name, parameter: value, ...}``.

    Raises:
        InvalidInput: one sentence per bad value.
    """
    try:
        return LinkConfig.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput(joined(sentences(error))) from error
