"""The embedded generator `synthetic-flames`: pictures of fires and of things that look warm."""

import numpy as np
import numpy.typing as npt

from jobs.dataset.synthetic.backgrounds import background, evening_light, haze
from jobs.dataset.synthetic.canvas import Canvas, between, noise
from jobs.dataset.synthetic.flames import add_fire
from jobs.dataset.synthetic.lookalikes import LOOKALIKES, car, cones, lamps, sunset

CLASSES = ("fire", "no_fire")
# Part of the fires burn before one of these instead of an empty place, so that a sun or a lamp in
# the picture does not speak against fire.
DISTRACTIONS = (sunset, lamps, car, cones)
DISTRACTED_FIRES = 0.1
HAZE_SHARE = 0.4
# Fires light up their surroundings; as many look-alikes stand in light of the same colour.
EVENING_LIGHT_SHARE = 0.5


def picture(seed: int, label: int, index: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    """The `index`-th picture of a class: uint8 [height, width, 3] RGB; the same for the same arguments."""
    random = np.random.default_rng((seed, label, index))
    shape = (height, width)
    if CLASSES[label] == "no_fire":
        canvas = LOOKALIKES[index % len(LOOKALIKES)](random, shape)
        if random.random() < EVENING_LIGHT_SHARE:
            canvas = evening_light(random, canvas)
    else:
        distracted = random.random() < DISTRACTED_FIRES
        place = DISTRACTIONS[index % len(DISTRACTIONS)] if distracted else background
        canvas = add_fire(random, place(random, shape))
    if random.random() < HAZE_SHARE:
        canvas = haze(random, canvas)
    return _photograph(random, canvas)


def _photograph(random: np.random.Generator, canvas: Canvas) -> npt.NDArray[np.uint8]:
    """Exposure, uneven light, colour cast and sensor noise."""
    shape = canvas.shape[:2]
    cast = random.uniform(0.9, 1.1, 3).astype(np.float32) * np.float32(between(random, 0.75, 1.2))
    uneven = np.float32(0.9) + np.float32(0.2) * noise(random, shape, 2, 2)
    grain = (random.random(canvas.shape, np.float32) - np.float32(0.5)) * np.float32(between(random, 0.01, 0.08))
    exposed = canvas * cast * uneven[..., None] + grain
    clipped: Canvas = np.clip(exposed, 0, 1)
    return (clipped * np.float32(255) + np.float32(0.5)).astype(np.uint8, order="C")
