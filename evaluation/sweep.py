"""Curves over SNR and payload: what the receiver would show against what was meant, averaged over faces.

Run: ``deepsc sweep``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from channel_sim.randomness import FrameContext
from evaluation.link import Air, Fading, deliver, rate_distortion_nmse_db
from shared.codec.basis import LatentBasis
from shared.codec.catalogue import CodecName, load_codec
from shared.codec.codec import SemanticCodec
from shared.errors import InvalidInput
from shared.prior.backend import make_backend
from shared.prior.face_prior import broadcast_w, truncate
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import committed

SIDE = 256
"""Side in pixels at which faces are compared."""

Judge = Callable[[NDArray[np.uint8], NDArray[np.uint8]], tuple[float, float]]
"""Two pictures ``(S, S, 3)`` to their LPIPS and identity cosine."""


@dataclass(frozen=True)
class SweepPoint:
    """Means over the faces at one operating point.

    Attributes:
        codec: name in the catalogue.
        snr_db: of the channel, declared.
        k_payload: payload symbols.
        k_total: with pilots and header.
        faces: how many were sent.
        erased: how many frames were erased.
        latent_nmse_db: of the faces that arrived, NMSE of means.
        bound_nmse_db: Gaussian rate-distortion bound of the reference's latent spectrum with these payload symbols.
        lpips: received against intended at 256 px; an erased face counts as mid-grey.
        identity_cosine: SFace, received against intended; an erased face counts as 0.
        snr_db_estimated: mean of the receiver's estimates.
    """

    codec: CodecName
    snr_db: float
    k_payload: int
    k_total: int
    faces: int
    erased: int
    latent_nmse_db: float
    bound_nmse_db: float
    lpips: float
    identity_cosine: float
    snr_db_estimated: float


def sample_latents(prior: MobileStyleGan, count: int, seed: int, psi: float = 0.7) -> NDArray[np.float32]:
    """``(count, 16, 512)`` latents of faces that the prior draws."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        w = truncate(prior.mapping(torch.randn(count, prior.w_dim, generator=generator)), prior.mean_w, psi)
    return np.ascontiguousarray(broadcast_w(w).numpy())


def read_latents(path: Path, count: int | None = None) -> NDArray[np.float32]:
    """The first ``count`` latents of a ``.npy`` file, or the one of a ``.npz`` file that ``deepsc invert`` wrote.

    Args:
        path: of the file.
        count: all where it is ``None``.

    Raises:
        InvalidInput: if it does not hold ``(N, 16, 512)`` numbers, or ``(16, 512)``.
    """
    try:
        latents = _array(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror or error}); name a file of latents") from None
    except (ValueError, KeyError, EOFError, BadZipFile):
        raise InvalidInput(
            f"{path} holds no latents; name a .npy file of them, or the latent.npz of deepsc invert"
        ) from None
    faces = latents[None] if latents.ndim == 2 else latents
    if faces.ndim != 3 or faces.shape[1:] != (16, 512) or not len(faces) or faces.dtype.kind not in "fiu":
        raise InvalidInput(
            f"{path} holds {latents.dtype} of shape {latents.shape}; name latents (N, 16, 512), or (16, 512) for one"
        )
    return np.array(faces[:count], dtype=np.float32)


def _array(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
        file.seek(0)
        array: NDArray[Any] = np.load(file)["w_plus"] if zipped else np.load(path, mmap_mode="r")
        return array


class Sweep:
    """Sends the same faces at many operating points.

    Args:
        prior: renders the faces.
        latents: what is sent, ``(N, 16, 512)``.
        judge: how pictures are compared.
        adapters: pairs for the codec ``jecc``.
        networks: trained networks for it.
    """

    def __init__(
        self,
        prior: MobileStyleGan,
        latents: NDArray[np.float32],
        judge: Judge,
        adapters: Path | None = None,
        networks: Path | None = None,
    ) -> None:
        self._backend, self._latents, self._judge, self._learned = (
            make_backend(prior=prior),
            latents,
            judge,
            (adapters, networks),
        )
        self._intended = [self._draw(w_plus) for w_plus in latents]
        self._codecs: dict[CodecName, SemanticCodec] = {}  # each is read once, not at every point
        self._reference = LatentBasis.load(committed("basis_mse.safetensors"))

    def _draw(self, w_plus: NDArray[np.float32]) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = self._backend.render(w_plus[None], SIDE)[0]
        return picture

    def _codec(self, name: CodecName) -> SemanticCodec:
        if name not in self._codecs:
            self._codecs[name] = load_codec(name, *(self._learned if name == "jecc" else ()))
        return self._codecs[name]

    def at(self, name: CodecName, snr_db: float, k_payload: int, fading: Fading = "none", seed: int = 0) -> SweepPoint:
        """One operating point; the transmitter knows the declared SNR and whether it fades, as after reports."""
        codec = self._codec(name)
        errors, energies, lpips, cosines, estimates = [], [], [], [], []
        uses = None
        for index, (w_plus, intended) in enumerate(zip(self._latents, self._intended, strict=True)):
            frame = FrameContext(seed=seed, stream_id=f"sweep-{index}", sequence=1)
            delivery = deliver(w_plus, codec, k_payload, Air.of(snr_db, fading, frame))
            uses = delivery.uses
            estimates.append(delivery.snr_db_estimated)
            if delivery.w_plus is None:
                lpips.append(self._judge(np.full_like(intended, 128), intended)[0])
                cosines.append(0.0)
                continue
            distance, cosine = self._judge(self._draw(delivery.w_plus), intended)
            lpips.append(distance)
            cosines.append(cosine)
            errors.append(np.square(delivery.w_plus - w_plus, dtype=np.float64).sum())
            energies.append(np.square(w_plus - self._reference.mean, dtype=np.float64).sum())
        assert uses is not None
        variances = np.square(self._reference.deviation.astype(np.float64))
        return SweepPoint(
            codec=name,
            snr_db=snr_db,
            k_payload=k_payload,
            k_total=uses.k_total,
            faces=len(self._latents),
            erased=len(self._latents) - len(errors),
            latent_nmse_db=float(10 * np.log10(np.sum(errors) / np.sum(energies))) if errors else float("nan"),
            bound_nmse_db=rate_distortion_nmse_db(variances, k_payload, snr_db),
            lpips=float(np.mean(lpips)),
            identity_cosine=float(np.mean(cosines)),
            snr_db_estimated=float(np.nanmean(estimates)),
        )


def rounded(point: SweepPoint) -> dict[str, object]:
    """The point as JSON takes it: figures to three decimals, null where nothing arrived to be measured."""
    return {name: _figure(value) for name, value in asdict(point).items()}


def _figure(value: object) -> object:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 3)
