"""``deepsc eval``: how good the parts are, on many faces."""

from __future__ import annotations

import typer

from cli.evaluate_inversion import inversion_command


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    group = typer.Typer(name="eval", help="Judge the parts on many faces.", no_args_is_help=True)
    # With a single command typer would drop the command's name without a callback.
    group.callback()(lambda: None)
    group.command("inversion")(inversion_command)
    app.add_typer(group)
