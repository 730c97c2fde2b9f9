"""Configurations and counters as protobuf messages, and back."""

from __future__ import annotations

from typing import Any

from channel_sim.config import DEFAULT_LINK, LinkConfig
from channel_sim.impairments import Parameters
from channel_sim.links import NamedLink, Setting
from channel_sim.snr_trace import SnrTrace
from protos import channel_pb2
from shared.errors import InvalidInput

_SCALARS = ("snr_db", "seed", "sample_rate_hz", "frame_gap_ms")


def state_message(link: NamedLink, setting: Setting) -> channel_pb2.LinkState:
    """The complete state of a link under a setting, the one in force or an earlier one."""
    config = setting.config
    return channel_pb2.LinkState(
        config=config_message(link.name, config), version=setting.version, fading=config.fading
    )


def config_message(name: str, config: LinkConfig) -> channel_pb2.LinkConfig:
    """A configuration with every field set; no trace where there is none."""
    message = channel_pb2.LinkConfig(
        link=name,
        snr_db=config.snr_db,
        seed=config.seed,
        sample_rate_hz=config.sample_rate_hz,
        frame_gap_ms=config.frame_gap_ms,
        impairments=impairments_message(config.impairments),
    )
    if config.snr_trace is not None:
        message.snr_trace.CopyFrom(trace_message(config.snr_trace))
    return message


def trace_message(trace: SnrTrace) -> channel_pb2.SnrTrace:
    """A trace with every field set."""
    return channel_pb2.SnrTrace(frames=trace.frames, snr_db=trace.snr_db, repeat=trace.repeat)


def impairments_message(impairments: tuple[Parameters, ...]) -> channel_pb2.ImpairmentList:
    """Impairments in their order; a message's fields bear the names of the model's."""
    return channel_pb2.ImpairmentList(
        impairments=[_impairment_message(impairment.model_dump()) for impairment in impairments]
    )


def _impairment_message(fields: dict[str, Any]) -> channel_pb2.Impairment:
    of_its_kind: dict[str, Any] = {fields.pop("kind"): fields}
    return channel_pb2.Impairment(**of_its_kind)


def stats_message(link: NamedLink) -> channel_pb2.LinkStats:
    """The counters of a link."""
    counters = link.counters
    return channel_pb2.LinkStats(
        link=link.name,
        version=link.setting.version,
        streams=counters.streams,
        streams_open=link.streams_open,
        frames=counters.frames,
        samples=counters.samples,
        frames_lost=counters.frames_lost,
        frames_erased=counters.frames_erased,
        snr_db_realised=counters.snr_db_realised,
        gain_db=counters.gain_db,
        recent=counters.recent,
    )


def config_fields(message: channel_pb2.LinkConfig | channel_pb2.SetLinkRequest) -> dict[str, Any]:
    """The plain values of a configuration's fields that are present, unchecked.

    Raises:
        InvalidInput: if an impairment of the list is of no kind.
    """
    present = {field.name for field, _ in message.ListFields()}
    fields: dict[str, Any] = {name: getattr(message, name) for name in _SCALARS if name in present}
    if message.HasField("impairments"):
        fields["impairments"] = [_impairment_fields(each) for each in message.impairments.impairments]
    if message.HasField("snr_trace"):
        fields["snr_trace"] = {field.name: _plain(value) for field, value in message.snr_trace.ListFields()}
    return fields


def _impairment_fields(message: channel_pb2.Impairment) -> dict[str, Any]:
    kind = message.WhichOneof("kind")
    if kind is None:
        raise InvalidInput("an impairment of the list has no kind: set one, or leave the entry out")
    return {"kind": kind, **{field.name: _plain(value) for field, value in getattr(message, kind).ListFields()}}


def _plain(value: Any) -> Any:
    """Repeated fields as lists; numbers and strings as they are."""
    return value if isinstance(value, int | float | str) else list(value)


def link_name(message: channel_pb2.LinkConfig) -> str:
    """The name a configuration is for; ``default`` where it is empty."""
    return message.link or DEFAULT_LINK
