"""A conversation of many turns over the link, without processes: what each turn costs and how well it arrives.

Run: ``python -m evaluation.conversation [--json] [--faces N] [--latents FILE] [--snr-db X] [--fading F] WHAT``.

``turns`` holds a ten-turn conversation with every face; ``refine`` sends every face once and refines it frame by frame;
``quality`` sends every face until it has the ``--quality`` asked for, in four frames at most. The frames are made,
passed through the channel model and read by the very functions that the services run.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from channel_sim.randomness import FrameContext
from evaluation.link import Air, Fading
from evaluation.sweep import SIDE, read_latents, sample_latents
from receiver.frames import DecodedFrame, StreamFace, read_frame
from shared.attributes import Edit
from shared.codec.catalogue import load_codec, load_follow_ups
from shared.codec.codec import Latent
from shared.codec.followup import agreed_snr_db
from shared.errors import InvalidInput
from shared.perceptual.face_metrics import FaceMetrics
from shared.prior.backend import InferenceBackend, make_backend
from shared.prior.mobile_stylegan import MobileStyleGan
from transmitter.editor import LatentEditor
from transmitter.framing import Conditions, Framer, Known, Parcel
from transmitter.history import History, Moment
from transmitter.models import load_editor
from transmitter.options import QUALITY_FRAMES
from transmitter.resolve import resolve
from transmitter.symbols import MAX_USES, SymbolBudget
from transmitter.text.parser import ParsedInstruction, Reference

#: The conversation: one edit a turn, and the eighth turn goes back to the original.
TURNS: tuple[Edit | None, ...] = (
    Edit(attribute="smiling", change=2),
    Edit(attribute="eyeglasses", target=3),
    Edit(attribute="age", change=1),
    Edit(attribute="bangs", change=2),
    Edit(attribute="smiling", change=-1),
    Edit(attribute="eyeglasses", target=0),
    Edit(attribute="age", change=-2),
    None,
    Edit(attribute="beard", change=2),
    Edit(attribute="smiling", change=1),
)


_RESET = ParsedInstruction(instruction="", understood=False, message="", reference=Reference(kind="reset"))


@dataclass(frozen=True)
class TurnResult:
    """One frame of one face.

    Attributes:
        kind: ``key``, ``delta`` or ``refinement``.
        k_total: channel uses, pilots and header included.
        decoded: whether it was.
        quality: how much of what is seen of the face the sender takes to be known, 0..1.
        lpips: the receiver's face against the intended one at 256 px.
        identity_cosine: the same, SFace.
    """

    kind: str
    k_total: int
    decoded: bool
    quality: float
    lpips: float
    identity_cosine: float


class Link:
    """One stream through a channel that is known to the sender; nothing is repeated."""

    def __init__(
        self,
        snr_db: float,
        stream_id: str,
        render: Callable[[Latent], NDArray[np.uint8]],
        fading: Fading = "none",
        quality: float = 0.0,
    ) -> None:
        self._codec = load_codec()
        self._follow_ups = load_follow_ups(self._codec)
        self._framer = Framer(self._codec, self._follow_ups)
        self._budget = SymbolBudget(MAX_USES, quality=quality)
        self._snr_db, self._fading, self._stream_id, self._render = snr_db, fading, stream_id, render
        self._metrics = FaceMetrics()
        self._sequence = 0
        self._known: Known | None = None
        self._held: StreamFace | None = None

    def show(self, w_plus: Latent) -> TurnResult:
        """Brings a face: as a change where that can be."""
        air, at = self._next()
        delta = None if self._known is None else self._framer.delta(w_plus, self._known, self._budget, at)
        return self._send(delta or self._framer.key(w_plus, self._budget, at), w_plus, air)

    def refine(self, w_plus: Latent) -> TurnResult:
        """Tells more about a face, and brings it where it has not arrived."""
        if self._known is None:
            return self.show(w_plus)
        air, at = self._next()
        return self._send(self._framer.better(self._known, self._budget, at), self._known.shown, air)

    def bring(self, w_plus: Latent) -> TurnResult:
        """Brings a face and refines it until it is good enough: all of that as one."""
        result = self.show(w_plus)
        for _ in range(QUALITY_FRAMES - 1):
            if self._budget.satisfied_by(result.quality):
                break
            further = self.refine(w_plus)
            result = replace(further, k_total=result.k_total + further.k_total)
        return result

    def _next(self) -> tuple[Air, Conditions]:
        self._sequence += 1
        frame = FrameContext(seed=0, stream_id=self._stream_id, sequence=self._sequence)
        air = Air.of(self._snr_db, self._fading, frame)
        return air, Conditions(air.link.payload_snr_db, air.link.profile, self._sequence)

    def _send(self, parcel: Parcel, intended: Latent, air: Air) -> TurnResult:
        arrived = air.chain.pass_through(parcel.frame.samples, air.frame).samples
        received = read_frame(arrived, self._sequence, self._codec, self._follow_ups, self._held)
        if isinstance(received, DecodedFrame):
            met_snr_db = agreed_snr_db(received.estimate.snr_db_instantaneous)
            self._known, self._held = self._framer.decoded(parcel, met_snr_db), received.face
        meant = self._render(intended)
        shown = np.full_like(meant, 128) if self._held is None else self._render(self._held.held.w_plus)
        return TurnResult(
            kind=parcel.header.kind.name.lower(),
            k_total=parcel.frame.uses.k_total,
            decoded=isinstance(received, DecodedFrame),
            quality=0.0 if self._known is None else self._known.quality,
            lpips=self._metrics.lpips(shown, meant),
            identity_cosine=self._metrics.identity_cosine(shown, meant),
        )


def hold(link: Link, editor: LatentEditor, w_plus: Latent, edits: Sequence[Edit | None] = TURNS) -> list[TurnResult]:
    """One face's conversation: each turn edits the face before, ``None`` goes back to the first."""
    history = History(Moment(w_plus, editor.edit(w_plus, {}, snr_db=None).degrees_after), len(edits))
    results = []
    for edit in edits:
        intent = resolve(_RESET if edit is None else _asking_for(edit), history)
        now = intent.start
        if intent.targets:
            outcome = editor.edit(now.w_plus, intent.targets, history.due(now), snr_db=None)
            now = intent.result(outcome.w_plus, outcome.degrees_after)
        history.arrive(intent.move, now)
        results.append(link.show(now.w_plus))
    return results


def _asking_for(edit: Edit) -> ParsedInstruction:
    return ParsedInstruction(instruction="", understood=True, edits=(edit,), message="")


def means(results: Sequence[Sequence[TurnResult]]) -> list[dict[str, object]]:
    """One row per turn, over the faces."""
    return [
        {
            "turn": number,
            "kinds": sorted({result.kind for result in turn}),
            "k_total": round(statistics.mean(result.k_total for result in turn), 1),
            "erased": sum(not result.decoded for result in turn),
            "quality": round(statistics.mean(result.quality for result in turn), 3),
            "lpips": round(statistics.mean(result.lpips for result in turn), 4),
            "identity_cosine": round(statistics.mean(result.identity_cosine for result in turn), 3),
        }
        for number, turn in enumerate(zip(*results, strict=True), 1)
    ]


def main() -> None:
    """Prints one row per turn or frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["turns", "refine", "quality"])
    parser.add_argument("--faces", type=int, default=6)
    parser.add_argument(
        "--latents", type=Path, help="faces (N, 16, 512) as .npy, or a latent.npz, instead of drawn ones"
    )
    parser.add_argument("--frames", type=int, default=4, help="refinements after the key frame")
    parser.add_argument("--quality", type=float, default=0.0, help="that is enough; 0 takes what a turn may have")
    parser.add_argument("--snr-db", type=float, default=6.0)
    parser.add_argument("--fading", choices=["none", "rayleigh"], default="none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        named = None if options.latents is None else read_latents(options.latents, options.faces)
    except InvalidInput as error:
        parser.error(error.message)
    prior = MobileStyleGan.load()
    backend = make_backend(prior=prior)
    editor = load_editor(prior)
    results = []
    faces = sample_latents(prior, options.faces, seed=5) if named is None else named
    for index, w_plus in enumerate(faces):
        link = Link(options.snr_db, f"conversation-{index}", _renderer(backend), options.fading, options.quality)
        if options.what == "turns":
            results.append(hold(link, editor, w_plus))
        elif options.what == "quality":
            results.append([link.bring(w_plus)])
        else:
            results.append([link.show(w_plus), *(link.refine(w_plus) for _ in range(options.frames))])
    rows = means(results)
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))


def _renderer(backend: InferenceBackend) -> Callable[[Latent], NDArray[np.uint8]]:
    return lambda w_plus: backend.render(w_plus[None], SIDE)[0]


if __name__ == "__main__":
    main()
