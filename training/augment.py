"""Augmentations that make photos differ in the ways photos do; all on tensors in [-1, 1], all seeded."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def uniform(generator: torch.Generator, batch: int, low: float, high: float) -> Tensor:
    """``(batch,)`` values in [low, high)."""
    return torch.rand(batch, generator=generator) * (high - low) + low


def jitter_framing(images: Tensor, generator: torch.Generator, *, flip: bool, amount: float = 1.0) -> Tensor:
    """Moves, scales, turns and (perhaps) mirrors each image a little: ``(B, 3, S, S) -> (B, 3, S, S)``."""
    batch = images.shape[0]
    angle = uniform(generator, batch, -0.10, 0.10) * amount
    scale = torch.exp(uniform(generator, batch, -0.08, 0.08) * amount)
    shift = (torch.rand(batch, 2, generator=generator) - 0.5) * 0.12 * amount
    mirror = torch.where(torch.rand(batch, generator=generator) < 0.5, -1.0, 1.0) if flip else torch.ones(batch)
    theta = torch.empty(batch, 2, 3)
    theta[:, 0, 0] = scale * torch.cos(angle) * mirror
    theta[:, 0, 1] = -scale * torch.sin(angle)
    theta[:, 1, 0] = scale * torch.sin(angle) * mirror
    theta[:, 1, 1] = scale * torch.cos(angle)
    theta[:, :, 2] = shift
    grid = functional.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def jitter_colour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation, colour cast and gamma-like bends, and now and then black and white."""
    batch, device = images.shape[0], images.device

    def draw(low: float, high: float) -> Tensor:
        return uniform(generator, batch, low, high).view(-1, 1, 1, 1).to(device)

    grey = images.mean(1, keepdim=True)
    saturation = torch.where(draw(0, 1) < 0.08, torch.zeros_like(draw(0, 1)), draw(0.6, 1.3))
    images = grey + (images - grey) * saturation
    cast = ((torch.rand(batch, 3, generator=generator) - 0.5) * 0.16).view(-1, 3, 1, 1).to(device)
    return (images * draw(0.75, 1.2) + draw(-0.2, 0.2) + cast).clamp(-1, 1)


def soften(images: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the batches pass through a smaller size, as enlarged or compressed photos have, and get sensor noise."""
    if float(torch.rand(1, generator=generator)) < 0.5:
        side = images.shape[-1]
        small = int(side * float(uniform(generator, 1, 0.45, 0.9)))
        images = functional.interpolate(images, (small, small), mode="bilinear", antialias=True)
        images = functional.interpolate(images, (side, side), mode="bicubic")
    amount = float(uniform(generator, 1, 0.0, 0.05))
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    return (images + amount * noise).clamp(-1, 1)


def occlude(images: Tensor, generator: torch.Generator, probability: float = 0.15) -> Tensor:
    """Covers a random rectangle of some images with one grey or colour."""
    side = images.shape[-1]
    for image in images:
        if float(torch.rand(1, generator=generator)) >= probability:
            continue
        height, width = (int(side * float(uniform(generator, 1, 0.12, 0.35))) for _ in range(2))
        top = math.floor(float(torch.rand(1, generator=generator)) * (side - height))
        left = math.floor(float(torch.rand(1, generator=generator)) * (side - width))
        colour = uniform(generator, 3, -1, 1).to(images.device)
        image[:, top : top + height, left : left + width] = colour[:, None, None]
    return images


def augment_photo(images: Tensor, generator: torch.Generator) -> Tensor:
    """For networks that read attributes: framing with mirroring, colour, softness."""
    return soften(jitter_colour(jitter_framing(images, generator, flip=True), generator), generator)


def augment_sample(images: Tensor, generator: torch.Generator) -> Tensor:
    """For networks that invert samples as if they were photos: the latent stays true, so nothing is mirrored."""
    framed = jitter_framing(images, generator, flip=False, amount=0.4)
    return occlude(soften(jitter_tone(framed, generator), generator), generator)


def jitter_tone(images: Tensor, generator: torch.Generator) -> Tensor:
    """A little brightness and contrast, within what a latent can leave unsaid."""
    batch, device = images.shape[0], images.device
    gain = uniform(generator, batch, 0.9, 1.1).view(-1, 1, 1, 1).to(device)
    lift = uniform(generator, batch, -0.08, 0.08).view(-1, 1, 1, 1).to(device)
    return (images * gain + lift).clamp(-1, 1)
