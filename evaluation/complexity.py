"""What each method costs: ``python -m evaluation.complexity`` prints parameters, operations and seconds of every stage.

Parameters are those of the modules that run in a stage, and the numbers of the tables it reads. Multiply-accumulates
are half of what torch's own counter finds (convolutions and matrix products, forward and backward), and the codec's
transforms, which numpy does. Image codecs and LDPC are neither networks nor floating point: only their time is given.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import cast

import numpy as np
import torch
from safetensors import safe_open
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.utils.flop_counter import FlopCounterMode

from evaluation.deepjscc import DeepJscc
from evaluation.digital.transport import Scheme, TransportBlock
from evaluation.image_codecs import make
from evaluation.source_codec import Picture, fit, resized, unfit
from evaluation.sweep import sample_latents
from shared.codec.catalogue import load_codec
from shared.codec.codec import Latent
from shared.codec.joint import JointCodec
from shared.codec.perceptual import PerceptualBasis
from shared.prior.backend import make_backend
from shared.prior.face_prior import NUM_STYLES, W_DIM
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures, to_tensor
from shared.weights import committed
from transmitter.inverter import Refinement, ignore_progress
from transmitter.models import load_editor, load_inverter, load_predictor
from transmitter.onlooker import LatentReader, Onlooker

SIDE = 128
"""Side in pixels of the pictures that are coded, as in the comparison."""

K_OURS, K_PIXELS = 396, 3072
"""Payload symbols, those of ``quick.yaml``."""

SNR_DB = 6.0
SCHEME = Scheme(4, 0.41)

EDITED = 8
"""Faces that are edited in turn."""

STEPS = 4
"""Refinement steps that are timed together."""


@dataclass(frozen=True)
class Stage:
    """One step of a method.

    Attributes:
        method: whose it is.
        name: what it does.
        run: does it once, as the product or the comparison does.
        counted: the same in torch, where `run` is served by another library.
        tables: files of ``weights/`` that numpy reads in it.
        more_macs: multiply-accumulates that numpy does in it.
        times: how often `run` does it.
    """

    method: str
    name: str
    run: Callable[[], object]
    counted: Callable[[], object] | None = None
    tables: tuple[str, ...] = ()
    more_macs: int = 0
    times: int = 1


@dataclass(frozen=True)
class Cost:
    """Of one stage.

    Attributes:
        parameters: numbers that were learned or fitted; 0 where there are none.
        macs: multiply-accumulates; 0 where none could be counted.
        seconds: median over the repeats.
    """

    parameters: int
    macs: int
    seconds: float


def cost_of(stage: Stage, repeats: int) -> Cost:
    """Runs a stage once to count, which also warms it up, and then ``repeats`` times by the clock."""
    owners: dict[int, nn.Module] = {}
    hook = register_module_forward_pre_hook(lambda module, _inputs: owners.update({id(module): module}))
    try:
        with FlopCounterMode(display=False) as counter:
            # Whose an operation is nobody asks, and it cannot be followed where the gradient of a leaf is taken.
            counter.mod_tracker.__exit__()
            (stage.counted or stage.run)()
    finally:
        hook.remove()
    own = {id(p): p.numel() for module in owners.values() for p in module.parameters(recurse=False)}
    if stage.counted is not None:
        stage.run()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        stage.run()
        seconds.append((time.perf_counter() - started) / stage.times)
    macs = counter.get_total_flops() // 2 // stage.times + stage.more_macs
    return Cost(sum(own.values()) + sum(map(_numbers_in, stage.tables)), macs, statistics.median(seconds))


def _numbers_in(table: str) -> int:
    """How many numbers a file of ``weights/`` holds."""
    with safe_open(committed(table), "numpy") as file:
        return sum(int(np.prod(file.get_slice(name).get_shape())) for name in file.keys())  # noqa: SIM118


def stages(threads: int) -> Iterator[Stage]:
    """Every stage of the link, of DeepJSCC, and of AVIF over LDPC; the pictures are drawn with so many threads."""
    prior = MobileStyleGan.load()
    w_plus = sample_latents(prior, 1, 1)[0]
    with torch.inference_mode():
        picture = to_pictures(prior.synthesis(torch.from_numpy(w_plus)[None], SIDE))[0]
    yield from _ours(prior, threads, w_plus, picture)
    yield from _deepjscc(picture)
    yield from _separate(picture)


def _ours(prior: MobileStyleGan, threads: int, w_plus: Latent, picture: Picture) -> Iterator[Stage]:
    backend, inverter = make_backend(prior=prior, threads=threads), load_inverter(prior)
    face, codec = to_tensor(picture[None], SIDE), cast(JointCodec, load_codec("jecc"))
    guess, steps = inverter.guess(face, ignore_progress), Refinement(STEPS)
    yield Stage("ours", "encoder", partial(inverter.guess, face, ignore_progress))
    refine = partial(inverter.refine, face, guess, steps, ignore_progress, [])
    yield Stage("ours", "refinement, a step", refine, tables=("curvature.safetensors",), times=STEPS)
    tables = "basis_edits.safetensors", "latent_degrees.safetensors", "edit_space.safetensors"
    predictor = load_predictor()
    reader = LatentReader(prior, predictor)
    in_torch = Onlooker(lambda latents: reader(torch.from_numpy(latents)).numpy(), predictor.scale)
    edit, counted = (_edits(prior, onlooker) for onlooker in (Onlooker.of(prior, predictor, threads), in_torch))
    yield Stage("ours", "editor, one wish", edit, counted, tables)
    transform = NUM_STYLES * W_DIM * (NUM_STYLES + W_DIM) + len(cast(PerceptualBasis, codec.basis).rotated) ** 2
    sent, noise = codec.encode(w_plus, K_OURS, SNR_DB), 10 ** (-SNR_DB / 10)
    table = ("basis_perceptual.safetensors",)
    yield Stage("ours", "codec, encode", partial(codec.encode, w_plus, K_OURS, SNR_DB), None, table, transform)
    yield Stage("ours", "codec, decode", partial(codec.decode, sent, SNR_DB, noise), None, table, transform)
    latent = torch.from_numpy(w_plus)[None]
    for side in (256, 1024):
        serve, draw = partial(backend.render, w_plus[None], side), partial(prior.synthesis, latent, side)
        yield Stage("ours", f"render at {side} px", serve, draw)


def _edits(prior: MobileStyleGan, onlooker: Onlooker) -> Callable[[], object]:
    """Edits one face after the other: of one alone, all readings would be remembered."""
    editor, faces = load_editor(prior, onlooker=onlooker), cycle(sample_latents(prior, EDITED, 1))
    return lambda: editor.edit(next(faces), {"smiling": 5.0}, snr_db=None)


def _deepjscc(picture: Picture) -> Iterator[Stage]:
    model = DeepJscc.load(committed("deepjscc.safetensors"))
    sent = model.encode(picture, K_PIXELS, SNR_DB)
    yield Stage("DeepJSCC", "encode", partial(model.encode, picture, K_PIXELS, SNR_DB))
    yield Stage("DeepJSCC", "decode", partial(model.decode, sent, SIDE, SNR_DB))


def _separate(picture: Picture) -> Iterator[Stage]:
    codec, block, noise = make("avif", "stripped"), TransportBlock(K_PIXELS, SCHEME), 10 ** (-SNR_DB / 10)
    fitted = fit(codec, picture, block.capacity)
    assert fitted is not None
    small, sent = resized(picture, fitted.side), block.encode(fitted.data)
    normal = np.random.default_rng(1).normal(size=(len(sent), 2)).view(np.complex128)[:, 0]
    received = sent + np.sqrt(noise / 2) * normal
    yield Stage("AVIF + LDPC", "AVIF, search for the size", partial(fit, codec, picture, block.capacity))
    yield Stage("AVIF + LDPC", "AVIF, encode once", partial(codec.encode, small, fitted.quality))
    yield Stage("AVIF + LDPC", "LDPC and QAM, encode", partial(block.encode, fitted.data))
    yield Stage("AVIF + LDPC", "LDPC and QAM, decode", partial(block.decode, received, noise))
    yield Stage("AVIF + LDPC", "AVIF, decode", partial(unfit, codec, fitted.data, SIDE))


def row(stage: Stage, cost: Cost) -> str:
    """A stage in the table."""
    parameters, macs = _millions(cost.parameters), _millions(cost.macs)
    return f"| {stage.method} | {stage.name} | {parameters} | {macs} | {cost.seconds:.2g} |"


def _millions(count: int) -> str:
    if not count:
        return ""
    return f"{count / 1e6:,.0f}" if count >= 1e8 else f"{count / 1e6:.3g}"


def main() -> None:
    """Entry point of ``python -m evaluation.complexity``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| method | stage | parameters, millions | MACs, millions | seconds, median |")
    print("| --- | --- | --- | --- | --- |")
    for stage in stages(options.threads):
        print(row(stage, cost_of(stage, options.repeats)), flush=True)


if __name__ == "__main__":
    main()
