"""The link without processes: latent -> codec -> frame -> channel model -> receiver, for curves over many faces.

It runs the very functions that the services run, in their order; only gRPC is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channel_sim.chain import Chain
from channel_sim.randomness import FrameContext
from shared.codec.codec import Latent, SemanticCodec
from shared.phy import (
    DataFrame,
    FrameHeader,
    FrameKind,
    ReceivedFrame,
    build_frame,
    profile_for,
    quantise_design_snr,
    receive_frame,
)
from shared.phy.uses import ChannelUses


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


def deliver(
    w_plus: Latent, codec: SemanticCodec, chain: Chain, k_payload: int, reported_snr_db: float, frame: FrameContext
) -> Delivery:
    """Sends one latent ``(16, 512)`` over the channel.

    Args:
        w_plus: the face.
        codec: known to both ends.
        chain: the channel.
        k_payload: payload symbols.
        reported_snr_db: what the transmitter was told of the link: it sets profile and power allocation.
        frame: keys the channel's randomness.
    """
    payload = codec.encode(w_plus, k_payload, float(quantise_design_snr(reported_snr_db)))
    received, uses = cross(payload, codec.codec_id, chain, reported_snr_db, frame)
    estimate = received.estimate.snr_db if received.estimate is not None else float("nan")
    if not isinstance(received, DataFrame):
        return Delivery(None, uses, estimate, float("nan"))
    decoded = codec.decode(received.payload, float(received.header.design_snr_db), received.noise_power)
    return Delivery(decoded.w_plus, uses, estimate, decoded.expected_nmse_db)


def cross(
    payload: NDArray[np.complexfloating], codec_id: int, chain: Chain, reported_snr_db: float, frame: FrameContext
) -> tuple[ReceivedFrame, ChannelUses]:
    """Frames any payload ``(k,)``, sends it, and reads what arrives: the same pilots, header and power for everybody.

    Args:
        payload: symbols of any scale.
        codec_id: 0..7, for the header.
        chain: the channel.
        reported_snr_db: what the transmitter was told of the link: it sets the profile, and crosses in the header.
        frame: keys the channel's randomness.
    """
    header = FrameHeader(codec_id, FrameKind.KEY, frame.sequence % 256, quantise_design_snr(reported_snr_db))
    sent = build_frame(header, payload, profile_for(reported_snr_db))
    return receive_frame(chain.pass_through(sent.samples, frame).samples), sent.uses


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
