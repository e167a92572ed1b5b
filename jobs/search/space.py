"""The recipes of a search: structures of the network, each in a number format. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape

from common.schema.convert import CALIBRATED, SPARSE, Convert, Format
from common.schema.given import FileConvert, FileFormat, FromFile, OtherFormats
from common.schema.recipe import Distill, Factorize, FoldBatchNorm, MergeSeparable, Pass, Prune, Recipe
from common.schema.search import Search
from common.schema.search_result import Candidate, Kind, Way

# Separable convolutions of any number of channels: what is faster is measured, and not known from the number.
ANY_CHANNELS = 1 << 16
# Layers that are rewritten one at a time, and parts of the network that have a rank or a number format of their own.
MOST_ALONE, MOST_GROUPS = 12, 12
# Of a name that stands in an experiment, where a character may take six bytes.
LONGEST_NAME, MOST_DOTS = 300, 50
# Ranks that a drawn structure gives a part of the network; 0 leaves it as it is.
RANKS = (0, 2, 4, 8, 16, 32, 64)
# tfmot's sparsest schedules lose accuracy at once; this one grows over most of the fine-tuning.
GROWING = {"schedule": "polynomial", "frequency": 5}


@dataclass(frozen=True)
class Structure:
    """What happens to the network before its conversion."""

    name: str
    kind: Kind
    passes: tuple[Pass, ...]
    sparse: bool = False
    layers: OtherFormats = field(default_factory=dict)

    def candidate(self, number: Format) -> Candidate:
        """The structure in a number format; integers go in and out where the format has them."""
        integers = number in CALIBRATED
        convert = Convert(format=number, integer_io=integers, sparse=self.sparse, layers=self.layers)
        recipe = Recipe(passes=self.passes, convert=convert)
        return Candidate(name=f"{self.name}_{number}", structure=self.name, kind=self.kind, recipe=recipe)


@dataclass(frozen=True)
class Base:
    """What further structures of a format begin with: passes, and layers with formats of their own."""

    passes: tuple[Pass, ...] = ()
    layers: OtherFormats = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: Way) -> "Base":
        """Those of a recipe."""
        return cls(passes(recipe), recipe.convert.layers)


def merge(*layers: str, most: int = ANY_CHANNELS) -> MergeSeparable:
    """The pass for these layers, for all without any, of at most so many channels."""
    return MergeSeparable.model_validate(
        {"pass": "merge_separable", "max_input_channels": most, "layers": layers or ("*",)}
    )


def fold(*layers: str) -> FoldBatchNorm:
    """The pass for these layers; for all without any."""
    return FoldBatchNorm.model_validate({"pass": "fold_batch_norm", "layers": layers or ("*",)})


PLAIN = Structure("plain", "rewrite", ())
FOLDED = Structure("folded", "rewrite", (fold(),))
MERGED = Structure("merged", "rewrite", (merge(), fold()))
# As the pass is unless it is told otherwise: where few channels come in.
FEW = Structure(
    "merged_few", "rewrite", (merge(most=MergeSeparable.model_fields["max_input_channels"].default), fold())
)


def rewrites(settings: Search) -> tuple[Structure, ...]:
    """The first to measure: the network as it is, and rewritten as a whole."""
    return (PLAIN, FOLDED, FEW, MERGED) if settings.rewrites else (PLAIN,)


def single_rewrites(separable: Sequence[str], normalised: Sequence[str]) -> tuple[Structure, ...]:
    """One layer merged beside what is folded, and all but one folded: what each layer is worth."""
    merged = [
        Structure(f"merged_{number}", "rewrite", (merge(name), fold()))
        for number, name in enumerate(separable[:MOST_ALONE])
    ]
    if len(separable) == 1:
        merged = []  # It was measured as the whole.
    kept = [
        Structure(f"folded_but_{number}", "rewrite", (fold(*(other for other in normalised if other != name)),))
        for number, name in enumerate(normalised[:MOST_ALONE])
        if len(normalised) > 1
    ]
    return (*merged, *kept)


def chosen_rewrite(merged: Sequence[str], folded: Sequence[str]) -> Structure:
    """The layers that are faster rewritten."""
    found: list[Pass] = [merge(*merged)] if merged else []
    found += [fold(*folded)] if folded else []
    return Structure("rewritten", "rewrite", tuple(found))


def left_in_float(base: Candidate, structure: str, layers: Sequence[str]) -> Candidate:
    """The candidate with these layers in float32, as another structure."""
    others = {_pattern(layer): "float32" for layer in layers}
    convert = base.recipe.convert.model_copy(update={"layers": others})
    return Candidate(
        name=f"{structure}_{convert.format}",
        structure=structure,
        kind="mixed",
        recipe=base.recipe.model_copy(update={"convert": convert}),
    )


def _pattern(name: str) -> str:
    """The name as a pattern; a long one's beginning, since a line of an experiment has its bounds."""
    short = ".".join(name.split(".")[: MOST_DOTS + 1])[:LONGEST_NAME]
    return escape(name) if short == name else f"{escape(short)}*"


def structures(settings: Search, base: Base) -> Iterator[Structure]:
    """What is enumerated beyond rewrites, each on top of `base`; the most promising come first."""
    for energy in settings.energies:
        for rank in (None, *settings.spatial_ranks):
            name = f"energy{round(100 * energy)}" + ("" if rank is None else f"_rank{rank}")
            thinner = _factorize(settings, energy=energy, spatial_rank=rank)
            yield Structure(name, "factorized", (*base.passes, thinner), layers=base.layers)
    for width in settings.widths:
        for stride in settings.strides:
            yield Structure(
                f"width{round(100 * width)}_stride{stride}", "student", (_distill(settings, width, stride),)
            )
    for sparsity in settings.sparsities:
        tuned = settings.fine_tune.model_dump(exclude_unset=True)
        prune = Prune.model_validate({"pass": "prune", "sparsity": sparsity, **GROWING, **tuned})
        yield Structure(f"sparse{round(100 * sparsity)}", "sparse", (*base.passes, prune), sparse=True)


def enumerated(settings: Search, bases: Mapping[Format, Base], formats: Sequence[Format]) -> tuple[Candidate, ...]:
    """Every structure in every one of `formats` that can hold it."""
    found: dict[str, list[Candidate]] = {}
    for number in formats:
        for structure in structures(settings, bases[number]):
            if not structure.sparse or number in SPARSE:
                found.setdefault(structure.name, []).append(structure.candidate(number))
    return tuple(candidate for candidates in found.values() for candidate in candidates)


def groups(layers: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Neighbouring layers in at most MOST_GROUPS parts, which share a rank, or a number format."""
    size = -(-len(layers) // MOST_GROUPS) if layers else 1
    return tuple(tuple(layers[start : start + size]) for start in range(0, len(layers), size))


def drawn(number: int, settings: Search, base: Base, ranks: Mapping[str, int], form: Format) -> Candidate | None:
    """A structure with a rank for each layer; None where it leaves all as they are."""
    if not any(ranks.values()):
        return None
    thinner = (*base.passes, _factorize(settings, ranks=dict(ranks)))
    return Structure(f"drawn{number:02d}", "drawn", thinner, layers=base.layers).candidate(form)


def every_layer(base: Base, settings: Search) -> Structure:
    """Every kernel as thin as can be, which tells what can be thinner."""
    thinnest = _factorize(settings, rank=1, spatial_rank=1, min_weights=1)
    return Structure("thinnest", "factorized", (*base.passes, thinnest), layers=base.layers)


def with_epochs(recipe: Way, share: float) -> Way:
    """The recipe with a share of its epochs, at least one in each pass."""
    if isinstance(recipe, FromFile):
        return recipe
    shorter = tuple(
        one
        if isinstance(one, FoldBatchNorm | MergeSeparable)
        else one.model_copy(update={"epochs": _part(one.epochs, share)})
        for one in recipe.passes
    )
    return recipe.model_copy(update={"passes": shorter})


def passes(recipe: Way) -> tuple[Pass, ...]:
    """What happens before the conversion; nothing to a file."""
    return () if isinstance(recipe, FromFile) else recipe.passes


def untrained(recipe: Way) -> Way:
    """The same structure without any training."""
    trains = isinstance(recipe, Recipe) and recipe.trains
    return recipe.model_copy(update={"fine_tune": False}) if trains else recipe


def quantised(source: str, pixels: tuple[float, float] | None, formats: Sequence[FileFormat]) -> tuple[Candidate, ...]:
    """A float file in each of these formats."""
    return tuple(
        Candidate(
            name=f"quantised_{number}",
            structure="quantised",
            kind="quantised",
            recipe=FromFile.model_validate({"from": source, "convert": FileConvert(format=number), "pixels": pixels}),
        )
        for number in formats
    )


def epochs(recipe: Way) -> int:
    """All that its passes train."""
    return sum(0 if isinstance(one, FoldBatchNorm | MergeSeparable) else one.epochs for one in passes(recipe))


def _part(whole: int, share: float) -> int:
    return max(1, round(whole * share))


def _factorize(settings: Search, **how: object) -> Factorize:
    tuned = settings.fine_tune.model_dump(exclude_unset=True)
    given = {key: value for key, value in how.items() if value is not None}
    layers = {"layers": ()} if "ranks" in given else {}
    return Factorize.model_validate({"pass": "factorize", **given, **layers, **tuned})


def _distill(settings: Search, width: float, stride: int) -> Distill:
    return Distill.model_validate(
        {"pass": "distill", "width": width, "stride": stride, "epochs": settings.student_epochs}
    )
