"""``deepsc serve transmitter|receiver|channel``: one service in the foreground."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from shared.errors import InvalidInput

SERVICES = {"transmitter": "transmitter", "receiver": "receiver", "channel": "channel_sim"}


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("serve", context_settings=settings, add_help_option=False)(serve_command)


def serve_command(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="transmitter, receiver or channel.")] = "",
) -> int:
    """Run one service until it is stopped; its flags follow its name, and --help after the name lists them.

    Standard output carries one JSON line with the service's address, with or without --json.
    """
    if service in ("", "--help", "-h"):
        typer.echo(f"usage: deepsc serve {'|'.join(SERVICES)} [FLAGS]   (--help after the name lists its flags)")
        return 0
    if service not in SERVICES:
        raise InvalidInput(f"there is no service {service!r}; choose one of {', '.join(SERVICES)}")
    flags = [argument for argument in context.args if argument != "--json"]
    status: int = import_module(f"{SERVICES[service]}.__main__").main(flags)
    return status
