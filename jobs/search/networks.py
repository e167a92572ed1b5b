"""The search of a trained network: what is cheap first. Structures are measured before anything is trained, only those
that have something to win are trained, and only what came through is measured again, apart from the rounds that chose
it."""

from collections.abc import Sequence
from pathlib import Path

from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.printable import tell
from common.schema.convert import Format
from common.schema.search_result import loss
from jobs.search import space
from jobs.search.draws import Drawing
from jobs.search.judge import RUNGS, Standing, worth_training
from jobs.search.mixing import mix
from jobs.search.rewrites import changed, decided
from jobs.search.runs import Runs
from jobs.search.searching import Searching
from jobs.search.space import Base

# Of the budget, what is spent when a kind of step has to end.
REWRITES, MIXED, STRUCTURES, DRAWN = 0.25, 0.3, 0.45, 0.55
BATCH = 8
DRAWING = "a rank of its own for every part of the network"


class Networks(Searching):
    """Of a network: rewrites, number formats by layer, structures, draws, training."""

    @classmethod
    def require(cls, experiment: LoadedExperiment) -> None:
        """Raise UsageError for an experiment without test images."""
        if not experiment.settings.data.test_share:
            hint = "give [data] a test_share, such as 0.25, and train with it"
            raise UsageError("a search needs test images that it never sees", hint=hint)

    @classmethod
    def prepare(cls, runs: Runs, file: Path) -> None:
        """Have the data set and the trained network."""
        runs.train(file)

    @property
    def hint(self) -> str:
        """More room, or more training."""
        return "raise [choose] margin, or fine_tune longer"

    def look(self) -> None:
        """Measure structures until those that are worth training are known, train these, and find the finalists."""
        formats = self._rewrites()
        self.mixed = mix(self.screening, MIXED)
        # Layers in float32 may have brought another format to the front.
        formats = self._worth() if self.mixed is not None else formats
        self._structures(formats)
        self._drawn(formats)
        found = self.screening.standings()
        trained = self.trials.run(worth_training(found, self.margin, self.space.trained))
        ready = [one for one in found if not one.candidate.trains]
        whole = [one for one in trained if len(self.trials.rungs[one.candidate.name]) == len(RUNGS)]
        self.settle((*ready, *whole))

    def _rewrites(self) -> tuple[Format, ...]:
        """Rewrites as a whole and by layer, in every format; the formats that are worth more structures."""
        candidates = [one.candidate(form) for form in self.space.formats for one in space.rewrites(self.space)]
        own = self._settings.recipes[self._settings.reference]
        self.screening.screen(
            "rewrites",
            "the network as it is and rewritten, in every format",
            [one for one in candidates if one.recipe != own],
            REWRITES,
        )
        formats = self._worth()
        separable, normalised = self._changed("merged", "merge_separable"), self._changed("folded", "fold_batch_norm")
        alone = space.single_rewrites(separable, normalised)
        self.screening.screen(
            "layers",
            "every layer rewritten, or left, alone",
            [one.candidate(form) for one in alone for form in formats],
            REWRITES,
        )
        for form in formats:
            self.rewrites.append(decided(form, self.screening.times(form), separable, normalised))
        measured = [one.recipe for one in self.screening.candidates.values()]
        chosen = [
            structure.candidate(form)
            for form, one in zip(formats, self.rewrites, strict=True)
            if (structure := space.chosen_rewrite(one.merged, one.folded)).passes
        ]
        self.screening.screen(
            "rewritten",
            "the layers together that are faster rewritten alone",
            [one for one in chosen if one.recipe not in measured],
            REWRITES,
        )
        return formats

    def _changed(self, structure: str, name: str) -> tuple[str, ...]:
        """The layers that a pass changes in the candidates of the structure."""
        same = [
            made for key, made in self.screening.made.items() if self.screening.candidates[key].structure == structure
        ]
        return tuple(dict.fromkeys(layer for made in same for layer in changed(made.variant, name)))

    def _worth(self) -> tuple[Format, ...]:
        """The formats on the front of latency and size, each at its fastest."""
        best = _fastest(self.screening.standings())
        front = [
            form for form, one in best.items() if not any(other.beats(one, losses=False) for other in best.values())
        ]
        return tuple(form for form in self.space.formats if form in front) or self.space.formats[:1]

    def _bases(self, formats: Sequence[Format]) -> dict[Format, Base]:
        """What every further structure of a format begins with: the fastest rewrite, with its layers in float32."""
        best = _fastest([one for one in self.screening.standings() if one.candidate.kind in ("rewrite", "mixed")])
        return {form: Base.of(best[form].candidate.recipe) if form in best else Base() for form in formats}

    def _structures(self, formats: Sequence[Format]) -> None:
        bases = self._bases(formats)
        # Which kernels can be thinner depends on what was rewritten.
        thinnest = [space.every_layer(bases[form], self.space).candidate(form) for form in formats]
        self.screening.screen(
            "structures",
            "thinner kernels, zeros and students",
            [*thinnest, *space.enumerated(self.space, bases, formats)],
            STRUCTURES,
        )

    def _drawn(self, formats: Sequence[Format]) -> None:
        """Structures with a rank for each part of the network, batch after batch, each told what became of those
        before."""
        layers = self._changed("thinnest", "factorize")
        if not layers or not self.space.drawn:
            return
        bases = self._bases(formats)
        drawing = Drawing(self._runs.home, layers, formats, self._settings.seed, space=repr(bases))
        for first in range(0, self.space.drawn, BATCH):
            name, wanted = f"drawn-{first // BATCH + 1}", self.space.drawn - first
            if not self._budget.left(DRAWN):
                self._budget.skip(name, DRAWING, wanted)
                tell(f"{name}: nothing drawn{self._budget.after_step}")
                return
            draws = drawing.draw(first, min(BATCH, wanted))
            made = {
                one.number: space.drawn(one.number, self.space, bases[one.form], one.ranks, one.form) for one in draws
            }
            self.screening.screen(name, DRAWING, [one for one in made.values() if one is not None], DRAWN)
            for number, one in made.items():
                drawing.tell(number, None if one is None else self._values(one.name))

    def _values(self, name: str) -> tuple[float, float, float] | None:
        found = self.screening.screened.get(name)
        if found is None or found.time is None:
            return None
        return found.time, found.size_bytes, loss(found.validation, self.screening.reference)


def _fastest(found: Sequence[Standing]) -> dict[Format, Standing]:
    """The first of the fastest in each format."""
    best: dict[Format, Standing] = {}
    for one in found:
        form: Format = one.candidate.recipe.convert.format
        if form not in best or one.time < best[form].time:
            best[form] = one
    return best
