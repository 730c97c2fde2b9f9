"""The digital link: check, code, modulation, and what is left when the noise is too strong."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("numba")

from evaluation.digital import qam
from evaluation.digital.base_graph import GraphNumber, lifted_graph, lifting_sizes
from evaluation.digital.crc24 import CODE_BLOCK, TRANSPORT, attach, crc24, passes
from evaluation.digital.ldpc import LdpcCode, graph_for
from evaluation.digital.measure import block_error_rate
from evaluation.digital.transport import SCHEMES, Scheme, TransportBlock
from shared.errors import InvalidInput


def noise(generator: np.random.Generator, count: int, snr_db: float) -> NDArray[np.complex128]:
    scale = np.sqrt(10 ** (-snr_db / 10) / 2)
    return scale * generator.normal(size=(count, 2)).view(np.complex128)[:, 0]


@pytest.mark.parametrize("polynomial", [TRANSPORT, CODE_BLOCK])
def test_check_is_the_polynomial_division_of_the_standard(polynomial: int) -> None:
    bits = np.random.default_rng(1).integers(0, 2, 101, np.uint8)
    dividend = int("".join(map(str, bits)), 2) << 24
    divisor = 1 << 24 | polynomial
    for place in reversed(range(24, 101 + 24)):
        if dividend >> place & 1:
            dividend ^= divisor << (place - 24)
    assert crc24(bits, polynomial).tolist() == [int(bit) for bit in f"{dividend:024b}"]


def test_check_refuses_any_flipped_bit() -> None:
    block = attach(np.random.default_rng(2).integers(0, 2, 60, np.uint8))
    assert passes(block)
    for place in range(block.size):
        block[place] ^= 1
        assert not passes(block)
        block[place] ^= 1


def test_lifting_sizes_are_those_of_table_5_3_2_1() -> None:
    sizes = lifting_sizes()
    assert len(sizes) == 51
    assert (min(sizes), max(sizes)) == (2, 384)
    assert sizes[208] == 6


@pytest.mark.parametrize(("number", "edges", "columns"), [(1, 316, 68), (2, 197, 52)])
def test_base_graphs_have_the_size_of_the_standard(number: GraphNumber, edges: int, columns: int) -> None:
    graph = lifted_graph(number, 384)
    assert (len(graph.column), graph.columns, graph.rows) == (edges, columns, columns - graph.information_columns)


@pytest.mark.parametrize(("bits", "rate", "graph"), [(292, 0.9, 2), (3824, 0.67, 2), (3825, 0.67, 1), (9000, 0.25, 2)])
def test_graph_is_chosen_as_section_7_2_2_says(bits: int, rate: float, graph: int) -> None:
    assert graph_for(bits, rate) == graph


@pytest.mark.parametrize(
    ("number", "lifting"),  # blocks of graph 2 below 641 bits use fewer columns, and with them another lifting size
    [(1, size) for size in lifting_sizes()] + [(2, size) for size in lifting_sizes() if 10 * size > 640],
)
def test_code_words_meet_every_check_of_the_graph(number: GraphNumber, lifting: int) -> None:
    used = 22 if number == 1 else 10
    bits = used * lifting
    code = LdpcCode(number, bits, (66 if number == 1 else 50) * lifting)
    data = np.random.default_rng(lifting).integers(0, 2, bits, np.uint8)
    graph = code.graph
    assert graph.lifting == lifting
    word = np.concatenate([data[: 2 * lifting], code.encode(data)]).reshape(graph.columns, lifting)
    for row in range(graph.rows):
        checks = [np.roll(word[column], -shift) for column, shift in graph.edges(row)]
        assert not np.bitwise_xor.reduce(checks).any()


def test_a_block_larger_than_its_graph_is_refused() -> None:
    with pytest.raises(InvalidInput, match="8448"):
        LdpcCode(1, 8449, 20_000)
    with pytest.raises(InvalidInput, match="cannot be sent"):
        LdpcCode(2, 100, 99)


@pytest.mark.parametrize("bits_per_symbol", [2, 4, 6])
def test_neighbouring_amplitudes_differ_in_one_bit_and_power_is_one(bits_per_symbol: int) -> None:
    labels = np.argsort(qam.levels(bits_per_symbol // 2))
    assert all(bin(a ^ b).count("1") == 1 for a, b in itertools.pairwise(labels))
    every = np.array([[n >> p & 1 for p in reversed(range(bits_per_symbol))] for n in range(1 << bits_per_symbol)])
    assert np.mean(np.abs(qam.modulate(every.astype(np.uint8).reshape(-1), bits_per_symbol)) ** 2) == pytest.approx(1)


def test_sixteen_qam_labels_are_those_of_ts_38_211() -> None:
    symbols = qam.modulate(np.array([0, 0, 0, 0, 1, 0, 1, 1], np.uint8), 4) * np.sqrt(10)
    assert symbols == pytest.approx([1 + 1j, -3 + 3j])


@pytest.mark.parametrize("bits_per_symbol", [2, 4, 6])
def test_demapper_reads_back_what_was_modulated(bits_per_symbol: int) -> None:
    bits = np.random.default_rng(3).integers(0, 2, 60 * bits_per_symbol, np.uint8)
    llrs = qam.demap(qam.modulate(bits, bits_per_symbol), 0.1, bits_per_symbol)
    assert ((llrs < 0) == bits).all()


def test_qpsk_ratio_is_the_exact_one() -> None:
    llr = qam.demap(np.array([0.3 - 0.2j]), 0.5, 2)
    assert llr == pytest.approx(np.array([4 * 0.3, -4 * 0.2]) / np.sqrt(2) / 0.5)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("symbols", [300, 2000, 8192])
def test_bytes_come_back_through_little_noise(scheme: Scheme, symbols: int) -> None:
    block = TransportBlock(symbols, scheme)
    generator = np.random.default_rng(symbols)
    data = generator.bytes(block.capacity)
    sent = block.encode(data)
    assert sent.shape == (symbols,)
    shannon_db = 10 * np.log10(2**scheme.efficiency - 1)
    snr_db = shannon_db + 5
    assert block.decode(sent + noise(generator, symbols, snr_db), 10 ** (-snr_db / 10)) == data


def test_fewer_bytes_come_back_without_what_fills_up_and_more_are_refused() -> None:
    block = TransportBlock(400, Scheme(2, 0.5))
    for data in (b"", b"face", b"\0\0", bytes(block.capacity)):
        assert block.decode(block.encode(data), 0.01) == data
    with pytest.raises(InvalidInput, match="do not fit"):
        block.encode(bytes(block.capacity + 1))


def test_too_few_symbols_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no byte"):
        TransportBlock(20, Scheme(2, 0.5))


@pytest.mark.parametrize("symbols", [400, 9000])
def test_noise_beyond_the_code_is_noticed(symbols: int) -> None:
    block = TransportBlock(symbols, Scheme(4, 0.64))
    generator = np.random.default_rng(4)
    sent = block.encode(generator.bytes(block.capacity))
    assert block.decode(sent + noise(generator, symbols, 2.0), 10**-0.2) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [LdpcCode(2, 100, 300, 2), LdpcCode(2, 640, 1280, 2), LdpcCode(1, 4000, 6000, 4), LdpcCode(1, 8448, 9600, 6)],
)
def test_code_words_are_sionnas(code: LdpcCode) -> None:
    pytest.importorskip("sionna")
    import torch
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    bits = np.random.default_rng(5).integers(0, 2, code.information_bits, np.uint8)
    graph = f"bg{code.graph_number}"
    encoder = LDPC5GEncoder(code.information_bits, code.sent_bits, num_bits_per_symbol=code.bits_per_symbol, bg=graph)
    assert np.array_equal(encoder(torch.from_numpy(bits[None]).float()).numpy()[0], code.encode(bits))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "snr_db"),
    [(LdpcCode(2, 320, 960, 2), -0.6), (LdpcCode(1, 1320, 1980, 4), 9.0), (LdpcCode(2, 640, 1280, 2), 1.3)],
    ids=str,
)
def test_block_error_rate_agrees_with_sionnas(code: LdpcCode, snr_db: float) -> None:
    pytest.importorskip("sionna")
    ours = block_error_rate(code, snr_db, blocks=600, seed=1)
    theirs = block_error_rate(code, snr_db, blocks=600, seed=1, decoder="sionna")
    deviation = np.sqrt((ours * (1 - ours) + theirs * (1 - theirs)) / 600)
    assert 0.01 < ours < 0.6, "the operating point must tell something"
    # Sum-product against normalised min-sum, flooding against layers: alike, within a factor and the confidence limits.
    assert ours <= 1.5 * theirs + 3 * deviation
    assert ours >= 0.5 * theirs - 3 * deviation
