"""Edits as the receiver gets them, judged by a network that no loop of the link looks at.

Run: ``python -m evaluation.edits [--samples N] [--photos N --data DIR] [--snr-db X] [--out DIR] [--json]``.

Every face is asked for a change of each attribute up and down, edited, sent over the channel, rendered and judged by
`evaluation.judge.DegreeJudge`. What is kept is measured against the unedited face, rendered without a channel.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from channel_sim.randomness import FrameContext
from evaluation.link import Air, deliver
from shared.attribute_predictor import AttributePredictor, degrees_of
from shared.attributes import Edit, attribute_names, targets
from shared.codec.codec import Latent, SemanticCodec
from shared.errors import InvalidInput
from shared.phy import profile_for
from shared.pictures import SYNTHETIC_EDITED, Picture, encode_png
from transmitter.editor import LatentEditor
from transmitter.symbols import MAX_USES, SymbolBudget

SIDE = 256
"""Side in pixels at which faces are drawn and judged."""
THUMBNAIL = 128
"""Side in pixels of a face on a contact sheet."""
WITHIN = 1.0
"""Degrees off the target that count as met."""
LEAST_CHANGE = 1.0
"""An edit that its face leaves less room than this for is not asked: there would be nothing to see."""

Way = Literal["up", "down"]
WAYS: tuple[Way, ...] = ("up", "down")


@dataclass(frozen=True)
class Parts:
    """What the trials need.

    Attributes:
        render: latent ``(16, 512)`` to picture ``(256, 256, 3)``.
        predictor: the link's own reader of degrees; targets start from what it says.
        editor: makes the edit.
        codec: known to both ends.
        judge: says what came out.
        identity: cosine between the persons of two pictures.
    """

    render: Callable[[Latent], Picture]
    predictor: AttributePredictor
    editor: LatentEditor
    codec: SemanticCodec
    judge: AttributePredictor
    identity: Callable[[Picture, Picture], float]


@dataclass(frozen=True)
class Link:
    """The channel of all trials.

    Attributes:
        snr_db: Es/N0, AWGN; the transmitter knows it, as after a report.
        k_payload: payload symbols of each frame.
        seed: of the noise.
    """

    snr_db: float
    k_payload: int
    seed: int


@dataclass(frozen=True)
class Trial:
    """One edit of one face, or with ``attribute`` None the same face sent as it is.

    Attributes:
        face: its number.
        attribute: what was to change.
        way: up or down.
        target: the degree asked for.
        erased: whether the frame was lost; a lost edit is not met, and its identity counts as 0.
        received: the judge's degree of the attribute in what arrived.
        moved: how far that is from the unedited face's, in the wished direction.
        drift: mean distance in degrees of all other attributes from the unedited face's.
        identity_cosine: of what arrived and the unedited face.
        picture: what arrived; None if nothing did.
    """

    face: int
    attribute: str | None
    way: Way | None
    target: float
    erased: bool
    received: float
    moved: float
    drift: float
    identity_cosine: float
    picture: Picture | None

    @property
    def met(self) -> bool:
        """Whether the judge sees the target degree, within one."""
        return not self.erased and abs(self.received - self.target) <= WITHIN


def trials_of(face: int, w_plus: Latent, parts: Parts, link: Link, change: int = 2) -> Iterator[Trial]:
    """The face sent as it is, then every edit of it that it has room for.

    Args:
        face: its number; keys the noise together with the trial.
        w_plus: its latent ``(16, 512)``.
        parts: the blocks.
        link: the channel.
        change: size of the asked change in degrees.
    """
    unedited = parts.render(w_plus)
    now = degrees_of(parts.predictor, unedited)
    before = parts.judge.degrees(unedited[None])[0]
    names = attribute_names()

    def sent(latent: Latent, trial: int) -> Picture | None:
        frame = FrameContext(seed=link.seed, stream_id=f"edit-{face}-{trial}", sequence=1)
        arrived = deliver(latent, parts.codec, link.k_payload, Air.of(link.snr_db, "none", frame)).w_plus
        return None if arrived is None else parts.render(arrived)

    def judged(picture: Picture | None, at: int | None, way: Way | None, target: float) -> Trial:
        name = None if at is None else names[at]
        if picture is None:
            return Trial(face, name, way, target, True, float("nan"), float("nan"), float("nan"), 0.0, None)
        after = parts.judge.degrees(picture[None])[0]
        off = np.abs(after - before)
        others = off if at is None else np.delete(off, at)
        received = float("nan") if at is None else float(after[at])
        moved = float("nan") if at is None else float(after[at] - before[at]) * (1 if way == "up" else -1)
        cosine = parts.identity(picture, unedited)
        return Trial(face, name, way, target, False, received, moved, float(others.mean()), cosine, picture)

    yield judged(sent(w_plus, 0), None, None, float("nan"))
    for at, name in enumerate(names):
        for number, way in enumerate(WAYS):
            signed = change if way == "up" else -change
            wanted = targets((Edit(attribute=name, change=signed),), now)
            if abs(wanted[name] - now[name]) < LEAST_CHANGE:
                continue
            edited = parts.editor.edit(w_plus, wanted, snr_db=link.snr_db).w_plus
            yield judged(sent(edited, 1 + 2 * at + number), at, way, wanted[name])


@dataclass(frozen=True)
class Row:
    """Means over some trials.

    Attributes:
        edit: "smiling up", "all edits" or "no edit".
        trials: how many.
        erased: how many of them were lost.
        target_met: share within one degree of the target; NaN where nothing was edited.
        moved: mean change in the wished direction, in degrees.
        drift: mean distance of the other attributes from the unedited face, in degrees.
        identity_cosine: mean, lost ones as 0.
    """

    edit: str
    trials: int
    erased: int
    target_met: float
    moved: float
    drift: float
    identity_cosine: float


def summary(trials: Sequence[Trial]) -> list[Row]:
    """A row for each attribute and way, one for all edits, and one for the faces that were sent as they are."""
    edits = [trial for trial in trials if trial.attribute is not None]
    groups = {
        f"{name} {way}": [trial for trial in edits if (trial.attribute, trial.way) == (name, way)]
        for name in attribute_names()
        for way in WAYS
    }
    groups |= {"all edits": edits, "no edit": [trial for trial in trials if trial.attribute is None]}
    return [_row(edit, group) for edit, group in groups.items() if group]


def _row(edit: str, group: Sequence[Trial]) -> Row:
    arrived = [trial for trial in group if not trial.erased]

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else float("nan")

    edited = group[0].attribute is not None
    return Row(
        edit=edit,
        trials=len(group),
        erased=len(group) - len(arrived),
        target_met=mean([float(trial.met) for trial in group]) if edited else float("nan"),
        moved=mean([trial.moved for trial in arrived]) if edited else float("nan"),
        drift=mean([trial.drift for trial in arrived]),
        identity_cosine=mean([trial.identity_cosine for trial in group]),
    )


def contact_sheet(trials: Sequence[Trial]) -> Picture:
    """A row per face: as it is, then each attribute up and down; grey where nothing was asked or nothing arrived."""
    columns: list[tuple[str | None, Way | None]] = [(None, None)]
    columns += [(name, way) for name in attribute_names() for way in WAYS]
    faces = sorted({trial.face for trial in trials})
    sheet = np.full((len(faces) * THUMBNAIL, len(columns) * THUMBNAIL, 3), 225, np.uint8)
    step = SIDE // THUMBNAIL
    for trial in trials:
        if trial.picture is not None:
            top = faces.index(trial.face) * THUMBNAIL
            left = columns.index((trial.attribute, trial.way)) * THUMBNAIL
            blocks = trial.picture.reshape(THUMBNAIL, step, THUMBNAIL, step, 3)
            sheet[top : top + THUMBNAIL, left : left + THUMBNAIL] = blocks.mean((1, 3)).astype(np.uint8)
    return sheet


def load_real_parts(budget: SymbolBudget | None) -> Parts:
    """The product's blocks and the judge.

    Args:
        budget: of the frames that edits are matched through; ``None`` matches before the channel.

    Raises:
        WeightsMissing: if a model is not there.
    """
    import torch

    from evaluation.judge import DegreeJudge
    from shared.codec.catalogue import load_codec
    from shared.perceptual.face_metrics import FaceMetrics
    from shared.prior.mobile_stylegan import MobileStyleGan
    from shared.tensors import to_pictures
    from transmitter.models import load_editor, load_predictor
    from transmitter.onlooker import Onlooker
    from transmitter.receptions import Receptions

    prior, codec = MobileStyleGan.load(), load_codec()

    def render(w_plus: Latent) -> Picture:
        with torch.inference_mode():
            image = prior.synthesis(torch.from_numpy(np.ascontiguousarray(w_plus))[None], SIDE)
        picture: Picture = to_pictures(image)[0]
        return picture

    predictor = load_predictor()
    editor = load_editor(prior, Receptions(codec, budget) if budget else None, Onlooker.of(prior, predictor))
    judge, metrics = DegreeJudge.load(), FaceMetrics()
    return Parts(render, predictor, editor, codec, judge, metrics.identity_cosine)


def sampled(count: int, seed: int) -> list[Latent]:
    """Latents of faces that the prior draws."""
    from evaluation.sweep import sample_latents
    from shared.prior.mobile_stylegan import MobileStyleGan

    return list(sample_latents(MobileStyleGan.load(), count, seed)) if count else []


def main() -> None:
    """Entry point of ``python -m evaluation.edits``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4, help="faces drawn from the prior")
    parser.add_argument(
        "--photos", type=Path, help="inversions of photos (N, 16, 512), .npy (training.inversions), or a latent.npz"
    )
    parser.add_argument("--before-channel", action="store_true", help="match degrees without regard to the channel")
    parser.add_argument("--snr-db", type=float, default=6.0)
    parser.add_argument("--symbols", type=int, default=0, help="payload symbols; 0 as the transmitter chooses")
    parser.add_argument("--change", type=int, default=2, help="degrees asked for, up and down")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for edits.json and the contact sheet edits.png")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    from evaluation.sweep import read_latents

    try:
        photos = [] if options.photos is None else list(read_latents(options.photos))
    except InvalidInput as error:
        parser.error(error.message)
    budget = SymbolBudget(MAX_USES, fixed=options.symbols)
    k_payload = budget.payload(options.snr_db, profile_for(options.snr_db), 0)
    link = Link(options.snr_db, k_payload, options.seed)
    parts = load_real_parts(None if options.before_channel else budget)
    latents = sampled(options.samples, options.seed)
    latents += photos
    trials = [
        trial for at, w_plus in enumerate(latents) for trial in trials_of(at, w_plus, parts, link, options.change)
    ]
    rows = [{name: _figure(value) for name, value in vars(row).items()} for row in summary(trials)]
    document = {"samples": options.samples, "photos": len(photos), **vars(link), "rows": rows}
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "edits.json").write_text(json.dumps(document, indent=1) + "\n")
        (options.out / "edits.png").write_bytes(encode_png(contact_sheet(trials), SYNTHETIC_EDITED))
    if options.json:
        print(json.dumps(document))
        return
    print("  ".join(f"{name:>15}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{'-' if value is None else value:>15}" for value in row.values()))


def _figure(value: object) -> object:
    """As JSON takes it: three decimals, null for what was not measured."""
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else round(value, 3)


if __name__ == "__main__":
    main()
