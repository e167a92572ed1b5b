"""`search.json`: how a search came to what it found. Version history: 1 first."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from common.schema.base import Count, Interval, Model, Name, Proportion, Share
from common.schema.costs import HeldOut
from common.schema.given import FromFile, kind
from common.schema.judgement import Basis, Keeping, Setting
from common.schema.provenance import Artifact
from common.schema.recipe import Recipe
from common.schema.search import Search
from common.schema.variant import Validation

# What a candidate is: the trained network with other operators for the same function, with layers in other formats than
# the rest, with thinner kernels of the grid's or of drawn ranks, with zeros that are not stored; or another network
# that the trained one teaches. Or a finished file in another number format.
Kind = Literal["rewrite", "quantised", "mixed", "factorized", "drawn", "sparse", "student"]
# Where its way ended, in the order of the steps.
Fate = Literal[
    "not reached",
    "failed",
    "beaten before training",
    "lost accuracy",
    "beaten in training",
    "beaten by a finalist",
    "finalist",
]


# What makes a candidate: of a trained network, or of a finished file.
Way = Recipe | FromFile
TaggedWay = Annotated[Annotated[Recipe, Tag("recipe")] | Annotated[FromFile, Tag("from a file")], Discriminator(kind)]


class Candidate(Model):
    """A recipe of the space, as it would be shipped. A file is named as `found.toml` does."""

    name: Name
    structure: Name
    kind: Kind
    recipe: TaggedWay

    @property
    def same_network(self) -> bool:
        """Whether it is the trained network, or the file, still, in another form."""
        return isinstance(self.recipe, FromFile) or self.recipe.student is None

    @property
    def trains(self) -> bool:
        """Whether it has to be trained."""
        return isinstance(self.recipe, Recipe) and self.recipe.trains


# A latency as a share of the reference's.
Time = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0)]


class Compared(Model):
    """A file's answers to the samples that a search chooses on, beside the reference's: what it loses of the score, or
    which share of the tolerance it takes, 1 being all of it; by the result's `basis`."""

    samples: Count
    lost: float


# Of a network's files and of classifiers, or of other files.
Answered = Validation | Compared


def loss(found: Answered, reference: Answered) -> float:
    """What is lost beside the reference: a share of the images, or as `Compared` has it."""
    if isinstance(found, Compared):
        return found.lost
    return found.loss(reference) if isinstance(reference, Validation) else 0.0


class Screened(Model):
    """A candidate as it was measured before any training. `time` is its latency as a share of the reference's, None
    where it could not be had; `predicted` the same from the cost table before it was measured. `validation` are its
    answers with the weights that there were."""

    time: Time | None
    size_bytes: Count
    validation: Answered
    predicted: Time | None = None


class Rung(Model):
    """A fine-tuning over a share of the epochs, and the answers after it."""

    epochs: Count
    validation: Validation


class Confirmed(Model):
    """A finalist in the session of its own: `ratio` is the reference's latency over its own, `accuracy` that of the
    test images, which nothing in the search has seen, and `keeping` the judge's word on it. Without labels `lost`
    is what it loses of the samples that nothing has seen. `reason` says why it is recommended, or is not."""

    ratio: Interval | None
    accuracy: Proportion | None = None
    reference_accuracy: Proportion | None = None
    lost: Compared | None = None
    keeping: Keeping
    recommended: bool
    reason: str = ""


class Outcome(Model):
    """What became of a candidate. `problem` says in words what failed."""

    candidate: Candidate
    fate: Fate
    screened: Screened | None = None
    rungs: tuple[Rung, ...] = ()
    confirmed: Confirmed | None = None
    problem: str | None = None


class Step(Model):
    """A step of the search: a run of its own in the folder `name`. `left_out` candidates were not reached in the
    search's time, which was `budget_s` when the step was taken."""

    name: Name
    what: str
    candidates: tuple[Name, ...]
    took_s: Seconds
    left_out: Count = 0
    budget_s: Seconds = 0.0


class Rewrites(Model):
    """Which layers are faster rewritten on the target, in this format."""

    format: str
    merged: tuple[str, ...]
    not_merged: tuple[str, ...]
    folded: tuple[str, ...]
    not_folded: tuple[str, ...]


class Mixed(Model):
    """Which groups of neighbouring layers are better left in float32, where all others of the candidate `base` are in
    this format: with them the target is faster, or the file more accurate and no slower."""

    format: str
    base: Name
    in_float: tuple[tuple[str, ...], ...]
    not_in_float: tuple[tuple[str, ...], ...]


class SearchResult(Artifact):
    """`basis` says what candidates are judged by, and `margin` what they may lose: of a tolerance all. `setting` is
    where latencies count, `reference` what they are shares of, and `beside` that file itself. `costs`
    says how well the cost table predicts a candidate from the others, `never_trained` how many of the candidates
    needed no training to be judged."""

    schema_version: Literal[1] = 1
    settings: Search
    reference: Name
    beside: Screened
    setting: Setting
    margin: Share
    basis: Basis = "accuracy"
    took_s: Seconds
    steps: tuple[Step, ...]
    rewrites: tuple[Rewrites, ...]
    mixed: Mixed | None = None
    outcomes: tuple[Outcome, ...]
    costs: HeldOut | None
    never_trained: Share
    found: tuple[Name, ...] = Field(default_factory=tuple)

    @property
    def finalists(self) -> tuple[Outcome, ...]:
        """Those that were measured again, what is recommended first."""
        found = [one for one in self.outcomes if one.fate == "finalist"]
        return tuple(sorted(found, key=lambda one: one.confirmed is None or not one.confirmed.recommended))

    @property
    def of_file(self) -> bool:
        """Whether a finished file was looked for, and no network trained."""
        return any(isinstance(one.candidate.recipe, FromFile) for one in self.outcomes)

    @property
    def recommended(self) -> Outcome | None:
        """The finalist to ship; None where the reference is better than all."""
        return next((one for one in self.finalists if one.confirmed is not None and one.confirmed.recommended), None)

    def loss(self, one: Outcome) -> float | None:
        """What it lost as it was last, after its last training if it had one; None where it
        was not made."""
        if one.screened is None:
            return None
        last = one.rungs[-1].validation if one.rungs else one.screened.validation
        return loss(last, self.beside.validation)
