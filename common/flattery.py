"""What a figure is too good by when it is of the images that chose the epoch. Pure."""

from common.schema.dataset import Reported
from common.schema.training import Training


def flattery(split: Reported, training: Training) -> str | None:
    """A sentence where the reported images chose the epoch among several, else None.

    The points are those of docs/data.md: equal epochs of which the best is taken.
    """
    epochs = sum(epoch.epoch > 0 for epoch in training.epochs)
    if split == "test" or epochs <= 1:
        return None
    return (
        f"The epoch was chosen among {epochs} on these very validation images. That flatters the trained network and "
        "what is converted from it, by 1.0 to 1.6 points with 10 to 30 equal epochs; what was trained again does not "
        "gain by it, and looks worse than it is. Test images (test_share of the experiment's data) end that."
    )
