"""Trains the image encoder, in two stages, each resumable.

``python -m training.encoder samples``: regression of w+ from samples of the prior, made to look like photos; first from
the mean face alone, then from the encoder's own answers too, so that a second pass mends the first.
``python -m training.encoder photos --data DIR``: real photos through the preview head with the inversion's own loss.

What the frozen networks see is read once and kept, so a pass over the samples costs seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from shared.perceptual.face_features import FaceFeatures, FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_tensor
from shared.weights import WEIGHTS, committed
from training.augment import augment_sample, jitter_framing
from training.celeba import load_faces
from training.feature_bank import FeatureBank
from training.run import Run
from training.samples import SampleBank, principal_axes
from transmitter.curvature import Curvature
from transmitter.encoder import ImageEncoder
from transmitter.inversion_loss import InversionLoss, LossWeights

HELD_OUT = 128
"""Pictures at the end of each bank that a stage is judged on."""

DAMPING = 0.01
"""Of the curvature that photos' gradients are flattened with."""


class Stage:
    """What both stages need: the frozen networks, the encoder and the settings of the command line."""

    def __init__(self, args: argparse.Namespace, encoder: ImageEncoder) -> None:
        self.args, self.device = args, torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.encoder = encoder.to(self.device)
        self.prior = MobileStyleGan.load().to(self.device)
        self.lpips, self.identity = Lpips.load().to(self.device), MobileFaceNet.load().to(self.device)
        self.reader = FeatureReader(self.lpips, self.identity)
        self.run = Run(encoder, args.steps, args.lr, args.work / f"encoder_{args.stage}_{args.seed}_{args.steps}.pt")
        with torch.inference_mode():
            self._mean_face = self.reader(self.prior.preview(self.encoder.start(1)))

    def mean_face(self, batch: int) -> FaceFeatures:
        """What the first pass has seen of its latent: the mean face, ``batch`` times."""
        return FaceFeatures(*(part.clone() for part in self._mean_face.expand(batch)))

    def look(self, w_plus: Tensor) -> FaceFeatures:
        """The features of what latents ``(B, 16, 512)`` show; nothing is differentiated."""
        with torch.no_grad():
            return self.reader(self.prior.preview(w_plus))


class SampleStage(Stage):
    """Regression of known latents."""

    def __init__(self, args: argparse.Namespace, encoder: ImageEncoder) -> None:
        super().__init__(args, encoder)
        samples = SampleBank.open(args.samples, args.work)
        self.count = len(samples) * args.views

        def view(chunk: slice, generator: torch.Generator) -> Tensor:
            return augment_sample(to_tensor(samples.images[self._sample(chunk)]), generator)

        name = args.work / f"encoder_samples_{args.samples}_{args.views}"
        self.faces = FeatureBank.open(name, self.count, view, self.reader, self.device)
        self.samples = samples

    def _sample(self, chunk: slice) -> NDIndex:
        views: NDIndex = np.arange(chunk.start, chunk.stop) % self.args.samples
        return views

    def truth(self, index: NDIndex) -> Tensor:
        """The latents ``(B, 16, 512)`` of the views at ``index``."""
        return self.samples.latents(index % self.args.samples, self.device)

    def loss(self, w_plus: Tensor, truth: Tensor) -> Tensor:
        """Mean square error of the latents, as a part of W's variance."""
        total: Tensor = (w_plus - truth).square().sum(2).mean() / self.encoder.axes.square().sum()
        return total

    def train(self) -> None:
        """The first half of the steps from the mean face, the second from the encoder's answers as well."""
        self._descend(self.run.steps // 2, None)
        answers = self._answers()
        self._descend(self.run.steps, answers)

    def _answers(self) -> tuple[torch.Tensor, FeatureBank]:
        """The encoder's first answers to one view of each sample, and what they show; made once, halfway."""
        path = self.args.work / f"encoder_answers_{self.args.samples}_{self.args.seed}"
        latents_path = path.with_suffix(".npy")
        if not latents_path.exists():
            self.encoder.eval()
            answers = []
            with torch.inference_mode():
                for start in range(0, self.args.samples, 64):
                    faces = self.faces.features(slice(start, min(start + 64, self.args.samples)), self.device)
                    batch = len(faces.whole)
                    answers.append(self.encoder(faces, self.mean_face(batch), self.encoder.start(batch)).cpu().half())
            np.save(latents_path, torch.cat(answers).numpy())
        latents = torch.from_numpy(np.load(latents_path).astype(np.float32))

        def shown(chunk: slice, _: torch.Generator) -> Tensor:
            with torch.inference_mode():
                return self.prior.preview(latents[chunk].to(self.device))

        return latents, FeatureBank.open(path, self.args.samples, shown, self.reader, self.device)

    def _descend(self, steps: int, answers: tuple[torch.Tensor, FeatureBank] | None) -> None:
        # The held-out samples are the last ones, in every view.
        trained = self.args.samples - HELD_OUT
        started = time.perf_counter()
        while self.run.step < steps:
            self.encoder.train()
            generator = self.run.generator(self.args.seed)
            index = torch.randint(trained, (self.args.batch,), generator=generator)
            index += torch.randint(self.args.views, (self.args.batch,), generator=generator) * self.args.samples
            again = answers is not None and float(torch.rand(1, generator=generator)) < 0.5
            predicted = self._predict(index.numpy(), answers if again else None)
            self.run.descend(self.loss(predicted, self.truth(index.numpy())))
            if self.run.step % self.args.report == 0:
                line = self.run.report() | self._score(answers)
                print(json.dumps(line | {"seconds": round(time.perf_counter() - started)}), flush=True)
                self.run.save()

    def _predict(self, index: NDIndex, answers: tuple[torch.Tensor, FeatureBank] | None) -> Tensor:
        faces = self.faces.features(index, self.device)
        batch = len(index)
        if answers is None:
            better: Tensor = self.encoder(faces, self.mean_face(batch), self.encoder.start(batch))
        else:
            latents, shown = answers
            answered = index % self.args.samples
            better = self.encoder(faces, shown.features(answered, self.device), latents[answered].to(self.device))
        return better

    def _score(self, answers: tuple[torch.Tensor, FeatureBank] | None) -> dict[str, float]:
        """Share of the held-out latents' variance that is left after one pass, and after a second from old answers."""
        self.encoder.eval()
        index = np.arange(self.args.samples - HELD_OUT, self.args.samples)
        with torch.inference_mode():
            left = {"left": round(float(self.loss(self._predict(index, None), self.truth(index))), 4)}
            if answers is not None:
                left["left_again"] = round(float(self.loss(self._predict(index, answers), self.truth(index))), 4)
        return left


class PhotoStage(Stage):
    """The inversion's own loss on real photos; batch statistics stay frozen."""

    def __init__(self, args: argparse.Namespace, encoder: ImageEncoder) -> None:
        super().__init__(args, encoder)
        photos = load_faces(args.data, "train", args.work).images
        order = np.random.default_rng(args.seed).permutation(len(photos))[: args.photos]

        def view(chunk: slice, generator: torch.Generator) -> Tensor:
            return jitter_framing(to_tensor(photos[order[chunk]]), generator, flip=True, amount=0.3)

        self.curvature = Curvature.load(committed("curvature.safetensors")).to(self.device)
        name = args.work / f"encoder_photos_{args.photos}_{args.seed}"
        self.faces = FeatureBank.open(name, len(order), view, self.reader, self.device, args.seed)

    def train(self) -> None:
        """Every step is a first pass or a second one, by chance."""
        weights = LossWeights(offsets=self.args.offsets, pull=self.args.pull)
        started = time.perf_counter()
        self.encoder.eval()
        while self.run.step < self.run.steps:
            generator = self.run.generator(self.args.seed)
            index = torch.randint(len(self.faces), (self.args.batch,), generator=generator).sort().values.numpy()
            faces, batch = self.faces.features(index, self.device), len(index)
            w_plus, shown = self.encoder.start(batch), self.mean_face(batch)
            if float(torch.rand(1, generator=generator)) < 0.5:
                with torch.no_grad():
                    w_plus = self.encoder(faces, shown, w_plus)
                shown = self.look(w_plus)
            loss_of = InversionLoss(
                to_tensor(self.faces.images[index], device=self.device), self.lpips, self.identity, self.prior, weights
            )
            w_plus = self.encoder(faces, shown, w_plus)
            loss, pull = self._pull(loss_of, w_plus)
            self.run.descend(pull, loss)
            if self.run.step % self.args.report == 0:
                seconds = round(time.perf_counter() - started)
                print(json.dumps(self.run.report() | {"seconds": seconds}), flush=True)
                self.run.save()
                save_encoder(self.encoder, self.args.work / "encoder_photos.safetensors")

    def _pull(self, loss_of: InversionLoss, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        """The mean loss, and a scalar whose gradient in the encoder's coordinates is the flattened one of the loss.

        Left as it is, the loss's gradient would teach the encoder its few steep directions and little else.
        """
        at = w_plus.detach().requires_grad_()
        loss = loss_of(self.prior.preview(at), at).mean()
        (gradient,) = torch.autograd.grad(loss, at)
        flat = self.curvature.flattened(self.curvature.gradient(gradient), DAMPING)  # (B, 17, 512)
        w, offsets = self.encoder.coordinates(w_plus)
        apart = self.curvature.apart[:, None] * flat[:, 1:, : offsets.shape[2]]
        return loss.detach(), ((w * flat[:, 0]).sum() + (offsets * apart).sum()) / DAMPING


NDIndex = np.ndarray[tuple[int], np.dtype[np.int64]]


def save_encoder(encoder: ImageEncoder, path: Path) -> None:
    """Writes the weights, large matrices in half precision."""
    tensors = {
        name: (tensor.half() if tensor.dim() > 1 else tensor.float()).contiguous().cpu()
        for name, tensor in encoder.state_dict().items()
        if "num_batches" not in name
    }
    save_file(tensors, path)


def main() -> None:
    """Parses the stage and trains it; the second stage starts from what the first wrote to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["samples", "photos"])
    parser.add_argument("--data", type=Path, help="folder of the photos (second stage)")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "encoder.safetensors")
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--views", type=int, default=2, help="augmented views of each sample")
    parser.add_argument("--photos", type=int, default=6000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--offsets", type=float, default=LossWeights.offsets)
    parser.add_argument("--pull", type=float, default=LossWeights.pull)
    parser.add_argument("--report", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    if args.stage == "samples":
        prior = MobileStyleGan.load()
        encoder = ImageEncoder(args.width, args.dropout)
        encoder.mean_w.copy_(prior.mean_w)
        encoder.axes.copy_(principal_axes(prior))
        SampleStage(args, encoder).train()
    else:
        encoder = ImageEncoder.load(args.out).requires_grad_(True)
        PhotoStage(args, encoder).train()
    save_encoder(encoder, args.out)


if __name__ == "__main__":
    main()
