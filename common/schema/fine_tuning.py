"""How a pass of a recipe trains on."""

from typing import Annotated

from pydantic import Field

from common.schema.augmentation import Augmentation
from common.schema.base import Model

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0, le=1)]


class FineTuning(Model):
    """How a pass trains on after it changed the model; the loss and batch are the training's, the images are
    not changed unless `augmentation` says so."""

    epochs: Positive = 5
    learning_rate: Rate = 1e-5
    augmentation: Augmentation = Augmentation()


class Retraining(FineTuning):
    """A fine-tuning after which `reestimate_batch_norm` measures BatchNormalization's statistics anew."""

    reestimate_batch_norm: bool = True
