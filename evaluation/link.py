"""The link without processes: latent -> codec -> frame -> channel model -> receiver, for curves over many faces.

It runs the very functions that the services run, in their order; only gRPC is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from channel_sim.awgn import Awgn
from channel_sim.chain import Chain
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.randomness import FrameContext
from shared.codec.codec import Latent, SemanticCodec
from shared.phy import (
    DataFrame,
    FrameHeader,
    FrameKind,
    LinkOutlook,
    ReceivedFrame,
    build_frame,
    quantise_design_snr,
    receive_frame,
)
from shared.phy.uses import ChannelUses

Fading = Literal["none", "rayleigh"]


@dataclass(frozen=True)
class Air:
    """What one frame goes through.

    Attributes:
        chain: the channel.
        link: what its sender was told of it, as after reports: profile, power and folds are chosen for that.
        frame: keys the channel's randomness.
    """

    chain: Chain
    link: LinkOutlook
    frame: FrameContext

    @classmethod
    def of(cls, snr_db: float, fading: Fading, frame: FrameContext) -> Self:
        """A channel of mean Es/N0 ``snr_db``, and a sender that knows it."""
        if fading == "rayleigh":
            return cls(Chain([Rayleigh(), Awgn(snr_db=snr_db)]), LinkOutlook.rayleigh(snr_db), frame)
        return cls(Chain([Awgn(snr_db=snr_db)]), LinkOutlook(snr_db), frame)


@dataclass(frozen=True)
class Delivery:
    """What one frame brought.

    Attributes:
        w_plus: the decoded latent ``(16, 512)``; None if the frame was erased.
        uses: the frame's channel uses.
        snr_db_estimated: the receiver's estimate; NaN if it had none.
        expected_nmse_db: the decoder's own estimate of its error; NaN if erased.
    """

    w_plus: Latent | None
    uses: ChannelUses
    snr_db_estimated: float
    expected_nmse_db: float


def deliver(w_plus: Latent, codec: SemanticCodec, k_payload: int, air: Air) -> Delivery:
    """Sends one latent ``(16, 512)`` over the channel.

    Args:
        w_plus: the face.
        codec: known to both ends.
        k_payload: payload symbols.
        air: what the frame goes through.
    """
    payload = codec.encode(w_plus, k_payload, float(quantise_design_snr(air.link.payload_snr_db)))
    received, uses = cross(payload, codec.codec_id, air)
    estimate = received.estimate.snr_db if received.estimate is not None else float("nan")
    if not isinstance(received, DataFrame):
        return Delivery(None, uses, estimate, float("nan"))
    decoded = codec.decode(received.payload, float(received.header.design_snr_db), received.noise_power)
    return Delivery(decoded.w_plus, uses, estimate, decoded.expected_nmse_db)


def cross(payload: NDArray[np.complexfloating], codec_id: int, air: Air) -> tuple[ReceivedFrame, ChannelUses]:
    """Frames any payload ``(k,)``, sends it, and reads what arrives: the same pilots, header and power for everybody.

    Args:
        payload: symbols of any scale.
        codec_id: 0..7, for the header.
        air: what the frame goes through.
    """
    design_snr_db = quantise_design_snr(air.link.payload_snr_db)
    header = FrameHeader(codec_id, FrameKind.KEY, air.frame.sequence % 256, design_snr_db)
    sent = build_frame(header, payload, air.link.profile)
    return receive_frame(air.chain.pass_through(sent.samples, air.frame).samples), sent.uses


def rate_distortion_nmse_db(variances: NDArray[np.float64], k_payload: int, snr_db: float) -> float:
    """Least latent NMSE in dB that any code of ``k_payload`` uses can reach for a Gaussian source.

    Reverse water-filling (Cover and Thomas, "Elements of Information Theory", theorem 10.3.3) at the capacity of the
    complex AWGN channel, ``k log2(1 + snr)`` bits per face.
    """
    bits = k_payload * np.log2(1 + 10 ** (snr_db / 10))
    ranked = np.sort(variances)[::-1]
    low, high = 0.0, float(ranked[0])
    for _ in range(100):
        water = (low + high) / 2
        spent = 0.5 * np.log2(ranked[ranked > water] / water).sum()
        low, high = (water, high) if spent > bits else (low, water)
    return float(10 * np.log10(np.minimum(ranked, high).sum() / ranked.sum()))
