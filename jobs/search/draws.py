"""Structures that are not enumerated: Optuna draws a rank for every part of the network, learning from those before.

Its journal lies in the search's folder, so that a search that was killed knows what was drawn and what came of it.
"""

import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.schema.convert import Format
from jobs.search.space import RANKS, groups

JOURNAL = "optuna.journal"
# Drawn at random before the sampler learns.
BLIND = 8
# Latency, size and loss.
WANTED = 3


@dataclass(frozen=True)
class Draw:
    """What was drawn as number `number`: a rank by layer, and a number format."""

    number: int
    ranks: Mapping[str, int]
    form: Format


class Drawing:
    """The study of one space: these layers in these formats. The same seed and the same results draw the same."""

    def __init__(
        self,
        folder: Path,
        layers: Sequence[str],
        formats: Sequence[Format],
        seed: int,
        *,
        space: str,
        blind: int = BLIND,
    ) -> None:
        os.environ.setdefault("OPTUNA_LOG_LEVEL", "WARNING")
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self._parts = groups(layers)
        self._formats = tuple(formats)
        self._seed, self._blind = seed, blind
        folder.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
        # Of another space nothing is known.
        words = "\n".join((space, *layers, *formats, str(seed)))
        self._study = optuna.create_study(
            study_name=hashlib.sha256(words.encode()).hexdigest()[:16],
            storage=storage,
            directions=["minimize"] * WANTED,
            load_if_exists=True,
        )

    def draw(self, first: int, count: int) -> tuple[Draw, ...]:
        """So many structures from number `first` on: those that were drawn before, or new ones."""
        import optuna

        trials = {trial.number: trial for trial in self._study.get_trials(deepcopy=False)}
        # A new sampler for each batch, so that one that goes on draws as one that was never killed.
        self._study.sampler = optuna.samplers.TPESampler(
            seed=self._seed + first, multivariate=True, constant_liar=True, n_startup_trials=self._blind
        )
        found = []
        for number in range(first, first + count):
            if number in trials:
                found.append(self._read(number, trials[number].params))
                continue
            trial = self._study.ask()
            for place in range(len(self._parts)):
                trial.suggest_int(f"part{place}", 0, len(RANKS) - 1)
            trial.suggest_categorical("format", list(self._formats))
            found.append(self._read(trial.number, trial.params))
        return tuple(found)

    def tell(self, number: int, values: tuple[float, float, float] | None) -> None:
        """What came of a draw: latency, size and loss, all wanted small; None where it failed."""
        import optuna

        state = self._study.get_trials(deepcopy=False)[number].state
        if not state.is_finished():
            failed = optuna.trial.TrialState.FAIL
            self._study.tell(number, values, state=failed if values is None else None)

    def _read(self, number: int, params: Mapping[str, object]) -> Draw:
        # A search that was killed may have left a draw without some of its parameters.
        ranks = {
            layer: RANKS[int(str(params.get(f"part{place}", 0)))]
            for place, part in enumerate(self._parts)
            for layer in part
        }
        form = next((form for form in self._formats if form == params.get("format")), self._formats[0])
        return Draw(number, ranks, form)
