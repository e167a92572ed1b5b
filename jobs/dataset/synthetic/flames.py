"""Fires: tongues of flame that rise from a base, torn by turbulence, with glow and sparks."""

from dataclasses import dataclass

import numpy as np

from jobs.dataset.synthetic.canvas import (
    Canvas,
    Field,
    between,
    blend,
    grid,
    heated,
    light,
    noise,
    sharpen,
    soften,
    turbulence,
    warm_ramp,
)


@dataclass(frozen=True)
class Fire:
    """Where a fire stands: centre and base, width and height, as shares of the frame."""

    x: float
    base: float
    width: float
    height: float
    tongues: int


def camp_fire(random: np.random.Generator) -> Fire:
    """About as wide as high, standing on the ground."""
    height = between(random, 0.42, 0.85)
    width = height * between(random, 0.6, 1.1)
    x = between(random, 0.3, 0.7)
    return Fire(x, between(random, max(0.7, height), 0.98), width, height, int(random.integers(4, 9)))


def front(random: np.random.Generator) -> Fire:
    """A wide line of low flames, as in burning grass."""
    height = between(random, 0.32, 0.55)
    base = between(random, 0.6, 0.98)
    return Fire(between(random, 0.3, 0.7), base, between(random, 0.6, 1.2), height, int(random.integers(10, 18)))


def torch(random: np.random.Generator) -> Fire:
    """A narrow, high flame."""
    height = between(random, 0.45, 0.85)
    base = between(random, max(0.6, height), 0.98)
    return Fire(
        between(random, 0.25, 0.75), base, height * between(random, 0.45, 0.65), height, int(random.integers(3, 5))
    )


KINDS = (camp_fire, front, torch, camp_fire)
# A second, smaller fire beside the first, so that the number of fires is no clue.
SECOND_FIRE_SHARE = 0.25
SPARKS_SHARE = 0.6


def flames(random: np.random.Generator, shape: tuple[int, int], fire: Fire) -> Field:
    """Heat of one fire, 0 (none) to 1 (the core)."""
    rows, columns = grid(*shape)
    up = (np.float32(fire.base) - rows) / np.float32(fire.height)
    climb = np.clip(up, 0, 1)
    # Streaks are longer than wide, because the gas rises.
    sway = noise(random, shape, 5, 4) - np.float32(0.5)
    curl = noise(random, shape, 12, 14) - np.float32(0.5)
    shift = (sway * np.float32(0.55) + curl * np.float32(0.3)) * (np.float32(0.15) + climb) * np.float32(fire.height)
    lean = between(random, -0.25, 0.25) * fire.height
    across = columns + shift - np.float32(fire.x) - np.float32(lean) * climb * climb
    heat = np.zeros(shape, np.float32)
    for _ in range(fire.tongues):
        heat = np.maximum(heat, _tongue(random, across, up, fire))
    texture = turbulence(random, shape, 6, 18, 2)
    torn = heat * (np.float32(0.3) + np.float32(1.15) * texture) - np.float32(0.4) * climb * (np.float32(1) - texture)
    burning: Field = np.clip(torn, 0, 1)
    return burning


def _tongue(random: np.random.Generator, across: Field, up: Field, fire: Fire) -> Field:
    place = between(random, -1, 1)
    tallness = between(random, 0.45, 1.05) * (1 - 0.5 * abs(place)) if fire.tongues < 10 else between(random, 0.4, 1.0)  # noqa: PLR2004
    half = max(fire.width / fire.tongues, 0.13 * fire.height) * between(random, 0.7, 1.3)
    t = up / np.float32(tallness)
    tip = np.sqrt(np.clip(np.float32(1) - t, 0, 1))
    belly = np.float32(0.75) + np.float32(1.1) * np.clip(t, 0, 1) * tip
    foot = np.clip(np.float32(1) + t * np.float32(9), 0, 1)
    distance = np.abs(across - np.float32(place * fire.width * 0.42)) / (
        np.float32(half) * tip * belly + np.float32(1e-4)
    )
    core: Field = np.clip(np.float32(1.15) - distance, 0, 1) * foot
    heat: Field = core * (np.float32(1.1) - np.float32(0.45) * np.clip(t, 0, 1))
    return heat


def add_fire(random: np.random.Generator, canvas: Canvas) -> Canvas:
    """Set fire to a scene: one fire or two, their glow on everything around, and perhaps sparks."""
    shape = (canvas.shape[0], canvas.shape[1])
    fire = KINDS[int(random.integers(len(KINDS)))](random)
    heat = flames(random, shape, fire)
    if random.random() < SECOND_FIRE_SHARE:
        heat = np.maximum(heat, flames(random, shape, camp_fire(random)))
    ramp = warm_ramp(random)
    strength = between(random, 0.1, 0.9)
    canvas = light(canvas, soften(heat, 5), (strength, strength * 0.45, strength * 0.15))
    canvas = blend(
        canvas, sharpen(heat, between(random, 3.5, 6)), heated(ramp, heat * np.float32(between(random, 0.95, 1.35)))
    )
    if random.random() < SPARKS_SHARE:
        canvas = _sparks(random, canvas, fire)
    return canvas


def _sparks(random: np.random.Generator, canvas: Canvas, fire: Fire) -> Canvas:
    height, width = canvas.shape[:2]
    count = int(random.integers(4, 18))
    y = (np.float32(fire.base - fire.height) + random.uniform(-0.3, 0.5, count) * fire.height) * height
    x = (np.float32(fire.x) + random.uniform(-0.6, 0.6, count) * fire.width) * width
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    canvas[y[inside].astype(np.intp), x[inside].astype(np.intp)] = (1.0, 0.7, 0.3)
    return canvas
