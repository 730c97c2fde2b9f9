"""The two numbers by which a received face is compared with the intended one."""

from __future__ import annotations

from cli.report import Judge


def load_judge() -> Judge:
    """LPIPS and identity cosine of two pictures ``(S, S, 3)``.

    Raises:
        WeightsMissing: if the networks were not pulled.
    """
    from shared.perceptual.likeness import Likeness

    return Likeness.load()
