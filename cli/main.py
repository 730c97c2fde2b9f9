"""``deepsc``: the project's commands. Each is a file beside this one and imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from cli import bench, channel, chat, demo, eval, invert, models, parse, send, serve, sweep, train
from cli.output import BAD_INPUT, FAILED, fail, fail_with
from shared.errors import DeepscError

INTERRUPTED = 130


def application() -> typer.Typer:
    """The command tree."""
    app = typer.Typer(
        name="deepsc",
        help="A face and a sentence, sent as a few hundred noisy symbols.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for part in (demo, send, chat, serve, parse, invert, channel, models, bench, sweep, eval, train):
        part.register(app)
    return app


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit status and never raises what a user could have caused."""
    as_json = "--json" in arguments
    try:
        status = application()(list(arguments), standalone_mode=False, prog_name="deepsc")
    except TyperException as error:
        return fail(error.format_message(), "USAGE", BAD_INPUT, as_json=as_json)
    except DeepscError as error:
        return fail_with(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody to tell, and Python must not try again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if os.environ.get("DEEPSC_DEBUG"):
            traceback.print_exc()
        message = f"failed inside ({type(error).__name__}: {error}); set DEEPSC_DEBUG=1 to see where, and report it"
        return fail(message, "INTERNAL", FAILED, as_json=as_json)
    return status if isinstance(status, int) else 0


def main() -> None:
    """The console script."""
    # Threads that wait in a spin take the cores from those that work: other programs', and other libraries' in this
    # one. Set before torch and numpy load, and inherited by the services that the demo starts.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's; its matrices here are small
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
