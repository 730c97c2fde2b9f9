"""The header: twenty bits that a decoder needs, protected apart from the payload, and checked.

=================  ====  ==========================================================
field              bits  values
=================  ====  ==========================================================
``codec_id``       3     which codec made the payload
``kind``           2     key, delta, refinement; 3 is reserved
``sequence``       8     of a key frame: its own number modulo 256
``base``           6     of the others: the number modulo 64 of the frame before
``base_snr_db``    4     of the others: the dB modulo 16 which that one met
``design_snr_db``  5     -10..21 dB in steps of 1 dB
spare              2     of a key frame: zero
=================  ====  ==========================================================

A delta or refinement frame means nothing without the frames before it, so it names the last of them that was decoded,
and what its receiver has reported of it. Its own number, which the framing tells anyway, is not carried but checked: it
is added to both bytes of the check.

CRC-16 -> tail-biting convolutional code -> rate matching -> QPSK (TS 36.212 sections 5.1.1, 5.1.3.1, 5.1.4.2: what LTE
protects its control channel with). A header with a reserved kind or a spare bit set is refused as one
that fails its check is.

The receiver tries the check on the likeliest blocks in turn, since the check tells more than the code does about which
block was sent: 20 bits are to be found and not 36. Every further try is one more that chance may pass. White noise
favours no block, so each try passes the check of 16 bits with probability 2^-16: at most 9.2e-5 of frames that hold no
header are taken to hold one, and with what the receiver knows of number, base and kind 6.7e-8.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import InvalidInput
from shared.phy import convolutional, rate_matching
from shared.phy.crc import CRC_BITS, Bits, crc16, to_bits, to_int
from shared.phy.profiles import Profile

MIN_DESIGN_SNR_DB: Final = -10
MAX_DESIGN_SNR_DB: Final = 21

#: How many blocks are tried at most: the most that keep ``LIST_LENGTH / 2^16`` below 1e-4.
LIST_LENGTH: Final = 6

#: Sequence numbers are carried modulo this, and of the frame that another builds on number and dB modulo these.
SEQUENCE_MODULUS: Final = 256
BASE_MODULUS: Final = 64
BASE_SNR_MODULUS: Final = 16

_HEADER_BITS: Final = 20
_BLOCK_BITS: Final = _HEADER_BITS + CRC_BITS


class FrameKind(IntEnum):
    """What the payload's latent is relative to."""

    KEY = 0
    DELTA = 1
    REFINEMENT = 2


@dataclass(frozen=True)
class FrameHeader:
    """What a decoder has to know about a payload.

    Attributes:
        codec_id: 0..7.
        kind: what the latent is relative to.
        sequence: 0..255, the frame's number modulo 256.
        design_snr_db: -10..21, the whole number of dB that the payload was coded for (:func:`quantise_design_snr`).
        base: 0..63, the number modulo 64 of the frame that this one builds on; a key frame builds on none, and has 0.
        base_snr_db: 0..15, the whole dB modulo 16 that this frame's receiver has reported of it; a key frame has 0.

    Raises:
        InvalidInput: if a field does not fit its bits.
    """

    codec_id: int
    kind: FrameKind
    sequence: int
    design_snr_db: int
    base: int = 0
    base_snr_db: int = 0

    def __post_init__(self) -> None:
        _check_range("codec_id", self.codec_id, 0, 7)
        _check_range("sequence", self.sequence, 0, SEQUENCE_MODULUS - 1)
        _check_range("design_snr_db", self.design_snr_db, MIN_DESIGN_SNR_DB, MAX_DESIGN_SNR_DB)
        _check_range("base", self.base, 0, BASE_MODULUS - 1 if self.kind else 0)
        _check_range("base_snr_db", self.base_snr_db, 0, BASE_SNR_MODULUS - 1 if self.kind else 0)
        _check_range("kind", self.kind, min(FrameKind), max(FrameKind))


def quantise_design_snr(snr_db: float) -> int:
    """The nearest design SNR that a header can carry. Code the payload for this value, not for the finer one.

    Raises:
        InvalidInput: if ``snr_db`` is not a number.
    """
    if math.isnan(snr_db):
        raise InvalidInput("The design SNR is not a number: give it in dB.")
    return round(min(max(snr_db, MIN_DESIGN_SNR_DB), MAX_DESIGN_SNR_DB))


def encode_header(header: FrameHeader, profile: Profile) -> NDArray[np.complex128]:
    """Unit-magnitude QPSK symbols ``(profile.header_count,)``."""
    return _modulate(_pack(header), profile, _own_number(header.kind, header.sequence))


def decode_header(symbols: NDArray[np.complex128], profile: Profile, sequence: int = 0) -> FrameHeader | None:
    """Decodes header symbols ``(profile.header_count,)`` whose phase has been corrected; None if no check holds.

    The likeliest of the :data:`LIST_LENGTH` likeliest blocks that passes all checks is taken.

    The amplitude does not matter: gain and noise are the same for all of them, and the decoder compares sums only.

    Args:
        symbols: as received.
        profile: of the frame.
        sequence: 0..255, the number under which the frame came; one that builds on another has to have it.
    """
    headers = (_unpack(block, profile, sequence) for block in likeliest_blocks(symbols, _BLOCK_BITS))
    return next((header for header in headers if header is not None), None)


def likeliest_blocks(symbols: NDArray[np.complexfloating], length: int) -> Iterator[Bits]:
    """The :data:`LIST_LENGTH` likeliest blocks of ``length`` bits that QPSK symbols ``(n,)`` may carry, in order."""
    llrs = np.ascontiguousarray(symbols, np.complex128).view(np.float64)  # I and Q in turn
    return islice(convolutional.decode(rate_matching.unmatch(llrs, length)), LIST_LENGTH)


def _modulate(information: int, profile: Profile, own_number: int = 0) -> NDArray[np.complex128]:
    bits = to_bits(information, _HEADER_BITS)
    block = np.concatenate([bits, to_bits(crc16(bits) ^ profile.check_mask ^ own_number, CRC_BITS)])
    coded = rate_matching.match(convolutional.encode(block), 2 * profile.header_count)
    # QPSK of TS 36.211 section 7.1.2: even bits on I, odd ones on Q, a zero is positive.
    return ((1.0 - 2.0 * coded) / math.sqrt(2)).view(np.complex128)


def _pack(header: FrameHeader) -> int:
    design_step = header.design_snr_db - MIN_DESIGN_SNR_DB
    payload = header.codec_id << 2 | header.kind
    if header.kind is FrameKind.KEY:
        return ((payload << 8 | header.sequence) << 5 | design_step) << 2
    return ((payload << 6 | header.base) << 4 | header.base_snr_db) << 5 | design_step


def _own_number(kind: int, sequence: int) -> int:
    """What the check of a frame that builds on another adds of its own number."""
    return sequence << 8 | sequence if kind else 0


def _unpack(block: Bits, profile: Profile, sequence: int) -> FrameHeader | None:
    bits, check = block[:_HEADER_BITS], to_int(block[_HEADER_BITS:])
    information = to_int(bits)
    codec_id, kind = information >> 17, information >> 15 & 3
    if crc16(bits) ^ profile.check_mask ^ _own_number(kind, sequence) != check or kind > max(FrameKind):
        return None
    if kind != FrameKind.KEY:
        design_snr_db = (information & 0x1F) + MIN_DESIGN_SNR_DB
        base, base_snr_db = information >> 9 & 0x3F, information >> 5 & 0xF
        return FrameHeader(codec_id, FrameKind(kind), sequence, design_snr_db, base, base_snr_db)
    if information & 3:
        return None
    design_snr_db = (information >> 2 & 0x1F) + MIN_DESIGN_SNR_DB
    return FrameHeader(codec_id, FrameKind.KEY, information >> 7 & 0xFF, design_snr_db)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidInput(f"A frame header's {name} lies in {low}..{high}, and {value} does not.")
