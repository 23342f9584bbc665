"""Hours of jobs, scaled from rehearsals, which equal systems share."""

from dataclasses import dataclass
from pathlib import Path

from emonas.errors import EmonasError
from emonas.features.extraction import Resources
from emonas.learning.devices import prepare
from emonas.settings.absent import absent_files, absent_own_files
from emonas.settings.forecast.jobs import Jobs, all_runs
from emonas.settings.forecast.rehearsal import (
    REHEARSAL,
    Fused,
    Heard,
    Learnt,
    rehearse_extraction,
    rehearse_fusion,
    rehearse_system,
)
from emonas.settings.passes import search_passes, training_passes
from emonas.settings.plan import Plan
from emonas.settings.sizes import CorpusSize, ProtocolSize
from emonas.systems.inflatable import inflating_habits

_HOUR = 3600.0


@dataclass(frozen=True)
class Hours:
    """Hours of one core as far as they are known, and whether that is all."""

    known: float = 0.0
    whole: bool = True


UNKNOWN = Hours(0.0, whole=False)


class Clock:
    """Says how long jobs take; `unknown` has a sentence for everything that it can't tell."""

    def __init__(
        self,
        plan: Plan,
        sizes: dict[str, ProtocolSize | None],
        corpora: dict[str, CorpusSize | None],
        folder: str,
    ) -> None:
        prepare(plan.settings.runtime, 0)
        self._plan = plan
        self._sizes = sizes
        self._corpora = corpora
        self._folder = Path(folder)
        self._heard: dict[str, Heard | None] = {}
        self._learnt: dict[str, Learnt | None] = {}
        self._fused: dict[str, Fused | None] = {}
        self.unknown: list[str] = []

    def hours(self, jobs: Jobs) -> Hours:
        """Hours of one core for some jobs."""
        if jobs.rule == "features":
            return self._extraction(jobs)
        if jobs.rule == "transcripts":
            self._tell(f"transcripts.{jobs.transcript}: recognisers are not rehearsed")
            return UNKNOWN
        if jobs.rule not in ("search", "train", "train_inflated", "fuse"):
            return Hours()
        size = self._sizes[jobs.protocol]
        if size is None or jobs.count is None:
            return UNKNOWN
        seconds = self._fusion(jobs) if jobs.rule == "fuse" else self._learning(jobs)
        return UNKNOWN if seconds is None else Hours(seconds * size.train * jobs.count / _HOUR)

    def _extraction(self, jobs: Jobs) -> Hours:
        heard, size = self.heard(jobs.feature), self._corpora[jobs.corpus]
        if heard is None or size is None:
            return UNKNOWN
        return Hours(heard.seconds * size.utterances / _HOUR)

    def _learning(self, jobs: Jobs) -> float | None:
        """Seconds an utterance of one search or training, over all epochs."""
        learnt = self.learnt(jobs.system)
        if learnt is None:
            return None
        if jobs.rule == "search":
            epochs = self._search_epochs(jobs.system)
            return None if epochs is None else learnt.search * epochs
        times = 1
        if jobs.rule == "train_inflated":
            times = len(inflating_habits(self._plan.settings.systems[jobs.system]))
        return times * learnt.train * training_passes(self._plan, jobs.system)

    def _search_epochs(self, system: str) -> int | None:
        """Epochs of all candidates together."""
        epochs = search_passes(self._plan, system)
        if epochs is None:
            self._tell(f"systems.{system}.search: how many candidates there are is not known")
        return epochs

    def _fusion(self, jobs: Jobs) -> float | None:
        options = self._plan.settings.systems[jobs.system]
        fused = self.fused(jobs.system)
        if fused is None:
            return None
        seconds = fused.seconds
        if options.joint:
            learnt = [self.learnt(name) for name in options.fuse]
            seconds += sum(entry.train for entry in learnt if entry is not None)
        return seconds * float(options.training.epochs)

    def fused(self, system: str) -> Fused | None:
        """What a fusion takes; None where it, or one of its streams, can't be rehearsed."""
        options = self._plan.settings.systems[system]
        learnt = {name: self.learnt(name) for name in options.fuse}
        streams = {name: entry for name, entry in learnt.items() if entry is not None}
        if len(streams) < len(learnt):
            return None
        widths = {name: entry.width for name, entry in streams.items()}
        if system not in self._fused:
            folder, runtime = self._folder / "fuse" / system, self._plan.settings.runtime
            try:
                self._fused[system] = rehearse_fusion(options, widths, runtime, folder)
            except EmonasError as error:
                self._fused[system] = None
                self._tell_of(system, error)
        return self._fused[system]

    def heard(self, feature: str) -> Heard | None:
        """What a feature gives; None where it can't be rehearsed."""
        if feature not in self._heard:
            options = self._plan.settings.features[feature]
            known = [size.seconds for size in self._corpora.values() if size is not None]
            seconds = max(known, default=1.0)
            try:
                resources = Resources(
                    runtime=self._plan.settings.runtime,
                    checkpoint=self._plan.pretrained.located(options),
                    layers=tuple(self._plan.layers_of(feature)),
                )
                self._heard[feature] = rehearse_extraction(options, seconds, resources)
            except EmonasError as error:
                self._heard[feature] = None
                self._tell(f"features.{feature}: {error}")
            else:
                if self._heard[feature] is None:
                    self._tell(self._why_unheard(feature))
        return self._heard[feature]

    def _why_unheard(self, feature: str) -> str:
        """Why an extraction is not rehearsed."""
        options, key = self._plan.settings.features[feature], f"features.{feature}"
        absent = [self._plan.pretrained.missing(feature)]
        for part in self._plan.pretrained.parts_of(feature):
            absent += absent_files(*part)
        for protocol, system in all_runs(self._plan):
            if feature in self._plan.features_of(system):
                for corpus in self._plan.heard_corpora(protocol):
                    absent += absent_own_files(key, options, corpus)
        if options.reads:
            reason = "its words are not known before the run"
        elif not options.hears:
            reason = "precomputed features are read and not extracted, which takes little"
        else:
            reason = "what it reads is not there yet"
        return next(filter(None, absent), "") or f"{key}: {reason}"

    def learnt(self, system: str) -> Learnt | None:
        """What a system takes; None where it can't be rehearsed."""
        options, names = self._plan.settings.systems[system], self._plan.features_of(system)
        if self._plan.is_searched(system):
            options = options.model_copy(update={"search": self._plan.search_of(system)})
        heard = {name: self.heard(name) for name in names}
        there = {name: entry for name, entry in heard.items() if entry is not None}
        if len(there) < len(heard):
            return None
        # Systems that differ in name only are rehearsed once.
        key = options.model_dump_json()
        if key not in self._learnt:
            folder, runtime = self._folder / str(len(self._learnt)), self._plan.settings.runtime
            try:
                located = self._plan.pretrained.located(options)
                weights = None if located is None else located.path
                self._learnt[key] = rehearse_system(options, there, runtime, folder, weights)
            except EmonasError as error:
                self._learnt[key] = None
                self._tell_of(system, error)
        return self._learnt[key]

    def _tell_of(self, system: str, error: EmonasError) -> None:
        """Keys that an error names are those of the system, and not of its rehearsal."""
        own = str(error).replace(f"systems.{REHEARSAL}", f"systems.{system}")
        self._tell(f"systems.{system}: {own}")

    def _tell(self, reason: str) -> None:
        if reason not in self.unknown:
            self.unknown.append(reason)
