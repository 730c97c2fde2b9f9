from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.prior.backend import InferenceBackend, OpenVinoBackend, TorchBackend, make_backend
from shared.prior.face_prior import broadcast_w
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures

Latents = NDArray[np.float32]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openvino")
    (folder / "render-128-of-other-weights").mkdir()
    return folder


@pytest.fixture(scope="module")
def served(prior: MobileStyleGan, cache: Path) -> OpenVinoBackend:
    return OpenVinoBackend(prior, cache)


@pytest.fixture(scope="module")
def latents(prior: MobileStyleGan) -> Latents:
    """Two latents whose sixteen styles all differ."""
    generator = torch.Generator().manual_seed(11)
    w = prior.mapping(torch.randn(2, 512, generator=generator))
    return (broadcast_w(w) + 0.1 * torch.randn(2, 16, 512, generator=generator)).numpy()


@pytest.mark.parametrize("resolution", [128, 1024])
def test_openvino_draws_what_torch_draws(
    prior: MobileStyleGan, served: OpenVinoBackend, latents: Latents, resolution: int
) -> None:
    reference: InferenceBackend = TorchBackend(prior)
    expected = reference.render(latents, resolution).astype(int)
    drawn = served.render(latents, resolution)
    assert drawn.shape == (2, resolution, resolution, 3)
    assert drawn.dtype == np.uint8
    difference = np.abs(drawn - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-2


def test_pictures_are_the_synthesis_in_eight_bits(prior: MobileStyleGan, latents: Latents) -> None:
    expected = to_pictures(prior.synthesis(torch.from_numpy(latents[:1]), 128)).astype(int)
    difference = np.abs(TorchBackend(prior).render(latents[:1], 128) - expected)
    assert difference.max() <= 1  # the two round (x + 1) / 2 in a different order: a value on the border may differ
    assert difference.mean() < 1e-3


def test_same_latent_gives_the_same_bytes_whatever_the_batch_the_thread_and_the_instance(
    prior: MobileStyleGan, served: OpenVinoBackend, cache: Path, latents: Latents
) -> None:
    together = served.render(latents, 128)
    other = OpenVinoBackend(prior, cache, threads=1)
    with ThreadPoolExecutor(2) as pool:
        alone = list(pool.map(lambda item: served.render(item[None], 128)[0], latents))
    assert np.array_equal(together, np.stack(alone))
    assert np.array_equal(together, other.render(latents, 128))


def test_the_torch_backend_repeats_itself(prior: MobileStyleGan, latents: Latents) -> None:
    backend = TorchBackend(prior)
    assert np.array_equal(backend.render(latents, 128)[:1], backend.render(latents[:1], 128))


def test_translated_graphs_are_kept_alone_and_read_again(
    prior: MobileStyleGan, served: OpenVinoBackend, cache: Path, latents: Latents, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = served.render(latents, 128)
    (kept,) = cache.glob("render-128-*")
    assert (kept / "graph.xml").is_file()
    monkeypatch.setattr(torch.jit, "trace", lambda *_, **__: pytest.fail("translated again"))
    assert np.array_equal(OpenVinoBackend(prior, cache).render(latents, 128), expected)


def test_a_cache_that_cannot_be_written_does_not_stop_the_service(
    prior: MobileStyleGan, served: OpenVinoBackend, latents: Latents, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.touch()
    assert np.array_equal(OpenVinoBackend(prior, blocked).render(latents, 128), served.render(latents, 128))


@pytest.mark.parametrize("kind", ["openvino", "torch"])
def test_bad_latents_and_resolutions_are_refused(prior: MobileStyleGan, served: OpenVinoBackend, kind: str) -> None:
    backend: InferenceBackend = served if kind == "openvino" else TorchBackend(prior)
    good = np.zeros((1, 16, 512), np.float32)
    not_finite = good.copy()
    not_finite[0, 3, 5] = np.nan
    wrong: list[NDArray[Any]] = [good[0], good[:, :15], good.astype(np.float64)]
    for bad in wrong:
        with pytest.raises(ValueError, match="w_plus must be float32"):
            backend.render(bad, 128)
    for bad in (not_finite, good[:0]):
        with pytest.raises(ValueError, match="only finite values"):
            backend.render(bad, 128)
    with pytest.raises(ValueError, match="cannot render at 300 px"):
        backend.render(good, 300)


def test_backends_are_made_by_name(prior: MobileStyleGan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert isinstance(make_backend("auto", prior), OpenVinoBackend)
    assert isinstance(make_backend("torch", prior), TorchBackend)
    with pytest.raises(ValueError, match="unknown backend 'cuda'"):
        make_backend("cuda", prior)  # type: ignore[arg-type]
