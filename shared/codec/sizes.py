"""How much of a payload the learned part of the joint codec works on."""

from typing import Final

COEFFICIENTS: Final = 320
"""Coefficients that the networks see, the most important first; the others are coded linearly."""

SLOTS: Final = 400
"""Real dimensions of the payload that they use, two a symbol; the others are coded linearly."""
