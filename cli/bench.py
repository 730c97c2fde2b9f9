"""``deepsc bench channel``: does the channel do what it declares, and how fast?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import FAILED, AsJson, output_folder, print_json, stderr_console


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    bench = typer.Typer(name="bench", help="Measure speed and calibration.", no_args_is_help=True)
    # With a single command typer would drop the command's name without a callback.
    bench.callback()(lambda: None)
    bench.command("channel")(channel_command)
    app.add_typer(bench)


def channel_command(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer frames, under half a minute on two cores.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for channel.json.")] = None,
    as_json: AsJson = False,
) -> int:
    """Calibrate every channel model against theory and time it; exit status 1 if a check fails."""
    from channel_sim.calibration import calibrate
    from channel_sim.calibration.speed import throughput

    console = stderr_console()
    checks = []
    for check in calibrate(quick=quick):
        checks.append(check)
        console.print(f"[dim]{'ok' if check.passed else '[red]FAILED[/red]'}  {check.area}: {check.name}[/dim]")
    rates = {kind: round(rate, 2) for kind, rate in throughput(200_000 if quick else 1_000_000).items()}
    passed = all(check.passed for check in checks)
    document: dict[str, Any] = {
        "passed": passed,
        "checks": [check.document() for check in checks],
        "million_samples_per_second": rates,
    }
    if out is not None:
        (output_folder(out) / "channel.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        _print_tables(document)
    return 0 if passed else FAILED


def _print_tables(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
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
    console.print(checks)
    console.print(speeds)
