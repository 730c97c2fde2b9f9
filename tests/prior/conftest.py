"""The pulled prior, once per test session."""

import pytest

from shared.prior.mobile_stylegan import MobileStyleGan, default_prior_path


@pytest.fixture(scope="session")
def prior() -> MobileStyleGan:
    if not default_prior_path().is_file():
        pytest.skip("the face prior has not been pulled (deepsc models pull)")
    return MobileStyleGan.load()
