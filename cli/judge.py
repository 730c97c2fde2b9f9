"""The two numbers by which a received face is compared with the intended one."""

from __future__ import annotations

from cli.report import Judge


def load_judge() -> Judge:
    """LPIPS and identity cosine of two pictures ``(S, S, 3)``; the networks are loaded when first asked.

    Raises:
        WeightsMissing: when asked, if they were not pulled.
    """
    from evaluation.metrics import load_metrics

    return load_metrics()
