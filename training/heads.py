"""Distils the heads for small pictures from the full picture: `python -m training.heads fit`, then `... score`.

Sampled latents are rendered at 1024 px; the target at R px is the mean over squares of that picture. A head starts at
the least-squares solution for an average face and is refined with L1 + LPIPS. Rendering is the dear part, so each
render stays in a small pool and is used several times before newer ones push it out.
"""

import argparse
import json
import math
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from shared.perceptual.lpips import Lpips
from shared.prior.heads import Head, make_heads
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import WEIGHTS
from training.faces import draw_faces
from training.samples import draw_latents

CROP = 128  # px that a head is trained on at once: the whole picture at 128 px, a quarter of it at 256 px
SCORE_SEED = 7  # latents no training run draws: those start from `seed * 10_000 + step`, seed at least 1


@dataclass(frozen=True)
class Plan:
    """What one training run does; the defaults are those of the committed weights."""

    steps: int = 450
    seed: int = 1
    warm_renders: int = 48  # before the first step, for the least-squares start
    pool: int = 160  # renders kept; each is drawn about `batch` times before it leaves
    batch: int = 4
    rate: float = 1e-3  # Adam, cosine to zero
    checkpoint_every: int = 50


@dataclass(frozen=True)
class Example:
    """One latent, cut to `CROP` px at every resolution: features (C, CROP, CROP) and target (3, CROP, CROP)."""

    offsets: Tensor  # (16, 512), w_plus less the mean w
    features: dict[str, Tensor]
    targets: dict[str, Tensor]


@torch.no_grad()
def render(
    prior: MobileStyleGan, w_plus: Tensor, resolutions: list[int]
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """Return features (B, C, R, R) and area-averaged pictures (B, 3, R, R) for each resolution R."""
    pyramid = dict(prior.feature_pyramid(w_plus))
    picture = prior.to_image(pyramid[512], w_plus[:, -1])
    return {r: pyramid[r] for r in resolutions}, {r: F.avg_pool2d(picture, 1024 // r) for r in resolutions}


def draw_latent(prior: MobileStyleGan, generator: torch.Generator) -> Tensor:
    """Draw `(1, 16, 512)`: one in three in W, one near it, one with the offsets that inversions of photos have."""
    kind, seed = torch.randint(3, (1,), generator=generator), torch.randint(1 << 31, (1,), generator=generator)
    if kind == 2:
        return torch.from_numpy(draw_faces(prior, 1, int(seed))).to(prior.mean_w.device)
    return draw_latents(prior, 2, generator)[int(kind) :][:1]


def make_example(prior: MobileStyleGan, heads: nn.ModuleDict, generator: torch.Generator) -> Example:
    """Render one new latent and cut a random square out of each resolution."""
    w_plus = draw_latent(prior, generator)
    features, targets = render(prior, w_plus, [int(name) for name in heads])
    cut_features, cut_targets = {}, {}
    for name in heads:
        room = int(name) - CROP + 1
        top, left = torch.randint(room, (2,), generator=generator).tolist()
        square = (0, slice(None), slice(top, top + CROP), slice(left, left + CROP))
        cut_features[name] = features[int(name)][square].half()  # half the memory, and far finer than the task needs
        cut_targets[name] = targets[int(name)][square].clone()
    return Example(w_plus[0] - prior.mean_w, cut_features, cut_targets)


@torch.no_grad()
def start_at_least_squares(head: Head, examples: list[Example], name: str) -> None:
    """Set the head's convolution to the ridge regression of the targets on the features; all else changes nothing."""
    nn.init.zeros_(head.modulation.weight)
    nn.init.ones_(head.modulation.bias)
    nn.init.zeros_(cast(nn.Conv2d, head.branch[-1]).weight)
    inputs = len(head.modulation.bias) + 1
    gram, moment = torch.zeros(inputs, inputs).double(), torch.zeros(inputs, 3).double()
    for example in examples:
        pixels = F.pad(example.features[name].float().flatten(1).T, (0, 1), value=1.0).cpu()  # (CROP^2, C + 1)
        gram += (pixels.T @ pixels).double()
        moment += (pixels.T @ example.targets[name].flatten(1).T.cpu()).double()
    gram += 1e-6 * gram.diagonal().mean() * torch.eye(inputs).double()
    solution = torch.linalg.solve(gram, moment).float()
    head.conv.weight.copy_(solution[:-1].T[:, :, None, None])
    cast(Tensor, head.conv.bias).copy_(solution[-1])


def fit(plan: Plan, checkpoint: Path, start: Path | None) -> nn.ModuleDict:
    """Train the heads, going on from `checkpoint` if it is there; Adam's moments start anew then.

    The first run begins with the heads in the file `start`, or where that is none at least squares.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    prior = MobileStyleGan.load(with_heads=False).to(device)
    lpips = Lpips.load().to(device)
    torch.manual_seed(plan.seed)  # the branches start from random filters
    heads = make_heads().to(device)
    done = _restore(heads, checkpoint)
    generator = torch.Generator().manual_seed(plan.seed * 10_000 + done)
    pool = deque((make_example(prior, heads, generator) for _ in range(plan.warm_renders)), maxlen=plan.pool)
    if done == 0 and start:
        heads.load_state_dict(load_file(start))
    elif done == 0:
        for name, head in heads.items():
            start_at_least_squares(cast(Head, head), list(pool), name)
    optimiser = torch.optim.Adam(heads.parameters(), betas=(0.9, 0.99))
    started = time.monotonic()
    for step in range(done, plan.steps):
        pool.append(make_example(prior, heads, generator))
        chosen = [pool[int(i)] for i in torch.randint(len(pool), (plan.batch,), generator=generator)]
        rate = plan.rate * min(1.0, (step - done + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / plan.steps))
        optimiser.param_groups[0]["lr"] = rate
        losses = {name: _loss(head, chosen, name, lpips) for name, head in heads.items()}
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % plan.checkpoint_every == 0 or step + 1 == plan.steps:
            _save(heads, checkpoint, step + 1)
            shown = {name: round(loss.item(), 4) for name, loss in losses.items()}
            print(json.dumps({"step": step + 1, "loss": shown, "s": round(time.monotonic() - started)}), flush=True)
    return heads


def _loss(head: nn.Module, examples: list[Example], name: str, lpips: Lpips) -> Tensor:
    features = torch.stack([example.features[name] for example in examples]).float()
    target = torch.stack([example.targets[name] for example in examples])
    drawn = head(features, torch.stack([example.offsets for example in examples]))
    loss: Tensor = (drawn - target).abs().mean() + lpips(drawn, target).mean()
    return loss


def _save(heads: nn.ModuleDict, path: Path, step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    state = {name: tensor.cpu().contiguous() for name, tensor in heads.state_dict().items()}
    save_file(state, temporary, metadata={"step": str(step)})
    temporary.replace(path)


def _restore(heads: nn.ModuleDict, path: Path) -> int:
    if not path.is_file():
        return 0
    heads.load_state_dict(load_file(path))
    with safe_open(path, "pt") as file:
        return int(file.metadata()["step"])


@torch.no_grad()
def score(heads: nn.ModuleDict, count: int) -> dict[str, dict[str, float]]:
    """Compare with the averaged 1024 px picture on `count` unseen latents: half of them in W, half near it."""
    prior, lpips = MobileStyleGan.load(with_heads=False), Lpips.load()
    latents = draw_latents(prior, count, torch.Generator().manual_seed(SCORE_SEED))
    values: dict[str, dict[str, list[float]]] = {}
    for i, latent in enumerate(latents):
        w_plus = latent[None]
        features, targets = render(prior, w_plus, [int(name) for name in heads])
        for name, head in heads.items():
            drawn = head(features[int(name)], w_plus - prior.mean_w).clamp(-1, 1)
            target = targets[int(name)].clamp(-1, 1)
            into = values.setdefault(name, {})
            kind = "near_w" if i % 2 == 0 else "w"
            into.setdefault(f"lpips_{kind}", []).append(lpips(drawn, target).item())
            psnr_db = 10 * math.log10(4 / F.mse_loss(drawn, target).item())
            into.setdefault(f"psnr_db_{kind}", []).append(psnr_db)
    return {
        name: {figure: round(sum(entries) / len(entries), 4) for figure, entries in sorted(figures.items())}
        for name, figures in values.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fit", "score"])
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/heads/checkpoint.safetensors"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS / "heads.safetensors")
    parser.add_argument("--start", type=Path, help="heads that `fit` begins with, instead of least squares")
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--count", type=int, default=64, help="latents that `score` draws")
    options = parser.parse_args()
    if options.what == "fit":
        plan = Plan(steps=options.steps, seed=options.seed)
        print(json.dumps(asdict(plan)), flush=True)
        heads = fit(plan, options.checkpoint, options.start)
        _save(heads, options.weights, plan.steps)
    else:
        heads = make_heads()
        heads.load_state_dict(load_file(options.weights))
        print(json.dumps({"latents": options.count, "scores": score(heads, options.count)}, indent=2))


if __name__ == "__main__":
    main()
