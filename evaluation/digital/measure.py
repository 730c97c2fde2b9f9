"""Measures the LDPC decoder: ``python -m evaluation.digital.measure`` prints JSON.

Block error rates and milliseconds a block, beside Sionna's for the same code, the same channel values and as many
iterations (belief propagation; min-sum has no normalisation there), where ``sionna-no-rt`` is installed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.digital import qam
from evaluation.digital.crc24 import Bits
from evaluation.digital.ldpc import LdpcCode

Decoder = Literal["ours", "sionna"]
BatchDecoder = Callable[[NDArray[np.float32]], NDArray[np.uint8]]

#: Code and SNR in dB near a block error rate of a tenth: short, medium and long.
POINTS: Final = (
    (LdpcCode(2, 320, 960, 2), -0.6),
    (LdpcCode(1, 1320, 1980, 4), 9.0),
    (LdpcCode(1, 8448, 12672, 4), 8.8),
)
ITERATIONS: Final = 20
BATCH: Final = 50


def block_error_rate(code: LdpcCode, snr_db: float, blocks: int, seed: int, decoder: Decoder = "ours") -> float:
    """Part of ``blocks`` blocks, sent as QAM over AWGN, that come back wrong."""
    decode = batch_decoder(code, decoder)
    generator = np.random.default_rng(seed)
    wrong = 0
    for begin in range(0, blocks, BATCH):
        bits, llrs = draw(code, snr_db, min(BATCH, blocks - begin), generator)
        wrong += int((decode(llrs) != bits).any(1).sum())
    return wrong / blocks


def draw(code: LdpcCode, snr_db: float, count: int, generator: np.random.Generator) -> tuple[Bits, NDArray[np.float32]]:
    """Information bits ``(count, k)`` and the channel values ``(count, n)`` they lead to."""
    noise_power = 10 ** (-snr_db / 10)
    bits = generator.integers(0, 2, (count, code.information_bits), np.uint8)
    llrs = np.empty((count, code.sent_bits), np.float32)
    for row, values in zip(bits, llrs, strict=True):
        symbols = qam.modulate(code.encode(row), code.bits_per_symbol)
        noise = np.sqrt(noise_power / 2) * generator.normal(size=(symbols.size, 2)).view(np.complex128)[:, 0]
        values[:] = qam.demap(symbols + noise, noise_power, code.bits_per_symbol)
    return bits, llrs


def batch_decoder(code: LdpcCode, decoder: Decoder) -> BatchDecoder:
    """``(blocks, n)`` channel values -> ``(blocks, k)`` bits."""
    if decoder == "ours":
        return lambda llrs: np.stack([code.decode(row, ITERATIONS) for row in llrs])
    import torch
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    encoder = LDPC5GEncoder(
        code.information_bits,
        code.sent_bits,
        num_bits_per_symbol=code.bits_per_symbol if code.bits_per_symbol > 1 else None,
        bg=f"bg{code.graph_number}",
    )
    sionna = LDPC5GDecoder(encoder, num_iter=ITERATIONS)

    def decode(llrs: NDArray[np.float32]) -> NDArray[np.uint8]:
        decided: NDArray[np.uint8] = sionna(torch.from_numpy(-llrs)).numpy().astype(np.uint8)  # theirs: ln p(1)/p(0)
        return decided

    return decode


def milliseconds(decode: BatchDecoder, llrs: NDArray[np.float32], repeats: int = 3) -> float:
    """Least time a block over a few tries, in ms; the first call, which compiles, does not count."""
    decode(llrs[:1])
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        decode(llrs)
        times.append(time.perf_counter() - began)
    return 1e3 * min(times) / len(llrs)


def main() -> None:
    """Prints one row for each of `POINTS`."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.digital.measure", description=__doc__)
    parser.add_argument("--blocks", type=int, default=200, help="blocks per error rate")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    decoders: tuple[Decoder, ...] = ("ours", "sionna") if find_spec("sionna") else ("ours",)
    for code, snr_db in POINTS:
        _, llrs = draw(code, snr_db, 10, np.random.default_rng(args.seed))
        row: dict[str, object] = {
            "graph": code.graph_number,
            "information_bits": code.information_bits,
            "sent_bits": code.sent_bits,
            "bits_per_symbol": code.bits_per_symbol,
            "snr_db": snr_db,
            "blocks": args.blocks,
        }
        times = {}
        for name in decoders:
            row[f"block_error_rate_{name}"] = block_error_rate(code, snr_db, args.blocks, args.seed, name)
            times[name] = milliseconds(batch_decoder(code, name), llrs)
            row[f"ms_per_block_{name}"] = round(times[name], 3)
        if "sionna" in times:
            row["times_faster"] = round(times["sionna"] / times["ours"], 1)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
