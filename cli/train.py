"""``deepsc train adapters``: a pair of adapters for one noise condition, in minutes on a CPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.output import AsJson, output_folder, print_json, stderr_console
from shared.errors import InvalidInput


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    train = typer.Typer(no_args_is_help=True, help="Train what may be trained for a link of one's own.")
    train.command("adapters")(adapters_command)
    app.add_typer(train, name="train")


def adapters_command(
    snr_db: Annotated[float, typer.Option(help="The condition's Es/N0 in dB.")],
    fading: Annotated[str, typer.Option(help="none or rayleigh.")] = "none",
    out: Annotated[Path, typer.Option(help="File for the pair.")] = Path("adapters.safetensors"),
    latents: Annotated[
        Path | None, typer.Option(help="Latents (N, 16, 512), .npy or a latent.npz, beside which as many are drawn.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Faces that the prior draws where there are none.")] = 20_000,
    steps: Annotated[int, typer.Option(min=1, help="Gradient steps.")] = 1200,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    beside: Annotated[Path | None, typer.Option(help="Pairs to keep in the same file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a pair of adapters; load it at both ends with --adapters FILE (DEEPSC_..._ADAPTERS)."""
    if fading not in ("none", "rayleigh"):
        raise InvalidInput(f"--fading is none or rayleigh, not {fading!r}")

    from evaluation.sweep import read_latents
    from shared.codec.adapters import NO_ADAPTERS, Adapters
    from shared.codec.joint import JointCodec
    from shared.codec.networks import JointNetworks
    from shared.codec.perceptual import PerceptualBasis
    from shared.prior.mobile_stylegan import MobileStyleGan
    from shared.weights import committed
    from training.adapters import Schedule, condition, train_pair
    from training.faces import beside_drawn, draw_faces, whiten
    from training.simulated_link import SimulatedLink

    _refuse_if_unwritable(out)
    photos = read_latents(latents) if latents else None
    kept = Adapters.load(beside) if beside else NO_ADAPTERS
    codec = JointCodec(PerceptualBasis.load(committed("basis_perceptual.safetensors")), JointNetworks(), codec_id=0)
    prior = MobileStyleGan.load()
    faces = draw_faces(prior, samples, seed) if photos is None else beside_drawn(prior, photos, seed)
    link = SimulatedLink(codec, condition(snr_db, fading=fading == "rayleigh"))
    console = stderr_console()
    losses: list[float] = []

    def report(step: int, loss: float) -> None:
        losses.append(loss)
        console.print(f"[dim]step {step}: visible error {loss:.4f} of the expected[/dim]")

    trained = train_pair(snr_db, link, whiten(codec.linear, faces), Schedule(steps, seed=seed), report)
    Adapters((*kept.pairs, *trained.pairs)).save(out)
    document = {"out": str(out), "snr_db": snr_db, "fading": fading, "steps": steps, "seed": seed, "losses": losses}
    if as_json:
        print_json(document)
    else:
        console.print(f"{out}: start both ends with --adapters {out}")


def _refuse_if_unwritable(out: Path) -> None:
    """Makes the file's folder; minutes of training are not to be lost for want of it.

    Raises:
        InvalidInput: if the file could not be written.
    """
    folder = output_folder(out.parent)
    if out.is_dir() or not os.access(out if out.exists() else folder, os.W_OK):
        raise InvalidInput(f"{out} cannot be written; name another file with --out")
