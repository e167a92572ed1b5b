"""Hard negatives: things with a fire's colours but not its shape."""

from collections.abc import Callable

import numpy as np

from jobs.dataset.synthetic.backgrounds import Shape, background, ridge
from jobs.dataset.synthetic.canvas import (
    Canvas,
    Point,
    between,
    blend,
    box,
    ellipse,
    grid,
    heated,
    light,
    noise,
    polygons,
    sharpen,
    soften,
    turbulence,
    warm,
    warm_ramp,
)


def sunset(random: np.random.Generator, shape: Shape) -> Canvas:
    """A low sun, a sky that is hottest near it, and its path on water or dark land."""
    ramp, (rows, _) = warm_ramp(random), grid(*shape)
    x, horizon = between(random, 0.15, 0.85), between(random, 0.5, 0.85)
    sun = horizon - between(random, 0.0, 0.3)
    halo = ellipse(shape, x, sun, between(random, 0.5, 1.1), between(random, 0.35, 0.8))
    streaks = turbulence(random, shape, 12, 2) - np.float32(0.5)
    heat = halo * np.float32(between(random, 0.6, 0.9)) + np.float32(0.15) * rows + streaks * np.float32(0.4)
    canvas = heated(ramp, heat)
    radius = between(random, 0.03, 0.13)
    canvas = blend(canvas, sharpen(ellipse(shape, x, sun, radius, radius), 8), warm(ramp, between(random, 0.85, 1)))
    if random.random() < 0.5:  # noqa: PLR2004
        path = ellipse(shape, x, horizon, between(random, 0.08, 0.25), 0.6) * turbulence(random, shape, 40, 4)
        sea = heated(ramp, path * np.float32(1.6)) * np.float32(0.8)
        return blend(canvas, (rows > np.float32(horizon)).astype(np.float32) * np.ones(shape, np.float32), sea)
    return blend(canvas, polygons(shape, [ridge(random, horizon + 0.05, 0.12, 9)]), (0.05, 0.03, 0.03))


def lamps(random: np.random.Generator, shape: Shape) -> Canvas:
    """Lamps with halos, in focus or as discs out of focus."""
    canvas, ramp = background(random, shape) * np.float32(between(random, 0.4, 1.0)), warm_ramp(random)
    for _ in range(int(random.integers(1, 9))):
        x, y, radius = between(random, 0, 1), between(random, 0.05, 0.8), between(random, 0.02, 0.16)
        disc = ellipse(shape, x, y, radius, radius * between(random, 0.8, 1.3))
        halo = ellipse(shape, x, y, radius * 3, radius * 3)
        canvas = light(canvas, halo * halo, warm(ramp, 0.45))
        soft = random.random() < 0.5  # noqa: PLR2004
        heat = (
            np.float32(0.3) + disc * np.float32(1.2)
            if soft
            else disc * np.float32(0.1) + np.float32(between(random, 0.3, 0.95))
        )
        canvas = blend(canvas, sharpen(disc, 2.5 if soft else 12), heated(ramp, heat))
    return canvas


def _leaf(random: np.random.Generator, x: float, y: float, size: float) -> list[Point]:
    """A pointed leaf, turned any way: a long rhombus with bulged sides."""
    dx, dy = between(random, -1, 1), between(random, -1, 1)
    length = max(0.2, float(np.sqrt(dx * dx + dy * dy)))
    dx, dy = dx / length * size, dy / length * size
    bulge = between(random, 0.3, 0.55)
    along = ((-1.0, 0.0), (-0.5, 0.8), (0.2, 0.9), (1.0, 0.0), (0.2, -0.9), (-0.5, -0.8))
    return [(x + dx * a - dy * b * bulge, y + dy * a + dx * b * bulge) for a, b in along]


def leaves(random: np.random.Generator, shape: Shape) -> Canvas:
    """Autumn leaves on the ground or on a twig."""
    canvas, ramp = background(random, shape), warm_ramp(random)
    x, y, spread = between(random, 0.3, 0.7), between(random, 0.3, 0.8), between(random, 0.2, 0.6)
    size = between(random, 0.03, 0.11)
    texture = turbulence(random, shape, 12, 12, 2) - np.float32(0.5)
    for _ in range(int(random.integers(4, 8))):
        outlines = [
            _leaf(random, x + between(random, -spread, spread), y + between(random, -spread, spread), size)
            for _ in range(int(random.integers(3, 14)))
        ]
        heat = np.float32(between(random, 0.1, 0.9)) + texture * np.float32(0.5)
        canvas = blend(canvas, polygons(shape, outlines), heated(ramp, heat))
    return canvas


def autumn_tree(random: np.random.Generator, shape: Shape) -> Canvas:
    """Round crowns of yellow and red leaves on trunks."""
    canvas, ramp = background(random, shape), warm_ramp(random)
    for _ in range(int(random.integers(1, 4))):
        x, y = between(random, 0.1, 0.9), between(random, 0.25, 0.6)
        wide, high = between(random, 0.15, 0.4), between(random, 0.15, 0.35)
        trunk = box(x - 0.02, y, x + 0.02, min(1.0, y + high + between(random, 0.15, 0.4)))
        canvas = blend(canvas, polygons(shape, [trunk]), (0.16, 0.10, 0.06))
        clumps = turbulence(random, shape, 24, 24, 2)
        disc = ellipse(shape, x, y, wide, high)
        crown = np.clip(disc + (clumps - np.float32(0.6)) * np.float32(0.5) * sharpen(disc, 4), 0, 1)
        heat = (
            np.float32(between(random, 0.0, 0.4))
            + (clumps - np.float32(0.3)) * np.float32(1.1)
            + disc * np.float32(0.2)
        )
        canvas = blend(canvas, sharpen(crown, 8), heated(ramp, heat))
    return canvas


def car(random: np.random.Generator, shape: Shape) -> Canvas:
    """A red or orange car with its lights on."""
    canvas, ramp = background(random, shape), warm_ramp(random)
    size = between(random, 0.45, 0.95)
    x, y = between(random, 0.05, 1 - size * 0.9), between(random, 0.5, 0.85)
    high = size * 0.36
    body = [(0, 0.95), (0, 0.5), (0.2, 0.42), (0.33, 0), (0.7, 0), (0.85, 0.42), (1, 0.5), (1, 0.95)]
    windows = [(0.3, 0.42), (0.38, 0.1), (0.66, 0.1), (0.76, 0.42)]

    def place(points: list[tuple[float, float]]) -> list[Point]:
        return [(x + size * a, y - high + high * b) for a, b in points]

    shine = noise(random, shape, 6, 3) * np.float32(0.5) + np.float32(between(random, 0.1, 0.5))
    canvas = blend(canvas, polygons(shape, [place(body)]), heated(ramp, shine))
    canvas = blend(canvas, polygons(shape, [place(windows)]), (0.2, 0.24, 0.28))
    for wheel in (0.22, 0.78):
        canvas = blend(
            canvas, sharpen(ellipse(shape, x + size * wheel, y, size * 0.1, size * 0.1), 9), (0.04, 0.04, 0.04)
        )
    lamp = ellipse(shape, x + size * 0.96, y - high * 0.42, size * 0.06, size * 0.06)
    return blend(canvas, sharpen(lamp, 3), warm(ramp, 0.95))


def bricks(random: np.random.Generator, shape: Shape) -> Canvas:
    """A brick wall in evening light, each brick with its own colour."""
    ramp, rows = warm_ramp(random), int(random.integers(6, 16))
    columns = max(3, rows // 2)
    tones = noise(random, shape, 2, 2) * np.float32(0.5) + noise(random, shape, rows, columns) * np.float32(0.4)
    canvas = heated(ramp, tones + np.float32(between(random, 0, 0.25)))
    joints = [box(0, row / rows, 1, row / rows + 0.012) for row in range(rows)]
    for row in range(rows):
        offset = 0.5 * (row % 2)
        joints += [
            box((c + offset) / columns, row / rows, (c + offset) / columns + 0.01, (row + 1) / rows)
            for c in range(columns)
        ]
    return blend(canvas, polygons(shape, joints), (between(random, 0.3, 0.7),) * 3)


def flowers(random: np.random.Generator, shape: Shape) -> Canvas:
    """Yellow, orange and red blossoms with round petals."""
    canvas, ramp = background(random, shape), warm_ramp(random)
    ring = ((1.0, 0.0), (0.5, 0.87), (-0.5, 0.87), (-1.0, 0.0), (-0.5, -0.87), (0.5, -0.87))
    for _ in range(int(random.integers(2, 8))):
        x, y, size = between(random, 0.1, 0.9), between(random, 0.15, 0.8), between(random, 0.05, 0.14)
        canvas = blend(canvas, polygons(shape, [box(x - 0.008, y, x + 0.008, 1)]), (0.15, 0.35, 0.1))
        petal = np.zeros(shape, np.float32)
        for dx, dy in ring:
            petal = np.maximum(
                petal, ellipse(shape, x + dx * size * 0.7, y + dy * size * 0.7, size * 0.55, size * 0.55)
            )
        heat = np.float32(between(random, 0.15, 0.7)) + petal * np.float32(0.5)
        canvas = blend(canvas, sharpen(petal, 6), heated(ramp, heat))
        canvas = blend(
            canvas, sharpen(ellipse(shape, x, y, size * 0.4, size * 0.4), 6), warm(ramp, between(random, 0, 1))
        )
    return canvas


def cones(random: np.random.Generator, shape: Shape) -> Canvas:
    """Traffic cones and tents: triangles that stand on the ground, with bands."""
    canvas, ramp = background(random, shape), warm_ramp(random)
    for _ in range(int(random.integers(1, 5))):
        x, base, high = between(random, 0.1, 0.9), between(random, 0.6, 0.97), between(random, 0.25, 0.65)
        half = high * between(random, 0.2, 0.5)
        body = [(x - half, base), (x - half * 0.1, base - high), (x + half * 0.1, base - high), (x + half, base)]
        lit = noise(random, shape, 2, 4) * np.float32(0.4) + np.float32(between(random, 0.25, 0.6))
        canvas = blend(canvas, polygons(shape, [body]), heated(ramp, lit))
        for top, bottom in ((0.3, 0.45), (0.62, 0.76)):
            outer, inner = half * (0.1 + 0.9 * bottom), half * (0.1 + 0.9 * top)
            band = [
                (x - inner, base - high * (1 - top)),
                (x + inner, base - high * (1 - top)),
                (x + outer, base - high * (1 - bottom)),
                (x - outer, base - high * (1 - bottom)),
            ]
            canvas = blend(canvas, polygons(shape, [band]), warm(ramp, between(random, 0.9, 1)))
    return canvas


def lantern(random: np.random.Generator, shape: Shape) -> Canvas:
    """Paper lanterns with ribs: glowing, round or square, hottest inside."""
    canvas, ramp = background(random, shape), warm_ramp(random)
    for _ in range(int(random.integers(1, 4))):
        x, y = between(random, 0.15, 0.85), between(random, 0.2, 0.8)
        wide, high = between(random, 0.12, 0.3), between(random, 0.12, 0.3)
        core = ellipse(shape, x, y, wide, high)
        canvas = light(canvas, soften(core, 5), warm(ramp, 0.5))
        outline = box(x - wide * 0.8, y - high * 0.8, x + wide * 0.8, y + high * 0.8)
        square = random.random() < 0.4  # noqa: PLR2004
        mask = polygons(shape, [outline]) if square else sharpen(core, 9)
        canvas = blend(canvas, mask, heated(ramp, np.float32(0.2) + core * np.float32(between(random, 0.9, 1.5))))
        ribs = [box(0, y + high * rib - 0.006, 1, y + high * rib + 0.006) for rib in (-0.6, -0.3, 0.0, 0.3, 0.6)]
        canvas = blend(canvas, polygons(shape, ribs) * mask, warm(ramp, 0.15))
    return canvas


def plain(random: np.random.Generator, shape: Shape) -> Canvas:
    """Just a place, with nothing warm added."""
    return background(random, shape)


LOOKALIKES: tuple[Callable[[np.random.Generator, Shape], Canvas], ...] = (
    sunset,
    lamps,
    leaves,
    autumn_tree,
    car,
    bricks,
    flowers,
    cones,
    lantern,
    plain,
)
