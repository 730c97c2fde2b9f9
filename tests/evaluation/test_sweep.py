import json
import math

from evaluation.sweep import SweepPoint, rounded


def test_a_point_where_every_frame_was_erased_is_still_json() -> None:
    point = SweepPoint("linear", -20.0, 64, 96, 4, 4, math.nan, -1.23456, 0.7, 0.0, -19.5)
    document = rounded(point)
    json.dumps(document, allow_nan=False)
    assert document["latent_nmse_db"] is None
    assert document["bound_nmse_db"] == -1.235
    assert document["erased"] == 4
