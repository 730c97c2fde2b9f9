from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from protos.link_pb2 import FRAME_KIND_DELTA, FRAME_KIND_KEY, FRAME_KIND_REFINEMENT, FRAME_KIND_SOUNDING
from shared.errors import InvalidInput, LinkLost
from shared.phy import PROFILES, SOUNDING, profile_for
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import latent_of
from tests.fakes.followup import CHANGE, PhaseFollowUps
from tests.fakes.link import FakeLink
from transmitter.courier import ASSUMED, Courier, Delivery
from transmitter.framing import Framer
from transmitter.symbols import SymbolBudget
from transmitter.workers import Workers

DEGREES = [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.fixture
def workers():
    with ThreadPoolExecutor(1) as executor:
        yield Workers(executor)


def courier_over(link: FakeLink, workers: Workers, max_tries: int = 4, fixed: int = 0, quality: float = 0.0) -> Courier:
    budget = SymbolBudget(512, fixed, quality)
    return Courier(link, Framer(PhaseCodec(), PhaseFollowUps()), budget, max_tries, workers)


async def send(courier: Courier, degrees: list[float] = DEGREES) -> Delivery:
    delivery = Delivery()
    await courier.sound(delivery)
    await courier.deliver(latent_of(degrees), delivery)
    return delivery


async def test_without_a_report_yet_the_channel_is_sounded_first_and_the_pilots_are_counted(workers):
    link = FakeLink(snr_db=12)
    courier = courier_over(link, workers)
    delivery = await send(courier)
    assert link.frames[0] == SOUNDING.overhead
    assert len(link.frames) == len(delivery.reports) == 2
    assert delivery.uses.k_total == sum(link.frames) <= 512
    assert delivery.uses.k_pilot > SOUNDING.overhead
    assert courier.outlook.snr_db == pytest.approx(12, abs=3)
    np.testing.assert_allclose(link.faces[0][1][0, :5], DEGREES, atol=0.2)


async def test_the_report_on_a_turn_drives_the_next_without_another_sounding(workers):
    link = FakeLink(snr_db=14)
    courier = courier_over(link, workers)
    await send(courier)
    link.snr_db = 2.0
    await send(courier)
    assert courier.outlook.snr_db == pytest.approx(2, abs=3)
    sent_before = len(link.frames)
    courier.begin(SymbolBudget(512))
    delivery = await send(courier)
    assert delivery.decoded is not None
    assert link.frames[sent_before:] == [512]
    assert link.frames.count(SOUNDING.overhead) == 1


async def test_a_worse_link_gets_a_more_robust_frame(workers):
    totals = {}
    for snr_db in (-4.0, 20.0):
        delivery = await send(courier_over(FakeLink(snr_db=snr_db), workers))
        totals[snr_db] = delivery.uses
    assert totals[-4.0].k_header > totals[20.0].k_header
    assert totals[-4.0].k_payload < totals[20.0].k_payload


async def test_on_a_link_that_fades_headers_are_made_for_worse_than_the_mean(workers):
    overheads = {}
    for name, gains_db in {"steady": [0.0] * 6, "fading": [-5.0, 5.0] * 3}.items():
        link = FakeLink(snr_db=8, seed=1)
        courier = courier_over(link, workers, fixed=100)
        for link.gain_db in gains_db:
            courier.begin(SymbolBudget(512, 100))
            await send(courier)
        overheads[name] = link.frames[-1] - 100
        assert courier.outlook.snr_db == pytest.approx(8, abs=1)
    assert overheads["fading"] > overheads["steady"]


async def test_an_erased_frame_is_sent_again_under_a_new_number_and_everything_is_counted(workers):
    link = FakeLink(fates=["pass", "erase", "lose", "pass"])
    delivery = await send(courier_over(link, workers))
    assert [report.sequence for report in delivery.reports] == [1, 2, 3, 4]
    assert delivery.decoded is not None
    assert delivery.decoded.sequence == 4
    assert delivery.erased == 2
    assert delivery.uses.k_total == sum(link.frames)


async def test_each_repeat_is_framed_more_robustly(workers):
    link = FakeLink(snr_db=14, fates=["pass", "lose", "lose", "lose", "lose"])
    delivery = await send(courier_over(link, workers, fixed=100))
    overheads = [length - 100 for length in link.frames[1:]]
    assert overheads == sorted(overheads)
    assert overheads[-1] > overheads[0]
    assert delivery.decoded is None


async def test_after_the_last_try_the_turn_is_given_up(workers):
    link = FakeLink(fates=["pass"] + ["erase"] * 9)
    delivery = await send(courier_over(link, workers, max_tries=3))
    assert delivery.decoded is None
    assert delivery.erased == 3
    assert len(link.frames) == 4


async def test_when_every_sounding_is_lost_a_bad_link_is_assumed(workers):
    link = FakeLink(fates=["lose", "lose"])
    courier = courier_over(link, workers, max_tries=2)
    assert await courier.sound(Delivery()) == ASSUMED.snr_db


async def test_an_erased_frame_can_lower_what_is_believed_of_the_link_and_not_raise_it(workers):
    link = FakeLink(snr_db=5, fates=["pass", "erase", "pass"])
    courier = courier_over(link, workers, max_tries=1)
    await courier.sound(Delivery())
    link.snr_db = 25
    before = courier.outlook.snr_db
    await courier.deliver(latent_of(DEGREES), Delivery())
    assert courier.outlook.snr_db == before
    link.snr_db = -8
    await courier.deliver(latent_of(DEGREES), Delivery())
    assert courier.outlook.snr_db < before


async def test_a_dead_link_is_an_error_of_its_own(workers):
    with pytest.raises(LinkLost):
        await send(courier_over(FakeLink(fates=["pass", "die"]), workers))


async def test_fixed_symbols_are_kept_whatever_the_link(workers):
    for snr_db in (-5.0, 20.0):
        link = FakeLink(snr_db=snr_db, fates=["pass"])
        assert (await send(courier_over(link, workers, fixed=200))).reports
        profiles = [profile for profile in PROFILES if link.frames[1] == profile.overhead + 200]
        assert len(profiles) == 1


def test_a_turn_with_its_sounding_stays_within_its_uses():
    budget = SymbolBudget(512)
    for snr_db in np.arange(-12, 30, 0.5):
        for spent in (0, SOUNDING.overhead):
            profile = profile_for(snr_db)
            assert 1 <= budget.payload(snr_db, profile, spent) + profile.overhead + spent <= 512


def test_uses_that_leave_no_payload_are_refused():
    with pytest.raises(InvalidInput, match="allow more"):
        SymbolBudget(128).payload(-5.0, profile_for(-5.0), 0)


NEXT = [2.0, 1.0, 2.0, 3.0, 0.0]
SOUNDING_KIND, KEY, DELTA, REFINEMENT = FRAME_KIND_SOUNDING, FRAME_KIND_KEY, FRAME_KIND_DELTA, FRAME_KIND_REFINEMENT


async def test_after_a_key_frame_only_the_change_is_sent_and_it_arrives(workers):
    link = FakeLink()
    courier = courier_over(link, workers)
    first = await send(courier)
    second = await send(courier, NEXT)
    assert (first.kinds, second.kinds) == ([SOUNDING_KIND, KEY], [DELTA])
    assert second.uses.k_total <= link.frames[1] / 5
    np.testing.assert_allclose(link.faces[-1][1][0, :5], NEXT, atol=0.4)


async def test_a_lost_change_is_told_anew_and_builds_on_what_was_decoded(workers):
    link = FakeLink(fates=["pass", "pass", "erase", "lose", "pass"])
    courier = courier_over(link, workers)
    await send(courier)
    delivery = await send(courier, NEXT)
    assert delivery.kinds == [DELTA] * 3
    np.testing.assert_allclose(link.faces[-1][1][0, :5], NEXT, atol=0.4)


async def test_a_receiver_that_does_not_hold_the_face_gets_it_whole(workers):
    link = FakeLink(fates=["pass", "pass", "forget", "pass"])
    courier = courier_over(link, workers)
    await send(courier)
    delivery = await send(courier, NEXT)
    assert delivery.kinds == [DELTA, KEY]
    assert delivery.reports[0].message
    np.testing.assert_allclose(link.faces[-1][1][0, :5], NEXT, atol=0.2)


async def test_the_last_try_is_a_whole_face(workers):
    link = FakeLink(fates=["pass", "pass", "erase", "erase", "pass"])
    courier = courier_over(link, workers, max_tries=3)
    await send(courier)
    assert (await send(courier, NEXT)).kinds == [DELTA, DELTA, KEY]


async def test_a_change_that_no_edit_makes_is_sent_as_a_whole_face(workers):
    courier = courier_over(FakeLink(), workers)
    await send(courier)
    delivery = Delivery()
    other = latent_of(DEGREES)
    other[3, 7] = 1.0
    await courier.deliver(other, delivery)
    assert delivery.kinds == [KEY]


async def test_a_new_face_begins_with_a_key_frame(workers):
    courier = courier_over(FakeLink(), workers)
    await send(courier)
    courier.begin(SymbolBudget(512))
    assert (await send(courier)).kinds == [KEY]


async def test_refinements_build_on_each_other(workers):
    link = FakeLink()
    courier = courier_over(link, workers)
    await send(courier)
    delivery = Delivery()
    await courier.refine(latent_of(DEGREES), delivery, 3)
    assert delivery.kinds == [REFINEMENT] * 3
    assert [sequence for sequence, _ in link.faces] == [2, 3, 4, 5]
    assert delivery.expected_nmse_db == pytest.approx(-9, abs=0.1)


async def test_an_erased_refinement_leaves_the_next_frame_to_build_on_the_one_before(workers):
    link = FakeLink(fates=["pass", "pass", "erase"])
    courier = courier_over(link, workers)
    await send(courier)
    delivery = Delivery()
    await courier.refine(latent_of(DEGREES), delivery, 2)
    assert delivery.erased == 1
    assert delivery.decoded is not None
    assert (await send(courier, NEXT)).kinds == [DELTA]


async def test_refining_a_face_that_was_never_sent_sends_it(workers):
    delivery = Delivery()
    await courier_over(FakeLink(), workers).refine(latent_of(DEGREES), delivery, 2)
    assert delivery.kinds == [SOUNDING_KIND, KEY, REFINEMENT]


async def test_a_link_that_comes_back_is_opened_again_and_gets_one_key_frame(workers):
    link = FakeLink(fates=["pass", "pass", "die", "pass"], reopenings=1)
    courier = courier_over(link, workers)
    await send(courier)
    delivery = await send(courier, NEXT)
    assert delivery.kinds == [DELTA, KEY]
    assert (delivery.erased, delivery.decoded.sequence) == (1, 1)
    assert delivery.uses.k_total == sum(link.frames[2:])
    assert (await send(courier)).kinds == [DELTA]


async def test_a_link_that_dies_twice_in_a_turn_is_an_error(workers):
    link = FakeLink(fates=["pass", "pass", "die", "die"], reopenings=5)
    courier = courier_over(link, workers)
    await send(courier)
    with pytest.raises(LinkLost):
        await send(courier, NEXT)
    assert (await send(courier, NEXT)).kinds == [KEY]


async def test_a_link_that_is_lost_after_a_refinement_was_decoded_only_ends_the_refining(workers):
    link = FakeLink(fates=["pass", "pass", "pass", "die"])
    courier = courier_over(link, workers)
    await send(courier)
    delivery = Delivery()
    await courier.refine(latent_of(DEGREES), delivery, 4)
    assert delivery.cut_short
    assert delivery.kinds == [REFINEMENT] * 2
    assert (len(delivery.reports), delivery.erased, delivery.decoded.sequence) == (2, 1, 3)
    assert delivery.uses.k_total == sum(link.frames[2:])


async def test_a_link_that_is_lost_before_any_refinement_was_decoded_is_an_error(workers):
    courier = courier_over(FakeLink(fates=["pass", "pass", "erase", "die"]), workers)
    await send(courier)
    with pytest.raises(LinkLost):
        await courier.refine(latent_of(DEGREES), Delivery(), 4)


async def test_fixed_symbols_too_few_for_a_change_make_a_key_frame(workers):
    courier = courier_over(FakeLink(), workers, fixed=CHANGE - 1)
    await send(courier)
    assert (await send(courier, NEXT)).kinds == [KEY]


async def test_a_receiver_that_does_not_say_what_it_measured_gets_a_whole_face_next(workers):
    link = FakeLink(fates=["pass", "mum"])
    courier = courier_over(link, workers)
    assert (await send(courier)).decoded is not None
    assert (await send(courier, NEXT)).kinds == [KEY]


async def bring(courier: Courier, frames: int) -> Delivery:
    """A turn that may take ``frames`` refinements to be good enough."""
    delivery = await send(courier)
    await courier.refine(latent_of(DEGREES), delivery, frames, until_enough=True)
    return delivery


# The fakes know 0.75 of a face after a key frame, 0.5 after one in a fade, and half of the rest after each refinement.
@pytest.mark.parametrize(("quality", "refinements"), [(0.0, 5), (0.7, 0), (0.89, 1), (0.94, 2), (0.9999, 5)])
async def test_refinements_end_when_the_quality_asked_for_has_arrived(workers, quality, refinements):
    delivery = await bring(courier_over(FakeLink(), workers, quality=quality), 5)
    assert delivery.kinds == [SOUNDING_KIND, KEY, *[REFINEMENT] * refinements]
    assert delivery.quality == pytest.approx(1 - 0.25 / 2**refinements)


async def test_a_face_that_arrived_in_a_fade_is_refined_until_it_is_as_good_as_was_asked(workers):
    link = FakeLink(snr_db=12)
    courier = courier_over(link, workers, quality=0.7)
    await courier.sound(Delivery())
    link.gain_db = -8
    delivery = Delivery()
    await courier.deliver(latent_of(DEGREES), delivery)
    assert delivery.quality == 0.5
    await courier.refine(latent_of(DEGREES), delivery, 5, until_enough=True)
    assert delivery.kinds == [KEY, REFINEMENT]
    assert delivery.quality == 0.75


async def test_who_asks_for_a_sharper_face_gets_one_although_it_was_good_enough(workers):
    link = FakeLink()
    courier = courier_over(link, workers, quality=0.7)
    await bring(courier, 5)
    delivery = Delivery()
    await courier.refine(latent_of(DEGREES), delivery, 1)
    assert delivery.kinds == [REFINEMENT]
    assert link.frames[-1] > 400


async def test_a_frame_is_no_longer_than_the_quality_takes(workers):
    uses = {}
    for quality in (0.0, 0.7, 0.9):
        link = FakeLink()
        await bring(courier_over(link, workers, quality=quality), 0)
        uses[quality] = link.frames[-1]
    assert uses[0.7] < 60 < uses[0.9] == uses[0.0]


def test_the_fewest_symbols_are_taken_that_promise_a_quality():
    def promise(k: int) -> float:
        return 1 - 10 / k

    assert SymbolBudget(512).enough(400, 16, promise) == 400
    assert SymbolBudget(512, fixed=200, quality=0.5).enough(200, 16, promise) == 200
    for quality in (0.2, 0.5, 0.9):
        k = SymbolBudget(512, quality=quality).enough(400, 16, promise)
        assert promise(k) >= quality > promise(int(k / 1.26))
    assert SymbolBudget(512, quality=0.2).enough(400, 16, promise) == 16
    assert SymbolBudget(512, quality=0.99).enough(400, 16, promise) == 400
    assert SymbolBudget(512, quality=0.9).enough(10, 16, promise) == 10
