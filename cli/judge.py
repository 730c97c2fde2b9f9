"""The two numbers by which a received face is compared with the intended one."""

from __future__ import annotations

from cli.report import Judge
from shared.pictures import Picture


def load_judge() -> Judge:
    """LPIPS and identity cosine of two pictures ``(S, S, 3)``; the networks are loaded when first asked.

    What is returned raises ``WeightsMissing`` if they were not pulled.
    """
    from shared.perceptual.face_metrics import FaceMetrics

    metrics = FaceMetrics()

    def judge(received: Picture, intended: Picture) -> tuple[float, float]:
        return metrics.lpips(received, intended), metrics.identity_cosine(received, intended)

    return judge
