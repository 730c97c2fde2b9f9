"""Train the text encoder: MiniLM's low-rank update and the heads, on sentences from our own grammar.

One command, seeded: ``python -m training.text.train``. Writes ``weights/text.safetensors`` (float16). No sentence of
the evaluation's sets is ever trained on, however short.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from evaluation.text import SETS, cases
from shared.attributes import attribute_names
from shared.home import deepsc_home
from training.text.grammar import HELD_OUT_GRAMMAR, TRAINING_GRAMMAR, Grammar
from training.text.noise import roughen
from transmitter.text.encoder import LowRankLinear, Scores, TextEncoder, TextHeads, adapted_layers, load_minilm
from transmitter.text.labels import ACTIONS, KINDS, Labelled
from transmitter.text.tokens import TokenReader, load_reader

IGNORED = -100


@dataclass(frozen=True)
class Config:
    """Everything that decides the result.

    Attributes:
        steps: optimiser steps, each on sentences that were never seen before.
        batch: sentences per step.
        learning_rate: the highest, after the warm-up.
        seed: of the sentences and of the weights.
        start: weights of an earlier round to go on from; None begins anew.
        bfloat16: whether the frozen layers work in it: a third of the time where the processor multiplies in it (AMX),
            ten times as long where it does not.
    """

    steps: int = 3600
    batch: int = 32
    learning_rate: float = 1e-3
    seed: int = 5
    start: Path | None = None
    bfloat16: bool = False


class Batch:
    """Sentences as tensors: ids and mask ``(B, T)``, and the classes the heads should give.

    A class is `IGNORED` where a head has nothing to learn from the sentence.
    """

    def __init__(self, sentences: list[Labelled], reader: TokenReader, device: torch.device) -> None:
        ids, mask = reader.read([sentence.text for sentence in sentences])
        names = attribute_names()
        action, amount, target = [], [], []
        for sentence in sentences:
            wishes = [sentence.wishes.get(name) for name in names]
            out = sentence.kind == "out"
            action.append([ACTIONS.index(wish.action) if wish else 0 for wish in wishes])
            amount.append([wish.amount - 1 if wish and wish.amount and not out else IGNORED for wish in wishes])
            target.append([wish.target if wish and wish.target is not None else IGNORED for wish in wishes])
        self.ids, self.mask = ids.to(device), mask.to(device)
        self.action = torch.tensor(action, device=device)
        self.amount = torch.tensor(amount, device=device)
        self.target = torch.tensor(target, device=device)
        self.kind = torch.tensor([KINDS.index(sentence.kind) for sentence in sentences], device=device)
        self.foreign = torch.tensor([float(sentence.foreign) for sentence in sentences], device=device)
        reference = [sentence.amount - 1 if sentence.amount else IGNORED for sentence in sentences]
        self.reference_amount = torch.tensor(reference, device=device)


def loss_of(scores: Scores, batch: Batch) -> Tensor:
    """The sum of the heads' cross-entropies; a scalar."""

    def classes(logits: Tensor, wanted: Tensor, smoothing: float = 0.0) -> Tensor:
        logits, wanted = logits.flatten(0, -2), wanted.flatten()
        if bool((wanted == IGNORED).all()):
            return logits.sum() * 0.0
        return cross_entropy(logits, wanted, ignore_index=IGNORED, label_smoothing=smoothing)

    return (
        3.0 * classes(scores.action, batch.action)
        + 0.5 * classes(scores.amount, batch.amount, 0.05)
        + classes(scores.target, batch.target)
        + classes(scores.kind, batch.kind)
        + 0.5 * binary_cross_entropy_with_logits(scores.foreign, batch.foreign)
        + 0.3 * classes(scores.reference_amount, batch.reference_amount)
    )


def letters(text: str) -> str:
    """The text without capitals and punctuation: two sentences that differ in those alone are one sentence."""
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()


def evaluation_sentences() -> frozenset[str]:
    """Every sentence that the encoder is judged or developed by, as `letters`."""
    return frozenset(letters(case.say) for name in SETS for case in cases(name))


def sentences(grammar: Grammar, random: Random, count: int, apart: frozenset[str]) -> list[Labelled]:
    """So many sentences, roughened, none of them in ``apart``."""
    drawn: list[Labelled] = []
    while len(drawn) < count:
        one = grammar.sample(random)
        rough = replace(one, text=roughen(one.text, random))
        if letters(one.text) not in apart and letters(rough.text) not in apart:
            drawn.append(rough)
    return drawn


def batches(grammar: Grammar, config: Config, random: Random) -> Iterator[list[Labelled]]:
    """Endless batches of new sentences; each holds sentences of similar length, so that it pads little."""
    apart = evaluation_sentences()
    while True:
        pool = sorted(sentences(grammar, random, 16 * config.batch, apart), key=lambda one: len(one.text))
        groups = [pool[at : at + config.batch] for at in range(0, len(pool), config.batch)]
        random.shuffle(groups)
        yield from groups


def scored(encoder: nn.Module, batch: Batch, config: Config) -> Scores:
    """The encoder's logits in float32, whatever it works in."""
    with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=config.bfloat16):
        scores: Scores = encoder(batch.ids, batch.mask)
    return Scores(*(logits.float() for logits in scores))


@torch.inference_mode()
def exact(encoder: nn.Module, held_out: list[Batch], config: Config) -> dict[str, float]:
    """Shares of the held-out sentences with every attribute's action right, every target right, and the kind right."""
    right = {"actions": 0.0, "targets": 0.0, "kind": 0.0}
    count = targets = 0
    for batch in held_out:
        scores = scored(encoder, batch, config)
        right["actions"] += float((scores.action.argmax(-1) == batch.action).all(-1).sum())
        right["kind"] += float((scores.kind.argmax(-1) == batch.kind).sum())
        told = batch.target != IGNORED
        right["targets"] += float(((scores.target.argmax(-1) == batch.target) & told).sum())
        targets += int(told.sum())
        count += len(batch.ids)
    return {"actions": right["actions"] / count, "targets": right["targets"] / targets, "kind": right["kind"] / count}


def train(config: Config, minilm: Path, out: Path) -> dict[str, float]:
    """Train; every 250 steps print a line and write the weights; returns the held-out scores."""
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    reader = load_reader(minilm)
    language_model = load_minilm(minilm)
    if config.bfloat16:
        language_model = language_model.bfloat16()
    adapters: dict[str, LowRankLinear] = {}
    for name, owner, leaf in adapted_layers(language_model):
        adapters[name] = LowRankLinear(owner.get_submodule(leaf))  # type: ignore[arg-type]
        setattr(owner, leaf, adapters[name])
    encoder = TextEncoder(language_model, TextHeads()).to(device)
    if config.start is not None:
        restore(encoder, adapters, config.start)
    trained = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=config.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.08, anneal_strategy="cos"
    )
    held_out_grammar, random = Grammar(HELD_OUT_GRAMMAR), Random(config.seed + 1)
    held_out = [Batch([held_out_grammar.sample(random) for _ in range(64)], reader, device) for _ in range(4)]
    source = batches(Grammar(TRAINING_GRAMMAR), config, Random(config.seed))
    started = time.perf_counter()
    running = 0.0
    for step in range(1, config.steps + 1):
        batch = Batch(next(source), reader, device)
        encoder.train()
        loss = loss_of(scored(encoder, batch, config), batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        schedule.step()
        running = 0.95 * running + 0.05 * loss.item()
        if step % 250 == 0 or step == config.steps:
            encoder.eval()
            scores = exact(encoder, held_out, config)
            told = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
            seconds = time.perf_counter() - started
            print(f"step {step}  loss {running:.3f}  held out: {told}  {seconds:.0f} s", flush=True)
            save(encoder, adapters, out)
    return scores


def save(encoder: TextEncoder, adapters: dict[str, LowRankLinear], out: Path) -> None:
    """Write the trained numbers, and only those, as float16."""
    state = {f"heads.{name}": tensor for name, tensor in encoder.heads.state_dict().items()}
    for name, adapter in adapters.items():
        state |= {f"{name}.up": adapter.up.detach(), f"{name}.down": adapter.down.detach()}
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.half().cpu().contiguous() for name, tensor in state.items()}, out)


def restore(encoder: TextEncoder, adapters: dict[str, LowRankLinear], start: Path) -> None:
    """Fill the trained numbers from a file that `save` wrote."""
    state = {name: tensor.float() for name, tensor in load_file(start).items()}
    encoder.heads.load_state_dict({name: state[f"heads.{name}"] for name in encoder.heads.state_dict()})
    with torch.no_grad():
        for name, adapter in adapters.items():
            adapter.up.copy_(state[f"{name}.up"])
            adapter.down.copy_(state[f"{name}.down"])


def main() -> None:
    """Entry point of ``python -m training.text.train``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=Config.batch)
    parser.add_argument("--steps", type=int, default=Config.steps)
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--learning-rate", type=float, default=Config.learning_rate)
    parser.add_argument("--start", type=Path, help="weights of an earlier round to go on from")
    parser.add_argument("--bfloat16", action="store_true", help="quicker where the processor has AMX")
    parser.add_argument("--minilm", type=Path, default=deepsc_home() / "minilm")
    parser.add_argument("--out", type=Path, default=Path("weights/text.safetensors"))
    options = parser.parse_args()
    config = Config(options.steps, options.batch, options.learning_rate, options.seed, options.start, options.bfloat16)
    train(config, options.minilm, options.out)


if __name__ == "__main__":
    main()
