"""What every impairment keeps, whatever it does: purity, type and shape, mean power, bounds that are named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from channel_sim.chain import Chain
from channel_sim.config import checked_config
from channel_sim.impairments import IMPAIRMENTS, FrameImpairment, SampleImpairment
from shared.errors import InvalidInput
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at

SAMPLE_KINDS = sorted(kind for kind, cls in IMPAIRMENTS.items() if issubclass(cls, SampleImpairment))
FRAME_KINDS = sorted(kind for kind, cls in IMPAIRMENTS.items() if issubclass(cls, FrameImpairment))

# These add power by design.
ADDING = {"impulses", "tone"}


def sample_model(kind: str, **parameters: object) -> SampleImpairment:
    model = IMPAIRMENTS[kind].model_validate(parameters)
    assert isinstance(model, SampleImpairment)
    return model


def test_every_kind_acts_on_samples_or_on_frames() -> None:
    assert set(SAMPLE_KINDS) | set(FRAME_KINDS) == set(IMPAIRMENTS)


@pytest.mark.parametrize("count", [1, 2, 17, 400])
@pytest.mark.parametrize("kind", SAMPLE_KINDS)
def test_model_is_pure_keeps_type_and_shape_and_leaves_its_input_alone(kind: str, count: int) -> None:
    model, frame = sample_model(kind), unit_frame(count)
    before = frame.copy()
    once, again = model.apply(frame, at(3)), model.apply(frame, at(3))
    assert once.dtype == np.complex64
    assert once.shape == (count,)
    assert np.isfinite(once).all()
    assert np.array_equal(once, again)
    assert np.array_equal(frame, before)
    assert not np.shares_memory(once, frame)


@pytest.mark.parametrize("kind", SAMPLE_KINDS)
def test_silence_stays_finite(kind: str) -> None:
    assert np.isfinite(sample_model(kind).apply(np.zeros(50, np.complex64), at())).all()


@pytest.mark.parametrize("kind", sorted(set(SAMPLE_KINDS) - ADDING))
def test_mean_power_is_kept_over_the_ensemble(kind: str) -> None:
    model, frame = sample_model(kind), unit_frame(200)
    powers = [np.mean(np.abs(model.apply(frame, at(sequence))) ** 2) for sequence in range(1, 401)]
    # Fading's mean of 400 exponential powers has a standard deviation of 0.05.
    assert np.mean(powers) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("kind", FRAME_KINDS)
def test_fate_is_pure_and_differs_between_frames(kind: str) -> None:
    model = IMPAIRMENTS[kind].model_validate({"jitter_ms": 5.0} if kind == "delay" else {})
    assert isinstance(model, FrameImpairment)
    fates = [model.fate(at(sequence)) for sequence in range(1, 200)]
    assert fates == [model.fate(at(sequence)) for sequence in range(1, 200)]
    assert len(set(fates)) > 1


@pytest.mark.parametrize("kind", sorted(IMPAIRMENTS))
def test_value_outside_its_bounds_or_of_no_number_is_named(kind: str) -> None:
    for name, field in IMPAIRMENTS[kind].model_fields.items():
        bounds = [constraint for constraint in field.metadata if hasattr(constraint, "le")]
        if field.annotation not in (int, float):
            continue
        assert bounds, f"{kind}.{name} has no upper bound"
        for bad in (bounds[0].le * 2 + 1, float("nan"), "much"):
            with pytest.raises(InvalidInput, match=rf"{name} is"):
                checked_config({"impairments": [{"kind": kind, name: bad}]})


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence"),
    [
        ("taps", {"delays_us": [0.0], "powers_db": [0.0, 1.0]}, "1 delays_us and 2 powers_db"),
        ("taps", {"delays_us": [-1.0], "powers_db": [0.0]}, "delays_us are 0 to"),
        ("taps", {"delays_us": [0.0], "powers_db": [900.0]}, "powers_db are -200 to"),
        ("tdl", {"profile": "F"}, "'A', 'B', 'C', 'D' or 'E'"),
        ("gilbert_elliott", {"to_bad": 0.0, "to_good": 0.0}, "at least 0.001"),
    ],
)
def test_parameters_that_make_no_sense_together_get_a_sentence(
    kind: str, parameters: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        checked_config({"impairments": [{"kind": kind, **parameters}]})
    with pytest.raises(ValidationError):
        IMPAIRMENTS[kind].model_validate(parameters)


def test_two_of_one_kind_draw_different_numbers() -> None:
    config = checked_config({"snr_db": 100.0, "impairments": [{"kind": "rayleigh"}, {"kind": "rayleigh"}]})
    once = checked_config({"snr_db": 100.0, "impairments": [{"kind": "rayleigh"}]})
    gains = [each.chain().pass_through(np.ones(1, np.complex64), at()).samples[0] for each in (once, config)]
    assert abs(gains[1] - gains[0] ** 2) > 1e-3


@settings(max_examples=40, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(SAMPLE_KINDS), max_size=6, unique=True), shuffled=st.randoms(use_true_random=False)
)
def test_order_of_the_list_does_not_matter_between_stages(kinds: list[str], shuffled: object) -> None:
    models = [sample_model(kind) for kind in kinds]
    stages = [model.stage for model in models]
    models = [model for model in models if stages.count(model.stage) == 1]
    mixed = list(models)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    frame = unit_frame(60)
    one, other = (Chain(each).pass_through(frame, at(2)).samples for each in (models, mixed))
    assert np.array_equal(one, other)
