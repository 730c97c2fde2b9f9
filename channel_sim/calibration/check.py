"""One measured number beside the one it should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Tolerances on random numbers are this many standard deviations: chance alone exceeds one in 16,000.
SIGMAS = 4.0


@dataclass(frozen=True)
class Check:
    """A measurement.

    Attributes:
        area: what is being calibrated, such as ``"snr"``.
        name: of the measurement.
        measured: value found.
        expected: value by theory or declaration.
        tolerance: largest difference that passes.
        unit: of all three.
    """

    area: str
    name: str
    measured: float
    expected: float
    tolerance: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the measurement is within the tolerance."""
        # numpy's own truth values, which measurements bring along, are no JSON.
        return bool(math.isfinite(self.measured) and abs(self.measured - self.expected) <= self.tolerance)

    def document(self) -> dict[str, object]:
        """For JSON; a measurement that is no number is null."""
        return {
            "area": self.area,
            "name": self.name,
            "measured": float(f"{self.measured:.6g}") if math.isfinite(self.measured) else None,
            "expected": float(f"{self.expected:.6g}"),
            "tolerance": float(f"{self.tolerance:.3g}"),
            "unit": self.unit,
            "passed": self.passed,
        }
