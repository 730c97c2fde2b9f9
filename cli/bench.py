"""``deepsc bench channel``: does the channel do what it declares, and how fast?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import FAILED, AsJson, output_folder, print_json, stderr_console, stdout_console

if TYPE_CHECKING:
    from channel_sim.calibration.curves import Curve

# Frames as the transmitter sends them, ten times as long, and the longest that most settings see.
_FRAME_SAMPLES = (400, 4096, 32_768)


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    bench = typer.Typer(name="bench", help="Measure speed and calibration.", no_args_is_help=True)
    # With a single command typer would drop the command's name without a callback.
    bench.callback()(lambda: None)
    bench.command("channel")(channel_command)
    app.add_typer(bench)


def channel_command(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer frames, under half a minute on two cores.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for channel.json and the plots.")] = None,
    as_json: AsJson = False,
) -> int:
    """Calibrate every channel model against theory and time it; exit status 1 if a check fails."""
    from channel_sim.calibration import calibrate
    from channel_sim.calibration.curves import curves
    from channel_sim.calibration.estimator import estimates
    from channel_sim.calibration.relaying import relaying
    from channel_sim.calibration.speed import throughput

    console = stderr_console()
    found = list(estimates(1_500 if quick else 20_000))
    checks = []
    for check in calibrate(found, quick=quick):
        checks.append(check)
        console.print(f"[dim]{'ok' if check.passed else '[red]FAILED[/red]'}  {check.area}: {check.name}[/dim]")
    rates = throughput(200_000 if quick else 1_000_000)
    relays = asyncio.run(relaying(_FRAME_SAMPLES, 0.2 if quick else 1.0))
    passed = all(check.passed for check in checks)
    document: dict[str, Any] = {
        "passed": passed,
        "checks": [check.document() for check in checks],
        "million_samples_per_second": {kind: round(rate, 2) for kind, rate in rates.items()},
        "relaying": [each.document() for each in relays],
    }
    if out is not None:
        drawn = list(curves(found, quick=quick))
        kept = {**document, "curves": [curve.document() for curve in drawn]}
        (output_folder(out) / "channel.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        console.print(f"[dim]{_draw(drawn, out)}[/dim]")
    if as_json:
        print_json(document)
    else:
        _print_tables(document)
    return 0 if passed else FAILED


def _draw(drawn: Sequence[Curve], folder: Path) -> str:
    """Draws the plots, if that can be done here; returns a sentence about it."""
    try:
        from channel_sim.calibration.plots import draw
    except ImportError as error:
        return f"no plots, only channel.json: {error}"
    return f"plots: {', '.join(path.name for path in draw(drawn, folder))}"


def _print_tables(document: dict[str, Any]) -> None:
    from rich.table import Table

    console = stdout_console()
    checks = Table("", "check", "measured", "expected", "tolerance", "unit")
    for check in document["checks"]:
        numbers = (check[name] for name in ("measured", "expected", "tolerance"))
        values = ("-" if number is None else f"{number:.4g}" for number in numbers)
        checks.add_row(
            "ok" if check["passed"] else "FAILED", f"{check['area']}: {check['name']}", *values, check["unit"]
        )
    speeds = Table("models", "million samples per second and core")
    for kind, rate in document["million_samples_per_second"].items():
        speeds.add_row(kind if kind == "awgn" else f"{kind} + awgn", f"{rate:.1f}")
    relays = Table("samples a frame", "plain relay, MS/s", "proxy, MS/s", "ratio", "added ms, median", "p99")
    for relay in document["relaying"]:
        relays.add_row(*(f"{value:g}" for value in relay.values()))
    for table in (checks, speeds, relays):
        console.print(table)
