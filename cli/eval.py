"""``deepsc eval``: the comparison with the peers, declared in a file; and the inversion on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.eval_inversion import degree_reader, inversion_command
from cli.output import AsJson, output_folder, print_json, stderr_console
from shared.errors import InvalidInput

QUICK = "evaluation/quick.yaml"
"""In the project, wherever the command is run."""


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    group = typer.Typer(name="eval", help="Compare with the peers at the same channel uses.")
    group.callback(invoke_without_command=True)(eval_command)
    group.command("inversion")(inversion_command)
    app.add_typer(group)


def eval_command(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="The experiment, in YAML.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help=f"The same as --config {QUICK}.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for report, plots and data.")] = Path("out/eval"),
    cache: Annotated[Path, typer.Option(metavar="DIR", help="Folder of what was run before.")] = Path("runs/eval"),
    as_json: AsJson = False,
) -> None:
    """Run a declared experiment: JSON, Parquet, plots and a report."""
    if context.invoked_subcommand is not None:
        return
    if quick and config is not None:
        raise InvalidInput("name an experiment with --config FILE, or give --quick, not both")
    path = Path(__file__).resolve().parent.parent / QUICK if quick else config
    if path is None:
        raise InvalidInput("name an experiment with --config FILE, or give --quick")
    try:
        from evaluation.comparison import distances, plots, report
        from evaluation.comparison.config import read_config
        from evaluation.comparison.harness import Experiment
    except ModuleNotFoundError as error:
        raise InvalidInput(f"the evaluation needs {error.name}: pip install '.[evaluation]'") from error
    from rich.progress import Progress

    console = stderr_console()
    experiment = Experiment(read_config(path), cache, *degree_reader(console))
    folder = output_folder(out)
    with Progress(console=console) as progress:
        task = progress.add_task("operating points", total=len(experiment.points()))
        rows = experiment.run(lambda: progress.advance(task))
    faces = experiment.faces()
    far = distances.measure(rows, faces, experiment.picture, cache)
    summaries = report.summarise(rows, far)
    drawn = [*plots.draw_curves(summaries, folder), plots.draw_grid(experiment, faces, rows, folder)]
    report.write(experiment.config, rows, folder, drawn, far)
    if as_json:
        print_json({"name": experiment.config.name, "summaries": summaries, "folder": str(folder)})
        return
    typer.echo(f"{report.losses(summaries)}\nThe report is {folder / 'report.md'}.")
