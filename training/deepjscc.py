"""Trains DeepJSCC on photos: ``python -m training.deepjscc --data DIR``. Stops at any time and goes on exactly.

``--score N`` measures what was trained instead, on N photos of the validation set over the link's own frames.

Mean square error of the picture, as in its paper. Each picture of a batch has its own number of channels sent, its own
design SNR, uniform over -5..20 dB, and, for one half, its own Rayleigh fading: the decoder is told the SNR its symbols
had, as the link's receiver measures it, and the encoder the one without fading.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from channel_sim.randomness import FrameContext
from evaluation.deepjscc import CHANNELS, DeepJscc, symbols_of
from evaluation.link import Air, cross
from evaluation.metrics import psnr_db
from shared.phy import DataFrame
from shared.tensors import to_tensor
from training.augment import uniform
from training.celeba import load_faces

SIDE = 128
SNR_RANGE_DB = (-5.0, 20.0)
HEARD_RANGE_DB = (-15.0, 30.0)


def transmit(model: DeepJscc, images: Tensor, generator: torch.Generator) -> Tensor:
    """``(B, 3, S, S)`` over a random link each -> what is received, ``(B, 3, S, S)``."""
    batch, device = len(images), images.device
    design_db = uniform(generator, batch, *SNR_RANGE_DB)
    fading = torch.empty(batch).exponential_(generator=generator)
    faded = torch.rand(batch, generator=generator) < 0.5
    heard_db = (design_db + torch.where(faded, 10 * fading.clamp_min(1e-6).log10(), 0.0)).clamp(*HEARD_RANGE_DB)
    sent = torch.randint(1, CHANNELS + 1, (batch,), generator=generator)
    code = model.encoder(images, design_db.to(device))
    mask = (torch.arange(CHANNELS) < sent[:, None]).float()[:, :, None, None].to(device)
    count = mask.sum((1, 2, 3)) * code[0, 0].numel()
    power = (code * mask).square().sum((1, 2, 3)) / count  # per real dimension, of this frame alone
    code = code * mask / (2 * power).clamp_min(1e-12).sqrt()[:, None, None, None]
    deviation = (10 ** (-heard_db / 10) / 2).sqrt()[:, None, None, None].to(device)
    noise = torch.randn(code.shape, generator=generator).to(device)
    received: Tensor = model.decoder(code + mask * deviation * noise, heard_db.to(device))
    return received


def score(path: Path, data: Path, work: Path, count: int, seed: int) -> None:
    """Prints the mean PSNR over AWGN, for the least and the most symbols."""
    model, photos = DeepJscc.load(path), load_faces(data, "val", work).images[:count]
    for k in (symbols_of(1, SIDE), symbols_of(CHANNELS, SIDE)):
        for snr_db in (0.0, 6.0, 12.0):
            values = []
            for index, photo in enumerate(photos):
                payload = model.encode(photo, k, snr_db)
                frame = FrameContext(seed=seed, stream_id=f"deepjscc-{index}", sequence=1)
                received, _ = cross(payload, 6, Air.of(snr_db, "none", frame))
                if isinstance(received, DataFrame):
                    heard_db = -10 * math.log10(received.noise_power)
                    values.append(psnr_db(model.decode(received.payload, SIDE, heard_db), photo))
            figures = {"k_payload": k, "snr_db": snr_db, "psnr_db": round(sum(values) / len(values), 2)}
            print(json.dumps(figures | {"photos": count, "arrived": len(values)}), flush=True)


def main() -> None:
    """Trains for ``--steps`` steps or ``--minutes``, whichever ends first, and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with celeba18k.tar and its attributes")
    parser.add_argument("--out", type=Path, default=Path("weights/deepjscc.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs"), help="decoded photos and the checkpoint")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time, to go on later")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=1e-3, help="halved at half and three quarters of --steps")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=int, default=50)
    parser.add_argument("--score", type=int, default=0, metavar="N", help="measure on N photos instead of training")
    args = parser.parse_args()
    if args.score:
        score(args.out, args.data, args.work, args.score, args.seed)
        return
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = DeepJscc().to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.lr)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [args.steps // 2, args.steps * 3 // 4], gamma=0.5)
    photos = load_faces(args.data, "train", args.work).images
    parts: dict[str, Any] = {"model": model, "optimiser": optimiser, "schedule": schedule}
    checkpoint = args.work / f"deepjscc_{args.seed}_{args.steps}.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        step = state["step"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    started, total = time.perf_counter(), 0.0
    while step < args.steps and time.perf_counter() - started < 60 * args.minutes:
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
        index = torch.randint(len(photos), (args.batch,), generator=generator).sort().values.numpy()
        images = to_tensor(photos[index], device=device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = (transmit(model, images, generator).float() - images).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        step, total = step + 1, total + loss.item()
        if step % args.report == 0:
            seconds = round(time.perf_counter() - started)
            print(json.dumps({"step": step, "loss": round(total / args.report, 5), "seconds": seconds}), flush=True)
            total = 0.0
            torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, checkpoint)
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, checkpoint)
    model.save(args.out)


if __name__ == "__main__":
    main()
