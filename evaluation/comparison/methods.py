"""How each method sends a face: a carrier of pictures or of latents, and the place of the edit around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np

from evaluation.comparison.command import decode_command, encode_command
from evaluation.comparison.config import MethodConfig
from evaluation.comparison.faces import Face, Studio
from evaluation.comparison.latent_digital import LatentQuantiser
from evaluation.deepjscc import DeepJscc
from evaluation.digital.transport import SCHEMES, Scheme, TransportBlock
from evaluation.image_codecs import make
from evaluation.link import Air, Fading, cross, deliver
from evaluation.source_codec import Fitted, Picture, fit, grey, unfit
from shared.codec.catalogue import CodecName, load_codec
from shared.codec.codec import Latent, SemanticCodec
from shared.codec.linear import MIN_SYMBOLS, LinearCodec
from shared.errors import InvalidInput
from shared.phy import DataFrame, quantise_design_snr
from shared.phy.uses import ChannelUses
from shared.weights import committed

DEEPJSCC_ID, DIGITAL_ID = 6, 7
"""Numbers in the header of frames that hold no codec of the catalogue."""


@dataclass(frozen=True, eq=False)
class Reception:
    """What the receiver shows.

    Attributes:
        picture: ``(S, S, 3)``; mid-grey if nothing could be decoded.
        delivered: whether something could.
        uses: channel uses.
        source_bytes: bytes behind the source codec; 0 where there are none.
    """

    picture: Picture
    delivered: bool
    uses: ChannelUses
    source_bytes: int = 0


def candidates(method: MethodConfig, snr_db: float, fading: Fading) -> list[Scheme | None]:
    """Modulations and rates worth a try at an SNR, of which the best is taken afterwards, in the rival's favour."""
    if method.kind not in ("separate", "latent_digital"):
        return [None]
    capacity = float(np.log2(1 + 10 ** (snr_db / 10)))
    least, most = (0.45, 1.0) if fading == "none" else (0.05, 1.0)
    worth: list[Scheme | None] = [scheme for scheme in SCHEMES if least <= scheme.efficiency / capacity <= most]
    return worth or [SCHEMES[0] if SCHEMES[0].efficiency > capacity else SCHEMES[-1]]


class Methods:
    """Sends faces by any method; networks and fitted files are made once.

    Args:
        studio: draws, inverts and edits for all of them.
        receiver_refine_steps: of inversions at the receiver.
    """

    def __init__(self, studio: Studio, receiver_refine_steps: int) -> None:
        self._studio, self._receiver_steps = studio, receiver_refine_steps
        self._fitted: dict[tuple[MethodConfig, bytes, int], Fitted | None] = {}
        self._codec = cache(load_codec)
        self._deepjscc = cache(lambda: DeepJscc.load(committed("deepjscc.safetensors")))
        self._quantiser = cache(lambda: LatentQuantiser(cast(LinearCodec, load_codec("perceptual")).basis))

    def send(
        self,
        method: MethodConfig,
        face: Face,
        k: int,
        snr_db: float,
        air: Air,
        scheme: Scheme | None,
    ) -> Reception:
        """Sends one face with ``k`` payload symbols; the transmitter knows the declared SNR, as after a report.

        Raises:
            InvalidInput: if the method cannot do what is asked of it.
        """
        if method.kind in ("ours", "latent_digital"):
            return self._send_latent(method, face, k, air, scheme)
        if method.scheme == "command":
            raise InvalidInput("an edit command needs a latent at the receiver")
        picture = face.intended if method.scheme == "sender" else face.photo
        shown, uses, size = self._carry_picture(method, picture, k, snr_db, air, scheme)
        if shown is None:
            return Reception(grey(self._studio.side), False, uses, size)
        if method.scheme == "receiver":
            latent = self._studio.invert(shown, self._receiver_steps)
            shown = self._studio.draw(self._studio.edit(latent, face.targets))
        return Reception(shown, True, uses, size)

    def _send_latent(
        self,
        method: MethodConfig,
        face: Face,
        k: int,
        air: Air,
        scheme: Scheme | None,
    ) -> Reception:
        if method.scheme == "receiver":
            raise InvalidInput("a receiver learns of the edit from the photo's sender: ask for the scheme command")
        size = 0
        if method.scheme == "command":
            if method.kind != "ours":
                raise InvalidInput("the scheme command is there for ours only")
            latent, uses = self._with_command(method, face, k, air)
        elif method.kind == "ours":
            source = face.edited if method.scheme == "sender" else face.w_plus
            delivery = deliver(source, self._named(method), k, air)
            latent, uses = delivery.w_plus, delivery.uses
        else:
            assert scheme is not None
            source = face.edited if method.scheme == "sender" else face.w_plus
            size = TransportBlock(k, scheme).capacity
            data, uses = _carry_bytes(self._quantiser().encode(source, size), k, air, scheme)
            latent = None if data is None else self._quantiser().decode(data)
        if latent is None:
            return Reception(grey(self._studio.side), False, uses, size)
        return Reception(self._studio.draw(latent), True, uses, size)

    def _named(self, method: MethodConfig) -> SemanticCodec:
        return self._codec(cast(CodecName, method.codec))

    def _with_command(self, method: MethodConfig, face: Face, k: int, air: Air) -> tuple[Latent | None, ChannelUses]:
        """The unedited latent and the wishes share the payload; each wish is protected as the header is."""
        codec, each = self._named(method), air.link.profile.header_count
        command = encode_command(face.targets, each)
        if k - command.size < MIN_SYMBOLS:
            raise InvalidInput(
                f"{k} symbols leave too few for the face beside {command.size} of the edit's command; ask for more"
            )
        body = codec.encode(face.w_plus, k - command.size, float(quantise_design_snr(air.link.payload_snr_db)))
        received, uses = cross(np.concatenate([command, body]), codec.codec_id, air)
        if not isinstance(received, DataFrame):
            return None, uses
        targets = decode_command(received.payload[: command.size], each)
        if targets is None:
            return None, uses
        design_snr_db = float(received.header.design_snr_db)
        decoded = codec.decode(received.payload[command.size :], design_snr_db, received.noise_power)
        return self._studio.edit(decoded.w_plus, targets), uses

    def _carry_picture(
        self,
        method: MethodConfig,
        picture: Picture,
        k: int,
        snr_db: float,
        air: Air,
        scheme: Scheme | None,
    ) -> tuple[Picture | None, ChannelUses, int]:
        side = picture.shape[0]
        if method.kind == "deepjscc":
            payload = self._deepjscc().encode(picture, k, float(quantise_design_snr(air.link.payload_snr_db)))
            received, uses = cross(payload, DEEPJSCC_ID, air)
            if not isinstance(received, DataFrame):
                return None, uses, 0
            heard_db = float(-10 * np.log10(received.noise_power))
            return self._deepjscc().decode(received.payload, side, heard_db), uses, 0
        if method.kind == "ideal":
            gain = air.chain.pass_through(np.ones(k, np.complex64), air.frame).gain
            budget = int(k * np.log2(1 + gain * 10 ** (snr_db / 10)) / 8)
            fitted = self._fit(method, picture, budget)
            uses = ChannelUses(k_payload=k)
            return (
                (None, uses, 0) if fitted is None else (self._show(method, fitted.data, side), uses, len(fitted.data))
            )
        assert scheme is not None
        fitted = self._fit(method, picture, TransportBlock(k, scheme).capacity)
        # What does not fit is not sent well: the frame goes out empty, and is counted as undecodable.
        sent = b"" if fitted is None else fitted.data
        data, uses = _carry_bytes(sent, k, air, scheme)
        return (self._show(method, data, side) if data else None), uses, len(sent)

    def _fit(self, method: MethodConfig, picture: Picture, budget: int) -> Fitted | None:
        key = method.model_copy(update={"k": (), "scheme": "none", "kind": "ideal"}), picture.tobytes(), budget
        if key not in self._fitted:
            self._fitted[key] = fit(make(method.source, method.container), picture, budget)
        return self._fitted[key]

    @staticmethod
    def _show(method: MethodConfig, data: bytes, side: int) -> Picture:
        return unfit(make(method.source, method.container), data, side)


def _carry_bytes(data: bytes, k: int, air: Air, scheme: Scheme) -> tuple[bytes | None, ChannelUses]:
    """Bytes over the link in one transport block; both ends know the scheme from the SNR in the header."""
    block = TransportBlock(k, scheme)
    received, uses = cross(block.encode(data), DIGITAL_ID, air)
    return (block.decode(received.payload, received.noise_power) if isinstance(received, DataFrame) else None), uses
