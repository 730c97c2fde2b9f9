"""How much of a payload the learned part of the joint codec works on, and in which order it sees it."""

from typing import Final

COEFFICIENTS: Final = 256
"""Coefficients that the networks see, the most important first; the others are coded linearly."""

FOLDS: Final = (128, 128, 128)
"""Most coefficients that may be told again by a fold, by level; the most important first."""

SLOTS: Final = COEFFICIENTS + 2 * sum(FOLDS)
"""Real dimensions as the networks see them: one a coefficient, then two a fold, level by level. Frames leave out what
their plan does not use."""
