"""What is asked of networks before they are trained, and answered by `jobs.optimize.probe`."""

from common.schema.base import Count, Model
from common.schema.convert import Convert
from common.schema.recipe import Pass

TRIALS, IMAGES = "trials.json", "images.npy"


class Trial(Model):
    """A conversion to try for `variant`: of the network in the file `network`, or of so many `layers` of it, after
    these `passes`, of which none trains anything."""

    variant: str
    network: str
    convert: Convert
    passes: tuple[Pass, ...] = ()
    layers: Count | None = None


class Trials(Model):
    """What is tried, and the networks with their outputs [n, classes] for the images."""

    networks: tuple[str, ...]
    trials: tuple[Trial, ...]


class Answer(Model):
    """Why something cannot be done; None where it can."""

    refusal: str | None


def outputs_of(network: str) -> str:
    """The file that holds a network's outputs."""
    return f"{network}.npy"
