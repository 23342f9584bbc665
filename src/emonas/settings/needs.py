"""What a job asks of a machine: memory, minutes, cards, from the corpora's sizes and the options.

The sums are rough and rather too large, for a core of today's machines; docs/cluster.md says where
they come from. A job that needs more is ended by the scheduler: tried again it asks for twice as
much, and goes on from its checkpoint.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from emonas.errors import EmonasError
from emonas.settings.partitions import Partition
from emonas.settings.passes import is_solved, search_passes, training_passes
from emonas.settings.plan import Plan
from emonas.settings.sizes import TYPICAL_SECONDS, CorpusSize, corpus_size
from emonas.systems.tuned_options import TunedOptions

BRIEF = 15
"""Minutes up to which a job is small: many are then one submission."""

START = 10
"""Minutes that every job gets: a node can be slow to start, and its disk to answer."""

PYTHON = 1500
"""Megabytes of Python with torch."""

WEIGHTS = 4000
"""Megabytes more of a pretrained encoder and, where it is trained, its optimiser."""

LONGEST = 7 * 24 * 60
"""Minutes that no job asks for more than."""

UNKNOWN_UTTERANCES = 5000
"""Utterances of a corpus of which nothing is known yet."""

UNKNOWN_CANDIDATES = 20
"""Architectures of an archive that nobody has counted."""

UNKNOWN_LAYERS = 12
"""Layers of an encoder that does not say how many it has."""

# Seconds of a core for a second of audio.
READ_SECONDS = 0.02
EXTRACT_SECONDS = 0.02
ENCODE_SECONDS = 1.0

# Seconds of a core for a second of audio and epoch.
SOLVE_SECONDS = 0.01
TRAIN_SECONDS = 0.07
TUNE_SECONDS = 2.0

# Of a search network, for a pixel, channel and cell: seconds of an utterance and epoch, megabytes
# of an utterance of a batch.
CELL_SECONDS = 7e-6
CELL_MEGABYTES = 1e-3

SMALL_NETWORKS = 4
"""How many times as long as a search its rivals take that compute as much: a core is slower at many
small networks than at one large one.
"""

FUSE_SECONDS = 5e-4
"""Of a core for an utterance and epoch of a fusion."""

FEATURE_MEGABYTES = 0.1
"""Of a layer of features, or of a waveform, for a second of audio."""

# Of an utterance of a batch: of a network on features, of an encoder that is trained.
SEQUENCE_MEGABYTES = 40.0
TUNED_MEGABYTES = 400.0

CARD = 20
"""How many times as fast a card learns as a core."""

_LEARNS = ("search", "train", "train_inflated", "train_transfer", "fuse", "fuse_transfer")


@dataclass(frozen=True)
class Need:
    """What a job asks for: megabytes, minutes and cards."""

    memory: int
    minutes: int
    cards: int


@dataclass(frozen=True)
class _Work:
    """What a job does: seconds of one core, megabytes besides Python's, and if a card serves."""

    seconds: float = 0.0
    memory: float = 0.0
    served: bool = False


class Needs:
    """The needs of the jobs of a plan; `partition_of` says where the jobs of a rule run."""

    def __init__(self, plan: Plan, partition_of: Callable[[str], Partition]) -> None:
        self._plan = plan
        self._partition_of = partition_of
        self._kept: dict[tuple[Any, ...], _Work] = {}
        self._sizes: dict[tuple[str, int], CorpusSize | None] = {}

    def need(self, rule: str, attempt: int = 1, **names: str) -> Need:
        """What a job of a rule asks for: twice as much with every attempt, up to what there is.

        Args:
            rule: its name.
            attempt: 1, and one more each time that it is tried again.
            names: of its corpus, feature, transcript, protocol or system; others are ignored.
        """
        work, partition = self._work(rule, names), self._partition_of(rule)
        cards = int(partition.cards and work.served)
        minutes = START + work.seconds / (CARD if cards else 1) / 60
        growth = 2 ** (attempt - 1)
        return Need(
            memory=_at_most(growth * (PYTHON + work.memory), partition.memory),
            minutes=_at_most(growth * minutes, LONGEST, partition.minutes),
            cards=cards,
        )

    def is_brief(self, rule: str, **names: str) -> bool:
        """Whether a job is so small that others go with it into one submission."""
        return self.need(rule, 1, **names).minutes <= BRIEF

    def _work(self, rule: str, names: dict[str, str]) -> _Work:
        keys = ("corpus", "feature", "transcript", "protocol", "system")
        chosen = {key: names[key] for key in keys if key in names}
        corpora = self._corpora(rule, chosen)
        key = rule, *chosen.items(), *((name, _changed(name)) for name in corpora)
        if key not in self._kept:
            self._kept[key] = self._counted(rule, chosen, corpora)
        return self._kept[key]

    def _corpora(self, rule: str, names: dict[str, str]) -> list[str]:
        """The corpora that a job hears."""
        own = [names["corpus"]] if "corpus" in names else []
        if "protocol" not in names or rule == "train_transfer":
            return own
        return [*self._plan.corpora_of(names["protocol"]), *own]

    def _counted(self, rule: str, names: dict[str, str], corpora: list[str]) -> _Work:
        seconds = sum(self._seconds(corpus) for corpus in corpora)
        utterances = sum(self._utterances(corpus) for corpus in corpora)
        if rule in _LEARNS:
            return self._learning(rule, names["system"], seconds, utterances)
        if rule == "corpora":
            return _Work(READ_SECONDS * seconds)
        if rule in ("features", "transcripts"):
            return self._hearing(rule, names, seconds)
        if rule == "speed":
            # Ten seconds, some dozens of times, of a system that may begin with an encoder.
            return _Work(300, WEIGHTS)
        # Of every utterance a few rows, and of the results all folds and seeds.
        return _Work(utterances * 0.05, utterances * 0.2)

    def _hearing(self, rule: str, names: dict[str, str], seconds: float) -> _Work:
        """An extraction, or a transcript."""
        encoder = rule == "transcripts" or (
            self._plan.settings.features[names["feature"]].uses_torch
        )
        if not encoder:
            return _Work(EXTRACT_SECONDS * seconds, 2 * FEATURE_MEGABYTES * seconds)
        layers = 1 if rule == "transcripts" else self._layers(names["feature"])
        memory = WEIGHTS + 2 * layers * FEATURE_MEGABYTES * seconds
        return _Work(ENCODE_SECONDS * seconds, memory, served=self._may_use_cards)

    def _learning(self, rule: str, system: str, seconds: float, utterances: float) -> _Work:
        plan = self._plan
        trained = plan.joint_streams_of(system) if plan.is_fused(system) else [system]
        parts = [self._network(rule, name, seconds, utterances) for name in trained]
        if plan.is_fused(system):
            epochs = plan.settings.systems[system].training.epochs
            parts.append(_Work(FUSE_SECONDS * utterances * epochs, 0.05 * utterances))
        if rule == "train_inflated":
            parts = [_Work(2 * part.seconds, part.memory, part.served) for part in parts]
        if rule.endswith("transfer"):
            parts = [_Work(part.seconds / 10, part.memory, part.served) for part in parts]
        # A card that is asked for by name must be there for all that learns.
        asked = plan.settings.runtime.device == "cuda"
        return _Work(
            sum(part.seconds for part in parts),
            sum(part.memory for part in parts),
            served=asked or any(part.served for part in parts),
        )

    def _network(self, rule: str, system: str, seconds: float, utterances: float) -> _Work:
        """The search or training of one network, over all epochs."""
        plan, options = self._plan, self._plan.settings.systems[system]
        loaded = 2 * seconds * FEATURE_MEGABYTES * sum(map(self._layers, plan.features_of(system)))
        if rule == "search":
            if not plan.search_reads_data(system):
                return _Work()
            if (paying := plan.budget_of(system)) is not None:
                part = self._network(rule, paying, seconds, utterances)
                return replace(part, seconds=SMALL_NETWORKS * part.seconds)
            return self._search(system, options, seconds, utterances, loaded)
        if is_solved(options):
            return _Work(SOLVE_SECONDS * seconds, loaded)
        passes, batch = max(1, training_passes(plan, system)), options.training.batch
        if isinstance(options, TunedOptions):
            memory = loaded + WEIGHTS + TUNED_MEGABYTES * batch / options.training.pieces
            return _Work(TUNE_SECONDS * seconds * passes, memory, served=self._may_use_cards)
        memory = loaded + SEQUENCE_MEGABYTES * batch
        return _Work(TRAIN_SECONDS * seconds * passes, memory, served=self._may_use_cards)

    def _search(
        self, system: str, options: Any, seconds: float, utterances: float, loaded: float
    ) -> _Work:
        search, served = options.search, self._may_use_cards
        batch = getattr(search, "batch", options.training.batch)
        passes = self._passes(system)
        if options.network == "cells":
            size = search.channels * search.cells * self._pixels(system)
            memory = loaded + CELL_MEGABYTES * size * batch
            return _Work(CELL_SECONDS * size * utterances * passes, memory, served)
        memory = loaded + SEQUENCE_MEGABYTES * batch
        return _Work(TRAIN_SECONDS * seconds * passes, memory, served)

    def _passes(self, system: str) -> int:
        """Epochs of all candidates of a search; an archive is not opened to count what is in it."""
        options = self._plan.settings.systems[system]
        archived = getattr(options.search, "archive", None) is not None
        passes = None if archived else search_passes(self._plan, system)
        if passes is not None:
            return passes
        given = getattr(options.search, "archive_limit", None)
        candidates = UNKNOWN_CANDIDATES if given is None else given
        return int((candidates + options.search.random) * options.search.epochs)

    def _pixels(self, system: str) -> float:
        """Numbers of an image that a system hears, of a spectrogram's where they vary."""
        sizes = [
            (getattr(options, "frames", None) or 140) * (getattr(options, "bins", None) or 140)
            for options in map(self._plan.settings.features.get, self._plan.features_of(system))
        ]
        return float(sum(sizes))

    def _layers(self, feature: str) -> int:
        """Layers that are stored of a feature."""
        layers = len(self._plan.layers_of(feature))
        many = self._plan.settings.features[feature].uses_torch
        return layers or (UNKNOWN_LAYERS if many else 1)

    @cached_property
    def _may_use_cards(self) -> bool:
        device: str = self._plan.settings.runtime.device
        return device != "cpu"

    def _seconds(self, corpus: str) -> float:
        size = self._size(corpus)
        return self._utterances(corpus) * (size.seconds if size else TYPICAL_SECONDS)

    def _utterances(self, corpus: str) -> int:
        size = self._size(corpus)
        return size.utterances if size else UNKNOWN_UTTERANCES

    def _size(self, corpus: str) -> CorpusSize | None:
        """By its manifest where it is read, else as published; None where nothing tells it.

        Damage is for the job to tell that reads the file.
        """
        key = corpus, _changed(corpus)
        if key not in self._sizes:
            try:
                self._sizes[key] = corpus_size(self._plan, corpus, listed=False)
            except EmonasError:
                self._sizes[key] = None
        return self._sizes[key]


def _changed(corpus: str) -> int:
    """When a corpus was read, so that one that is read again counts anew; 0 before."""
    try:
        return Path(f"results/corpora/{corpus}/manifest.csv").stat().st_mtime_ns
    except OSError:
        return 0


def _at_most(value: float, *limits: int | None) -> int:
    return min([math.ceil(value), *(limit for limit in limits if limit is not None)])
