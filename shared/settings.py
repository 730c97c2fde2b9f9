"""Settings of a service: one frozen model, filled from flags, then from the environment, then from its defaults.

Every variable is named ``DEEPSC_<SERVICE>_<FIELD>``: ``DEEPSC_CHANNEL_PORT``, ``DEEPSC_RECEIVER_HOST``,
``DEEPSC_TRANSMITTER_TARGET``. The flag of a field is its name with dashes: ``--max-message-bytes``. The next hop of a
service is always called ``target`` and written ``host:port``.

A service declares its own in its own package::

    class ChannelSettings(ServiceSettings):
        model_config = variables_of("channel")
        service: ClassVar[str] = "channel"

        port: int = Field(default=50052, ge=0, le=65535)
        target: Target = "127.0.0.1:50053"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, CliApp, SettingsConfigDict, SettingsError

from shared.errors import InvalidInput

SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


def _host_and_port(target: str) -> str:
    host, colon, port = target.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError(f"{target!r} is not host:port with a port of 1 to 65535")
    return target


Target = Annotated[str, AfterValidator(_host_and_port)]
"""Address of another service, ``host:port``; checked for its form, not for anybody listening there."""


def variables_of(service: str) -> SettingsConfigDict:
    """The model configuration of the settings of ``service``: frozen, read from ``DEEPSC_<SERVICE>_*``."""
    return SettingsConfigDict(
        env_prefix=f"DEEPSC_{service.upper()}_",
        frozen=True,
        extra="ignore",
        cli_prog_name=f"deepsc serve {service}",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
    )


class ServiceSettings(BaseSettings):
    """What every service can be told."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    #: Name in logs, in the announcement of the address and in the environment variables.
    service: ClassVar[str]

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 for all of this machine's."
    )
    port: int = Field(default=0, ge=0, le=65535, description="Port to listen on; 0 takes a free one and announces it.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line to log."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object per line, or text for people."
    )
    drain_seconds: float = Field(
        default=10.0, ge=0.0, le=600.0, description="Longest wait for what is under way when asked to stop."
    )
    max_message_bytes: int = Field(
        default=16 * 2**20, ge=64 * 2**10, le=2**30, description="Largest gRPC message taken or sent, in bytes."
    )


def load(settings: type[SettingsT], flags: Sequence[str] = ()) -> SettingsT:
    """Reads the settings of a service; flags win over the environment.

    Args:
        settings: the service's model.
        flags: words of a command line such as ``["--port", "50052"]``; ``--help`` prints them all and exits.

    Raises:
        InvalidInput: with one sentence per bad value, naming the flag and the variable.
    """
    try:
        return CliApp.run(settings, cli_args=list(flags))
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        raise InvalidInput("; ".join(_sentence(prefix, dict(detail)) for detail in error.errors())) from error
    except SettingsError as error:
        raise InvalidInput(f"{settings.service}: {error}; --help lists the flags") from error


def _sentence(prefix: str, detail: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"--{field.replace('_', '-')} ({prefix}{field.upper()}) is {detail['input']!r}: {message}"
