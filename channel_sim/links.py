"""The named links of a proxy: their configuration, its version, and their counters."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from channel_sim.chain import Chain, Passage
from channel_sim.config import DEFAULT_LINK, LinkConfig, LinkName
from channel_sim.power import to_db
from protos import channel_pb2, link_pb2
from shared.errors import InvalidInput, Overloaded, UnknownLink, UnknownVersion

_RECENT_FRAMES = 64
_KEPT_VERSIONS = 32


@dataclass(frozen=True)
class Setting:
    """A configuration in force: frames take one whole, so a change acts at a frame's boundary.

    Attributes:
        version: of the link.
        config: what is in force.
        chain: its models, composed.
        overridden: a call changed the configuration for itself.
    """

    version: int
    config: LinkConfig
    chain: Chain
    overridden: bool = False


@dataclass
class Counters:
    """What passed since the link was created or reset; energies are sums of ``|x|^2`` over samples."""

    streams: int = 0
    frames: int = 0
    frames_passed: int = 0
    samples: int = 0
    frames_lost: int = 0
    frames_erased: int = 0
    gain_sum: float = 0.0
    signal_energy: float = 0.0
    noise_energy: float = 0.0
    recent: deque[channel_pb2.FrameGlimpse] = field(default_factory=lambda: deque(maxlen=_RECENT_FRAMES))

    def count(self, passage: Passage) -> None:
        """Adds a frame that went through."""
        samples = passage.samples.size
        self.frames += 1
        self.frames_passed += 1
        self.samples += samples
        self.gain_sum += passage.gain
        self.signal_energy += passage.signal_power * samples
        self.noise_energy += passage.noise_power * samples

    def count_lost(self) -> None:
        """Adds a frame that the link lost."""
        self.frames += 1
        self.frames_lost += 1

    def count_report(self, stream_id: str, report: link_pb2.FrameReport) -> None:
        """Adds the report on a frame, with the truth about it."""
        erased = report.outcome == link_pb2.FRAME_OUTCOME_ERASED
        self.frames_erased += erased
        glimpse = channel_pb2.FrameGlimpse(
            stream_id=stream_id, sequence=report.sequence, snr_db=report.channel.snr_db, erased=erased
        )
        if not report.channel.lost:
            glimpse.snr_db_realised = report.channel.snr_db_realised
            glimpse.gain_db = report.channel.gain_db
        self.recent.append(glimpse)

    @property
    def snr_db_realised(self) -> float | None:
        """Energy of all signal over that of all noise, in dB."""
        return to_db(self.signal_energy) - to_db(self.noise_energy) if self.frames_passed else None

    @property
    def gain_db(self) -> float | None:
        """Mean gain of the frames, in dB."""
        return to_db(self.gain_sum / self.frames_passed) if self.frames_passed else None


class NamedLink:
    """One link; every stream over it reads its setting of the moment.

    Attributes:
        name: of the link.
        setting: in force from the next frame on.
        counters: since creation or reset.
        streams_open: streams on it now.
    """

    def __init__(self, name: str, config: LinkConfig) -> None:
        self.name = name
        self.setting = Setting(1, config, config.chain())
        self.counters = Counters()
        self.streams_open = 0
        self._created_with = config
        self._history = deque([self.setting], maxlen=_KEPT_VERSIONS)

    def change(self, config: LinkConfig) -> None:
        """Puts a configuration in force; an equal one changes nothing, not even the version."""
        if config != self.setting.config:
            self.setting = Setting(self.setting.version + 1, config, config.chain())
            self._history.append(self.setting)

    def setting_of(self, version: int) -> Setting:
        """The setting of one of the latest 32 versions.

        Raises:
            UnknownVersion: if the link never had it, or has forgotten it.
        """
        for setting in self._history:
            if setting.version == version:
                return setting
        raise UnknownVersion(
            f"link {self.name!r} keeps its versions {self._history[0].version} to {self.setting.version}, not {version}"
        )

    def reset(self) -> None:
        """Back to the configuration of its creation, with counters at zero."""
        self.change(self._created_with)
        self.counters = Counters()


class Links:
    """All links of a proxy.

    Args:
        at_start: configurations by name, ``default`` among them.
        limit: most links; one that is there stays.

    Raises:
        InvalidInput: if a name is not a link's name.
        Overloaded: if there are more than ``limit``.
    """

    def __init__(self, at_start: Mapping[str, LinkConfig], limit: int) -> None:
        self._limit = limit
        self._links: dict[str, NamedLink] = {}
        self.populate(at_start)

    def __getitem__(self, name: str) -> NamedLink:
        """The link of that name; the empty name is ``default``.

        Raises:
            UnknownLink: if there is none.
        """
        link = self._links.get(name or DEFAULT_LINK)
        if link is None:
            known = ", ".join(each.name for each in self.all())
            raise UnknownLink(f"there is no link {name!r}; there are {known}; populate creates others")
        return link

    def all(self) -> list[NamedLink]:
        """Every link, in order of their names."""
        return [self._links[name] for name in sorted(self._links)]

    def populate(self, configs: Mapping[str, LinkConfig]) -> None:
        """Creates or changes links to these configurations; links not named stay. It is all done or nothing.

        Raises:
            InvalidInput: if a name is not a link's name.
            Overloaded: if there would be more links than the proxy takes.
        """
        for name in configs:
            try:
                _LINK_NAME.validate_python(name)
            except ValidationError as error:
                raise InvalidInput(
                    f"{name!r} cannot name a link: take 1 to 64 of a-z, 0-9, '-', '_' and '.'"
                ) from error
        count = len(self._links.keys() | configs.keys())
        if count > self._limit:
            raise Overloaded(
                f"that would make {count} links and the proxy takes {self._limit}; name links that are there already, "
                "or start it with a larger --max-links (DEEPSC_CHANNEL_MAX_LINKS)"
            )
        for name, config in configs.items():
            if name in self._links:
                self._links[name].change(config)
            else:
                self._links[name] = NamedLink(name, config)


_LINK_NAME: TypeAdapter[str] = TypeAdapter(LinkName)
