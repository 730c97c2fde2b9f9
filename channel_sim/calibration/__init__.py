"""The instrument measured: does each model do what it declares? Run by ``deepsc bench channel``."""

from channel_sim.calibration.check import Check
from channel_sim.calibration.suite import calibrate

__all__ = ["Check", "calibrate"]
