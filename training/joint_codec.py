"""Trains the networks of the joint codec over simulated links, in visible coordinates.

Faces are inversions of photos and samples of the prior, half and half. Every batch meets links of all kinds: length,
design SNR, what was met instead, fading.

Run: ``python -m training.joint_codec --photos FILE``; an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from shared.codec.joint import JointCodec
from shared.codec.networks import JointNetworks
from shared.codec.perceptual import PerceptualBasis
from shared.prior.mobile_stylegan import MobileStyleGan
from training.faces import draw_faces, whiten
from training.run import Run
from training.simulated_link import Conditions, SimulatedLink


def main() -> None:
    """Trains, reports, and writes the networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="inversions of photos (N, 16, 512), .npy")
    parser.add_argument("--basis", type=Path, default=Path("weights/basis_perceptual.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("runs/joint.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/joint"))
    parser.add_argument("--start", type=Path, help="networks to go on from")
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    codec = JointCodec(PerceptualBasis.load(args.basis), JointNetworks(), codec_id=0)
    pools = [whiten(codec.linear, draw_faces(MobileStyleGan.load(), args.samples, args.seed))]
    if args.photos:
        pools.append(whiten(codec.linear, np.load(args.photos, mmap_mode="r")))
    link = SimulatedLink(codec, Conditions())
    args.work.mkdir(parents=True, exist_ok=True)
    networks = JointNetworks.load(args.start).requires_grad_() if args.start else JointNetworks()
    run = Run(networks, args.steps, args.learning_rate, args.work / f"joint_{args.seed}.pt")
    while run.step < args.steps:
        generator = run.generator(args.seed)
        share = args.batch // len(pools)
        white = torch.cat([pool[torch.randint(len(pool), (share,), generator=generator)] for pool in pools])
        drawn = link.draw(len(white), generator)
        run.descend(link.loss(link.carry(white, networks, drawn, generator), white, drawn))
        if run.step % 100 == 0:
            run.save()
            print(json.dumps(run.report()), flush=True)
    networks.save(args.out)


if __name__ == "__main__":
    main()
