"""Links written down in a YAML file, so that a laboratory set-up is kept with the experiment."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from channel_sim.channel_model import Stage
from channel_sim.config import LinkConfig, checked_config
from channel_sim.sentences import joined
from channel_sim.snr_trace import read_trace
from channel_sim.text_file import read_text
from shared.errors import InvalidInput


def read_links(path: Path) -> dict[str, LinkConfig]:
    """Complete configurations by link name; a field that the file does not name has its default.

    Raises:
        InvalidInput: if the file cannot be read or is no such YAML; else a sentence per bad value, naming its link.
    """
    try:
        # A subclass of SafeLoader, which builds plain values only.
        document = yaml.load(read_text(path), Loader=_OnceLoader)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    links = document.get("links") if isinstance(document, dict) and set(document) == {"links"} else None
    if not isinstance(links, dict) or not links:
        raise InvalidInput(f"{path} is no file of links: write 'links:' and below it each link's name with its fields")
    configs: dict[str, LinkConfig] = {}
    bad: list[str] = []
    for name, fields in links.items():
        try:
            configs[str(name)] = _config({} if fields is None else fields, path.parent)
        except InvalidInput as error:
            bad.append(f"{path}, link {name}: {error.message}")
    if bad:
        raise InvalidInput(joined(bad))
    return configs


def _config(fields: Any, folder: Path) -> LinkConfig:
    if not isinstance(fields, dict):
        raise InvalidInput(f"{fields!r} is not a list of 'field: value'")
    plain = {str(name): value for name, value in fields.items() if name not in ("fading", "preset", "snr_trace")}
    config = checked_config({**plain, "snr_trace": _trace(fields.get("snr_trace"), folder)})
    if "snr_db" in fields and config.snr_trace is not None:
        raise InvalidInput("give either snr_db, one value for all frames, or snr_trace, a course over them")
    shorthands = [name for name in ("fading", "preset") if name in fields]
    if shorthands and (len(shorthands) > 1 or any(each.stage is Stage.PROPAGATION for each in config.impairments)):
        raise InvalidInput("propagation is given twice: by one of fading, preset, or the list of impairments")
    if "fading" in fields:
        return config.with_fading(str(fields["fading"]))
    if "preset" in fields:
        if "sample_rate_hz" in fields:
            raise InvalidInput("a preset brings its sample_rate_hz along: leave that out")
        return config.with_preset(str(fields["preset"]))
    return config


def _trace(given: Any, folder: Path) -> Any:
    """A trace in a CSV file beside this one, where ``file`` names it; anything else as it stands, to be checked."""
    if not (isinstance(given, dict) and "file" in given):
        return given
    if set(given) - {"file", "repeat"}:
        raise InvalidInput("snr_trace with a file has the fields file and repeat, no others")
    trace = read_trace(folder / str(given["file"]))
    return {**trace.model_dump(), "repeat": given.get("repeat", False)}


class _OnceLoader(yaml.SafeLoader):
    """YAML allows a key twice and drops the first; here that is an error."""

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        # What a merge ('<<') brings along may be given anew: that is what merges are for.
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in own]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands there twice", node.start_mark)
        return super().construct_mapping(node, deep)
