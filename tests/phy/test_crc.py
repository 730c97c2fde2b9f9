from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.phy.crc import CRC_BITS, crc16, to_bits, to_int


def test_matches_the_published_check_value_of_this_polynomial() -> None:
    # CRC-16/XMODEM has the polynomial and the zero start of TS 36.212; its check value over "123456789" is 0x31C3.
    assert crc16(np.unpackbits(np.frombuffer(b"123456789", dtype=np.uint8))) == 0x31C3


@given(st.integers(0, 2**20 - 1))
def test_block_with_its_own_remainder_leaves_none(value: int) -> None:
    bits = to_bits(value, 20)
    assert crc16(np.concatenate([bits, to_bits(crc16(bits), CRC_BITS)])) == 0


@given(st.integers(0, 2**20 - 1), st.integers(0, 35), st.integers(1, 2**16 - 1))
def test_every_burst_of_sixteen_bits_is_found(value: int, start: int, burst: int) -> None:
    bits = to_bits(value, 20)
    block = np.concatenate([bits, to_bits(crc16(bits), CRC_BITS)])
    error = to_bits(burst << 36 >> start, 52)[:36]
    damaged = block ^ error
    assert (crc16(damaged[:20]) == to_int(damaged[20:])) == (not error.any())
