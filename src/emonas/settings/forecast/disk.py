"""How much disk a run takes, from what the rehearsals wrote."""

import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emonas.settings.forecast.hours import Clock
from emonas.settings.forecast.jobs import Jobs
from emonas.settings.forecast.rehearsal import predictions_file
from emonas.settings.plan import Plan
from emonas.settings.sizes import CorpusSize, ProtocolSize

KINDS = ("feature files", "weights", "predictions")
_COPIES = {"adam": 3, "adamw": 3, "sgd": 2}
"""Numbers a weight that an optimiser's state has, the weight among them."""


@dataclass(frozen=True)
class Bytes:
    """Bytes by kind as far as they are known, the state of one unfinished job, and whether that is
    all; `passing` go before the run ends.
    """

    kinds: Mapping[str, float]
    state: float = 0.0
    whole: bool = True
    passing: float = 0.0


_NOTHING = Bytes({})
_UNKNOWN = Bytes({}, whole=False)


class Scales:
    """Says how much jobs write."""

    def __init__(
        self,
        plan: Plan,
        sizes: Mapping[str, ProtocolSize | None],
        corpora: Mapping[str, CorpusSize | None],
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._sizes = sizes
        self._corpora = corpora
        self._clock = clock

    def bytes(self, jobs: Jobs) -> Bytes:
        """What some jobs write; what is small (tables, logs) is left aside."""
        if jobs.rule == "features":
            return self._features(jobs)
        if jobs.rule not in ("search", "train", "fuse", "train_transfer", "fuse_transfer"):
            return _NOTHING
        size, learnt = self._sizes[jobs.protocol], self._network(jobs)
        if size is None or jobs.count is None or learnt is None:
            return _UNKNOWN
        width, weights, state = learnt
        if jobs.rule.endswith("transfer"):
            return Bytes({"predictions": self._elsewhere(jobs, width) * jobs.count})
        kinds = {"weights": weights * jobs.count}
        if jobs.rule != "search":
            kinds["predictions"] = predictions_bytes(width, size.utterances, 3) * jobs.count
        return Bytes(kinds, state)

    def _features(self, jobs: Jobs) -> Bytes:
        heard, size = self._clock.heard(jobs.feature), self._corpora[jobs.corpus]
        if heard is None or size is None:
            return _UNKNOWN
        options = self._plan.settings.features[jobs.feature]
        half = options.store == "float16"
        fixed = options.fixed_length or heard.frame_rate == 0
        growth = 1.0 if fixed else size.seconds / heard.length
        every = heard.example.nbytes / (2 if half else 1) * growth * size.utterances
        # What an extraction has is kept beside the file until this is whole.
        return Bytes({"feature files": every}, every)

    def _network(self, jobs: Jobs) -> tuple[int, float, float] | None:
        """The embedding's width, the bytes of the weights, and those of the state of one job."""
        options = self._plan.settings.systems[jobs.system]
        if jobs.rule.startswith("fuse"):
            fused = self._clock.fused(jobs.system)
            if fused is None:
                return None
            weights = float(fused.weights)
            if options.joint:
                learnt = [self._clock.learnt(name) for name in options.fuse]
                weights += sum(entry.weights for entry in learnt if entry is not None)
            return fused.width, weights, _state(options.training, weights)
        learnt_system = self._clock.learnt(jobs.system)
        if learnt_system is None:
            return None
        if jobs.rule != "search":
            steps = getattr(options, "training", None)
            weights = float(learnt_system.weights)
            return learnt_system.width, weights, _state(steps, weights)
        searched = float(learnt_system.searched)
        steps = None if hasattr(options.search, "learning_rate") else options.training
        return learnt_system.width, searched, _rivals(options) * _state(steps, searched, "sgd")

    def _elsewhere(self, jobs: Jobs, width: int) -> float:
        """The predictions for one other corpus, as large as they are on average."""
        named = self._plan.tested_elsewhere(jobs.protocol, jobs.system)
        sizes = [self._corpora[corpus] for corpus in named]
        counts = [size.utterances for size in sizes if size is not None]
        return predictions_bytes(width, sum(counts) / max(1, len(counts)), 1)


def _state(steps: Any, weights: float, optimiser: str = "") -> float:
    """The bytes from which one job goes on: the last epoch's state and the best one's."""
    if steps is None and not optimiser:
        return 0.0
    copies = _COPIES[str(getattr(steps, "optimiser", optimiser))]
    return 2 * weights * copies


def _rivals(options: Any) -> int:
    """How many candidates of a search keep a state at a time, at most."""
    if options.search.method != "cells":
        return 1
    search = options.search
    pool = int(len(search.named) + search.random + (search.archive_limit or 0))
    return math.ceil(pool / int(search.halving)) + 1


@cache
def predictions_bytes(width: int, utterances: float, parts: int) -> float:
    """The size of a file of predictions, scaled from two that are written."""
    few, many = 60, 600
    with TemporaryDirectory() as folder:
        small, large = (
            predictions_file(Path(folder) / f"{count}.h5", width, count, parts)
            for count in (few, many)
        )
    return small + (large - small) / (many - few) * (utterances - few)


def disk_lines(plan: Plan, written: Mapping[Jobs, Bytes], beside: int) -> Iterator[str]:
    """What a run takes, what is there of it, and what is free."""
    keep = plan.settings.keep
    written = {jobs: _kept(jobs, entry, keep) for jobs, entry in written.items()}
    yield "Disk of a run from the beginning:"
    yield f"  {'':<16}{'runs':>10}{'skipped':>14}"
    for kind in KINDS:
        yield f"  {kind:<16}{_shown(written, kind, False):>10}{_shown(written, kind, True):>14}"
    runs = [entry for jobs, entry in written.items() if not jobs.skipped]
    states = sorted((entry.state for entry in runs), reverse=True)
    peak = 0.0 if keep == "none" else sum(states[:beside])
    passing = sum(entry.passing for entry in runs)
    need = sum(sum(entry.kinds.values()) for entry in runs) + peak + passing
    there = sum(map(_size, _paths(written)))
    free = shutil.disk_usage(Path.cwd()).free
    what = "states of unfinished jobs" if keep == "all" else "states, and weights that go again"
    yield f"While it runs, {what}: up to {size(peak + passing)} more."
    yield f"Of all this {size(there)} are there; {size(free)} are free here."
    if need - there > free:
        remedies = ["set keep to best or none"] if keep == "all" else []
        remedies.append("features to store: float16 or fewer layers")
        yield (
            f"warning: {size(need - there - free)} too little is free for this run: make room, or "
            + ", ".join(remedies)
        )


def _kept(jobs: Jobs, entry: Bytes, keep: str) -> Bytes:
    """What stays of it: of weights all, those of one run a system, or none."""
    weights = entry.kinds.get("weights", 0.0)
    if keep == "all" or not weights:
        return entry
    best = keep == "best" and jobs.rule in ("train", "fuse")
    stays = weights / max(1, jobs.count or 1) if best else 0.0
    return replace(entry, kinds={**entry.kinds, "weights": stays}, passing=weights - stays)


def size(number: float) -> str:
    """Bytes for people."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number / 1e3:.0f} kB"


def _shown(written: Mapping[Jobs, Bytes], kind: str, skipped: bool) -> str:
    chosen = [entry for jobs, entry in written.items() if jobs.skipped is skipped]
    known = sum(entry.kinds.get(kind, 0.0) for entry in chosen)
    concerned = [
        entry
        for jobs, entry in written.items()
        if jobs.skipped is skipped and (jobs.rule == "features") == (kind == "feature files")
    ]
    whole = all(entry.whole for entry in concerned)
    if whole:
        return size(known) if known else "-"
    return f"> {size(known)}" if known else "unknown"


def _paths(written: Iterable[Jobs]) -> Iterator[Path]:
    """The files of what is run that may be there already."""
    for jobs in written:
        if jobs.skipped:
            continue
        if jobs.rule == "features":
            yield Path(f"results/features/{jobs.corpus}/{jobs.feature}.h5")
        elif jobs.rule in ("search", "train", "fuse"):
            folder = Path(f"results/{jobs.rule}/{jobs.protocol}/{jobs.system}")
            for pattern in ("weights.safetensors", "predictions.h5", "transfer/*.h5"):
                yield from folder.glob(f"seed*/*/{pattern}")
            yield Path(f"results/evaluate/{jobs.protocol}/{jobs.system}/best.safetensors")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
