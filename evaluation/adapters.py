"""What training for a noise condition brings: the ablation of adapters.

Run: ``python -m evaluation.adapters --photos FILE --held-out FILE [--snr-db X,Y,...] [--fading F] [--steps N]``.

A pair of adapters for each condition, networks whose layers are told the SNR and that were trained for all conditions
(`shared.codec.networks`), and the same networks trained for one condition only, each over as many frames of the same
faces, stand beside the codec as it is, which nothing was trained for. All of them carry the same held-out faces through
the same noise. What is measured is the visible error, as a share of the codec's own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from shared.codec.catalogue import load_codec
from shared.codec.joint import JointCodec
from shared.codec.networks import JointNetworks
from shared.prior.mobile_stylegan import MobileStyleGan
from training.adapters import Report, Schedule, condition, descend, train_pair
from training.faces import beside_drawn, whiten
from training.simulated_link import LENGTHS, Conditions, SimulatedLink

NETWORK_RATE = 1e-3
"""Learning rate of whole networks; at that of adapters they fit their faces and no others."""

FRAMES = 4000
"""Frames carried to compare, at each SNR."""


@dataclass(frozen=True)
class Row:
    """One way of training, over seeds.

    Attributes:
        trained: ``adapters``, ``conditioned`` or ``full``.
        for_snr_db: the condition; None for all of them.
        parameters: that were trained.
        errors: mean visible error as a share of the untrained codec's, by the SNR in dB that was met.
        spread: half of what seeds differ at most, by SNR.
    """

    trained: str
    for_snr_db: float | None
    parameters: int
    errors: dict[str, float]
    spread: dict[str, float]


class Ablation:
    """Trains and compares.

    Args:
        codec: the code under the networks.
        white: faces to train on, white coefficients ``(N, COEFFICIENTS)``.
        held_out: others, to compare on.
        snrs_db: conditions trained for.
        met_db: SNRs compared at.
        fading: whether frames fade as Rayleigh's.
        k: fewest and most payload symbols.
        frames: that every one of them carries at each SNR.
    """

    def __init__(
        self,
        codec: JointCodec,
        white: torch.Tensor,
        held_out: torch.Tensor,
        snrs_db: Sequence[float],
        met_db: Sequence[float],
        *,
        fading: bool,
        k: tuple[int, int] = LENGTHS,
        frames: int = FRAMES,
    ) -> None:
        self._white, self._snrs_db = white, snrs_db
        self._sent = held_out.repeat(-(-frames // len(held_out)), 1)[:frames]
        places = {*snrs_db, *met_db}
        self._links = {snr_db: SimulatedLink(codec, condition(snr_db, fading=fading, k=k)) for snr_db in places}
        self._everywhere = SimulatedLink(codec, Conditions(k))
        self._met_db = met_db
        self._untrained = self._errors(JointNetworks())

    def rows(self, schedules: Sequence[Schedule], report: Report) -> Iterator[Row]:
        """A row for each way, trained once with each schedule."""
        for snr_db in self._snrs_db:
            pairs = [train_pair(snr_db, self._links[snr_db], self._white, one, report) for one in schedules]
            size = sum(parameter.numel() for parameter in pairs[0].pairs[0].parameters())
            yield self._row("adapters", snr_db, size, [JointNetworks(pair) for pair in pairs])
        size = sum(parameter.numel() for parameter in JointNetworks().parameters())
        yield self._row("conditioned", None, size, [self._whole(self._everywhere, one, report) for one in schedules])
        for snr_db in self._snrs_db:
            link = self._links[snr_db]
            yield self._row("full", snr_db, size, [self._whole(link, one, report) for one in schedules])

    def _whole(self, link: SimulatedLink, schedule: Schedule, report: Report) -> JointNetworks:
        torch.manual_seed(schedule.seed)
        networks = JointNetworks()
        slower = replace(schedule, learning_rate=NETWORK_RATE)
        descend(networks, networks.parameters(), link, self._white, slower, report)
        return networks

    def _row(self, trained: str, snr_db: float | None, size: int, networks: Sequence[JointNetworks]) -> Row:
        shares = np.array([self._errors(one) for one in networks]) / self._untrained
        names = [f"{met:g}" for met in self._met_db]
        half = (shares.max(0) - shares.min(0)) / 2
        return Row(
            trained,
            snr_db,
            size,
            {name: round(float(share), 4) for name, share in zip(names, shares.mean(0), strict=True)},
            {name: round(float(share), 4) for name, share in zip(names, half, strict=True)},
        )

    @torch.no_grad()
    def _errors(self, networks: JointNetworks) -> list[float]:
        errors = []
        for snr_db in self._met_db:
            link, generator = self._links[snr_db], torch.Generator().manual_seed(1)
            drawn = link.draw(len(self._sent), generator)
            arrived = link.carry(self._sent, networks, drawn, generator)
            errors.append(float(link.loss(arrived, self._sent, drawn)))
        return errors


def main() -> None:
    """Entry point of ``python -m evaluation.adapters``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="latents (N, 16, 512), .npy; as many are drawn")
    parser.add_argument("--held-out", type=Path, required=True, help="latents of other photos")
    parser.add_argument("--snr-db", default="0,12", help="conditions trained for, in dB")
    parser.add_argument("--met-db", default="-5,0,6,12,20", help="SNRs compared at")
    parser.add_argument("--fading", choices=["none", "rayleigh"], default="none")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    torch.set_num_threads(1)
    codec = load_codec("jecc")
    assert isinstance(codec, JointCodec)
    faces = beside_drawn(MobileStyleGan.load(), np.load(options.photos), seed=1)
    ablation = Ablation(
        codec,
        whiten(codec.linear, faces),
        whiten(codec.linear, np.load(options.held_out)),
        [float(value) for value in options.snr_db.split(",")],
        [float(value) for value in options.met_db.split(",")],
        fading=options.fading == "rayleigh",
    )
    schedules = [Schedule(options.steps, options.batch, seed=seed) for seed in range(1, 1 + options.seeds)]
    rows = []
    for row in ablation.rows(schedules, lambda *_: None):
        rows.append(asdict(row))
        if not options.json:
            print("  ".join(f"{name} {value}" for name, value in asdict(row).items()), flush=True)
    if options.json:
        print(json.dumps({"steps": options.steps, "seeds": options.seeds, "fading": options.fading, "rows": rows}))


if __name__ == "__main__":
    main()
