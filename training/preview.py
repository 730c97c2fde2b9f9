"""Distils the preview head from the prior's own pictures at 128 px: ``python -m training.preview``.

The samples are those that the encoder is trained on too (`training/samples.py`). A preview needs its features only, at
a sixth of a sample's price, so many passes over the samples are cheap.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

from shared.perceptual.lpips import Lpips
from shared.prior.heads import PreviewHead
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_tensor
from shared.weights import WEIGHTS
from training.run import Run
from training.samples import SampleBank

HELD_OUT = 64
"""Samples at the end of the bank that the head is judged on."""


def start_at_least_squares(head: PreviewHead, prior: MobileStyleGan, bank: SampleBank, count: int = 48) -> None:
    """Sets the head's linear path to the ridge regression of pictures on features, for an average style."""
    torch.nn.init.zeros_(head.modulation.weight)
    torch.nn.init.ones_(head.modulation.bias)
    torch.nn.init.zeros_(head.inner_modulation.weight)
    torch.nn.init.ones_(head.inner_modulation.bias)
    inputs = head.conv.in_channels + 1
    gram, moment = torch.zeros(inputs, inputs).double(), torch.zeros(inputs, 12).double()
    for index in range(count):
        features = prior.preview_features(bank.latents(slice(index, index + 1)))
        pixels = functional.pad(features[0].flatten(1).T, (0, 1), value=1.0)  # (64 * 64, 513)
        target = functional.pixel_unshuffle(to_tensor(bank.images[index : index + 1]), 2)[0].flatten(1).T
        gram += (pixels.T @ pixels).double()
        moment += (pixels.T @ target).double()
    gram += 1e-6 * gram.diagonal().mean() * torch.eye(inputs).double()
    solution = torch.linalg.solve(gram, moment).float()
    head.conv.weight.data.copy_(solution[:-1].T[:, :, None, None])
    assert head.conv.bias is not None
    head.conv.bias.data.copy_(solution[-1])
    last = head.fine[-1]
    assert isinstance(last, torch.nn.Conv2d)
    torch.nn.init.zeros_(last.weight)


def train(run: Run, head: PreviewHead, prior: MobileStyleGan, bank: SampleBank, args: argparse.Namespace) -> None:
    """L1 and LPIPS against the pictures of the bank."""
    device = prior.mean_w.device
    lpips = Lpips.load().to(device)
    count = len(bank) - HELD_OUT
    started = time.perf_counter()
    while run.step < run.steps:
        generator = run.generator(args.seed)
        index = torch.randint(count, (args.batch,), generator=generator).sort().values.numpy()
        w_plus, target = bank.latents(index, device), to_tensor(bank.images[index], device=device)
        with torch.no_grad():
            features = prior.preview_features(w_plus)
        drawn = head(features, w_plus - prior.mean_w)
        run.descend((drawn - target).abs().mean() + lpips(drawn, target).mean())
        if run.step % args.report == 0:
            print(json.dumps(run.report() | score(head, prior, bank, lpips, started)), flush=True)
            run.save()


@torch.no_grad()
def score(head: PreviewHead, prior: MobileStyleGan, bank: SampleBank, lpips: Lpips, started: float) -> dict[str, float]:
    """LPIPS and PSNR of the held-out previews against the bank's pictures."""
    distances, errors = [], []
    for index in range(len(bank) - HELD_OUT, len(bank)):
        w_plus = bank.latents(slice(index, index + 1), prior.mean_w.device)
        target = to_tensor(bank.images[index : index + 1], device=prior.mean_w.device)
        drawn = head(prior.preview_features(w_plus), w_plus - prior.mean_w).clamp(-1, 1)
        distances.append(lpips(drawn, target))
        errors.append(functional.mse_loss(drawn, target))
    psnr_db = float(10 * torch.log10(4 / torch.stack(errors)).mean())
    return {
        "lpips": round(float(torch.cat(distances).mean()), 4),
        "psnr_db": round(psnr_db, 2),
        "seconds": round(time.perf_counter() - started),
    }


def main() -> None:
    """Trains the head and writes it to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS / "preview.safetensors")
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--report", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    prior = MobileStyleGan.load(with_heads=False).to(device)
    head = PreviewHead()
    bank = SampleBank.open(args.samples, args.work)
    with torch.no_grad():
        start_at_least_squares(head, prior.cpu(), bank)
    head, prior = head.to(device), prior.to(device)
    run = Run(head, args.steps, args.lr, args.work / f"preview_{args.seed}_{args.steps}.pt")
    train(run, head, prior, bank, args)
    save_file({name: tensor.half().contiguous().cpu() for name, tensor in head.state_dict().items()}, args.out)


if __name__ == "__main__":
    main()
