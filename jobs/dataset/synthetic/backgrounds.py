"""The places where fires and look-alikes stand; both classes use all of them alike."""

from collections.abc import Callable

import numpy as np

from jobs.dataset.synthetic.canvas import (
    Canvas,
    Colour,
    Point,
    between,
    blend,
    box,
    ellipse,
    grid,
    light,
    noise,
    polygons,
    shade,
    turbulence,
    vertical,
)

Shape = tuple[int, int]
Outline = tuple[Point, ...]


def ridge(random: np.random.Generator, level: float, height: float, knots: int = 7) -> list[Point]:
    """Outline of a hilly horizon down to the lower edge of the frame."""
    tops = [(k / (knots - 1), level - height * between(random, 0, 1)) for k in range(knots)]
    return [(0.0, 1.0), *tops, (1.0, 1.0)]


def _textured(random: np.random.Generator, canvas: Canvas, strength: float, rows: int, columns: int) -> Canvas:
    field = turbulence(random, canvas.shape[:2], rows, columns)
    return canvas * (np.float32(1 - strength / 2) + np.float32(strength) * field)[..., None]


def night(random: np.random.Generator, shape: Shape) -> Canvas:
    """Dark sky with stars over hills."""
    canvas = vertical(shape, (0.01, 0.02, 0.06), (0.06, 0.07, 0.14))
    stars = random.random(shape, np.float32) > np.float32(0.996)
    canvas[stars] = between(random, 0.4, 0.9)
    hills = polygons(shape, [ridge(random, between(random, 0.6, 0.85), 0.2)])
    return _textured(random, blend(canvas, hills, (0.02, 0.03, 0.03)), 0.5, 6, 6)


def forest(random: np.random.Generator, shape: Shape) -> Canvas:
    """Trunks in front of leaves, by day or at dusk."""
    day = between(random, 0.3, 1.0)
    canvas = vertical(shape, shade((0.22, 0.36, 0.16), day), shade((0.20, 0.22, 0.10), day))
    canvas = _textured(random, canvas, 1.0, 10, 10)
    trunks = []
    for _ in range(int(random.integers(3, 9))):
        x, half = between(random, 0, 1), between(random, 0.01, 0.035)
        trunks.append([(x - half, 1.0), (x - half / 2, 0.0), (x + half / 2, 0.0), (x + half, 1.0)])
    canvas = blend(canvas, polygons(shape, trunks), shade((0.18, 0.13, 0.09), day))
    floor = polygons(shape, [ridge(random, between(random, 0.75, 0.92), 0.06)])
    return blend(canvas, floor, _textured(random, vertical(shape, *_pair((0.30, 0.22, 0.12), day)), 0.9, 12, 16))


def city(random: np.random.Generator, shape: Shape) -> Canvas:
    """House fronts with windows, some of them lit, and a street."""
    day = between(random, 0.15, 1.0)
    canvas = vertical(shape, shade((0.45, 0.58, 0.75), day), shade((0.75, 0.78, 0.80), day))
    left = -0.05
    while left < 1:
        right, top = left + between(random, 0.15, 0.35), between(random, 0.1, 0.5)
        wall = shade((between(random, 0.4, 0.7), between(random, 0.35, 0.55), between(random, 0.3, 0.5)), day)
        canvas = blend(canvas, polygons(shape, [box(left, top, right, 1)]), wall)
        columns, rows = int(random.integers(2, 5)), int(random.integers(3, 7))
        dark: list[Outline] = []
        lit: list[Outline] = []
        for index in range(columns * rows):
            x = left + (right - left) * (index % columns + 0.25) / columns
            y = top + (0.9 - top) * (index // columns + 0.25) / rows
            window = box(x, y, x + (right - left) * 0.5 / columns, y + (0.9 - top) * 0.5 / rows)
            (lit if random.random() < 0.25 else dark).append(window)  # noqa: PLR2004
        canvas = blend(canvas, polygons(shape, dark), shade((0.16, 0.18, 0.22), day))
        canvas = blend(canvas, polygons(shape, lit), (0.95, 0.78, 0.42) if day < 0.6 else (0.6, 0.66, 0.7))  # noqa: PLR2004
        left = right
    street = polygons(shape, [box(0, between(random, 0.82, 0.92), 1, 1)])
    return _textured(random, blend(canvas, street, shade((0.28, 0.28, 0.29), day)), 0.3, 8, 8)


def room(random: np.random.Generator, shape: Shape) -> Canvas:
    """A wall, a floor and a piece of furniture, lit from one side."""
    lamp = between(random, 0.3, 1.0)
    wall: Colour = (between(random, 0.55, 0.85), between(random, 0.5, 0.75), between(random, 0.4, 0.7))
    canvas = vertical(shape, *_pair(wall, lamp))
    level = between(random, 0.68, 0.85)
    boards = _textured(random, vertical(shape, *_pair((0.45, 0.28, 0.16), lamp)), 0.6, 16, 3)
    canvas = blend(canvas, polygons(shape, [box(0, level, 1, 1)]), boards)
    x, y = between(random, 0, 0.7), between(random, 0.25, 0.5)
    colour: Colour = (between(random, 0.15, 0.6), between(random, 0.12, 0.4), between(random, 0.1, 0.4))
    canvas = blend(
        canvas, polygons(shape, [box(x, y, x + between(random, 0.2, 0.4), level + 0.06)]), shade(colour, lamp)
    )
    x, y = between(random, 0, 0.75), between(random, 0.05, 0.25)
    canvas = blend(canvas, polygons(shape, [box(x, y, x + 0.2, y + 0.22)]), shade((0.5, 0.55, 0.6), lamp))
    return light(canvas, noise(random, shape, 2, 2), shade((0.5, 0.4, 0.25), lamp * 0.5))


def meadow(random: np.random.Generator, shape: Shape) -> Canvas:
    """Grass, green or dry, under a cloudy sky."""
    day = between(random, 0.35, 1.0)
    canvas = vertical(shape, shade((0.35, 0.55, 0.85), day), shade((0.78, 0.84, 0.90), day))
    clouds = np.clip(turbulence(random, shape, 4, 3) * np.float32(2.4) - np.float32(1.0), 0, 1)
    canvas = blend(canvas, clouds, shade((0.92, 0.92, 0.93), day))
    grass: Colour = (between(random, 0.22, 0.6), between(random, 0.38, 0.5), 0.14)
    blades = _textured(random, vertical(shape, *_pair(grass, day)), 0.9, 10, 40)
    return blend(canvas, polygons(shape, [ridge(random, between(random, 0.5, 0.75), 0.08)]), blades)


def dusk(random: np.random.Generator, shape: Shape) -> Canvas:
    """A reddish evening sky over dark ground: warm colours without anything burning."""
    glow = between(random, 0.4, 1.0)
    canvas = vertical(shape, shade((0.22, 0.16, 0.34), glow), shade((0.98, 0.55, 0.25), glow))
    streaks = np.clip(turbulence(random, shape, 8, 2) * np.float32(2) - np.float32(0.9), 0, 1)
    canvas = blend(canvas, streaks, shade((0.85, 0.35, 0.22), glow))
    ground = polygons(shape, [ridge(random, between(random, 0.65, 0.85), 0.1)])
    return blend(
        canvas, ground, _textured(random, vertical(shape, (0.12, 0.08, 0.07), (0.05, 0.04, 0.04)), 0.8, 10, 10)
    )


def paving(random: np.random.Generator, shape: Shape) -> Canvas:
    """Ground seen from above: asphalt, sand or soil."""
    tone = between(random, 0.2, 0.7)
    colour: Colour = (tone, tone * between(random, 0.8, 1.0), tone * between(random, 0.6, 1.0))
    canvas = _textured(random, vertical(shape, *_pair(colour, 1.0)), 0.5, 5, 5)
    return _textured(random, canvas, 0.4, shape[0] // 2, shape[1] // 2)


def _pair(colour: Colour, day: float) -> tuple[Colour, Colour]:
    return shade(colour, day), shade(colour, day * 0.7)


BACKGROUNDS: tuple[Callable[[np.random.Generator, Shape], Canvas], ...] = (
    night,
    forest,
    city,
    room,
    meadow,
    dusk,
    paving,
)


def background(random: np.random.Generator, shape: Shape) -> Canvas:
    """Any one of the places."""
    return BACKGROUNDS[int(random.integers(len(BACKGROUNDS)))](random, shape)


def haze(random: np.random.Generator, canvas: Canvas) -> Canvas:
    """Smoke, fog or steam drifting through: grey, patchy; no sign of a fire by itself."""
    shape = canvas.shape[:2]
    rows, _ = grid(*shape)
    tone = between(random, 0.15, 0.75)
    patches = np.clip(turbulence(random, shape, 3, 3) * np.float32(2.2) - np.float32(0.8), 0, 1)
    return blend(canvas, patches * (np.float32(1) - rows) * np.float32(between(random, 0.3, 0.8)), (tone, tone, tone))


def evening_light(random: np.random.Generator, canvas: Canvas) -> Canvas:
    """Warm light from somewhere outside the frame or behind things, like that of a fire."""
    shape = (canvas.shape[0], canvas.shape[1])
    strength = between(random, 0.1, 0.6)
    reach = ellipse(shape, between(random, 0.1, 0.9), between(random, 0.2, 1.1), between(random, 0.4, 0.9), 0.7)
    return light(canvas, reach, (strength, strength * 0.45, strength * 0.15))
