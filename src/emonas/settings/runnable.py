"""What of a settings file can be run here, what not and why, and what each system consists of."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from emonas.fuse.options import FusionOptions
from emonas.kinds import kind_module
from emonas.settings.absent import absent_files, absent_own_files
from emonas.settings.model import SettingsBase
from emonas.settings.pretrained import Pretrained
from emonas.systems.inflatable import inflating_habits
from emonas.systems.task_targets import other_tasks, tells_emotions


class Runnable:
    """A settings file on this machine."""

    def __init__(self, settings: SettingsBase) -> None:
        self.settings: Any = settings
        self.pretrained = Pretrained(settings)

    # What is run, and what is not.

    @cached_property
    def skipped(self) -> list[dict[str, Any]]:
        """Systems that can't be run under a protocol here, each with the reason."""
        entries: dict[tuple[str, str], list[str]] = {}
        for run in self.settings.runs:
            for system in run.systems:
                reason = self._missing(run.protocol, system)
                if reason:
                    entries.setdefault((run.protocol, reason), []).append(system)
        return [
            {"protocol": protocol, "systems": systems, "reason": reason}
            for (protocol, reason), systems in entries.items()
        ]

    @cached_property
    def runs(self) -> dict[tuple[str, str], int]:
        """Seeds by protocol and system, of all that can be run."""
        seeds: dict[tuple[str, str], int] = {}
        for run in self.settings.runs:
            for system in run.systems:
                if not self._missing(run.protocol, system):
                    key = run.protocol, system
                    seeds[key] = max(run.seeds, seeds.get(key, 0))
        return seeds

    @cached_property
    def _possible(self) -> list[tuple[str, str]]:
        """All that can be run here, be it left out or not."""
        asked = [(run.protocol, system) for run in self.settings.runs for system in run.systems]
        return [run for run in asked if not self._lacking(*run)]

    def tells_emotions(self, system: str) -> bool:
        """Whether emotion is what a system learns, alone or among other tasks."""
        return self.is_fused(system) or tells_emotions(self.settings.systems[system])

    def inflates(self, protocol: str, system: str) -> bool:
        """Whether a system is trained again under habits that inflate scores, to measure them."""
        asked = any(
            run.inflation and run.protocol == protocol and system in run.systems
            for run in self.settings.runs
        )
        if not asked or self.is_fused(system) or self.tests_searched(system):
            return False
        return bool(inflating_habits(self.settings.systems[system]))

    @property
    def recognised(self) -> list[tuple[str, str]]:
        """Corpora and transcripts whose error rates the report shows."""
        return [pair for pair, reason in self._recognition.items() if not reason]

    @property
    def unrecognised(self) -> list[dict[str, str]]:
        """Corpora and transcripts whose error rates can't be had here, each with the reason."""
        return [
            {"corpus": corpus, "transcript": transcript, "reason": reason}
            for (corpus, transcript), reason in self._recognition.items()
            if reason
        ]

    @cached_property
    def _recognition(self) -> dict[tuple[str, str], str]:
        """Why error rates can't be had, by corpus and transcript; empty where they can."""
        return {
            (corpus, entry.transcript): self._unheard(corpus, entry.transcript)
            for entry in self.settings.recognition
            for corpus in entry.corpora
        }

    def _unheard(self, corpus: str, transcript: str) -> str:
        reason = self.missing_root(corpus) or self.pretrained.missing_transcript(transcript)
        parts = [
            (f"corpora.{corpus}", self.settings.corpora[corpus]),
            *self.pretrained.parts_of_transcript(transcript),
        ]
        absent = chain.from_iterable(absent_files(*part) for part in parts)
        return reason or next(absent, "")

    @property
    def protocols(self) -> list[str]:
        """The protocols of all runs that can be run, each once."""
        return list(dict.fromkeys(protocol for protocol, _ in self.runs))

    @property
    def untransferred(self) -> list[dict[str, str]]:
        """Other corpora that a protocol's models can't be tested on here, each with the reason."""
        return [
            {"protocol": protocol, "corpus": corpus, "reason": reason}
            for protocol in self.protocols
            for corpus in self.settings.protocols[protocol].transfer
            if (reason := self._missing_transfer(protocol, corpus))
        ]

    def _missing(self, protocol: str, system: str) -> str:
        """Why a system is not run under a protocol here; empty where it is."""
        return self.left_out(protocol, system) or self._lacking(protocol, system)

    def left_out(self, protocol: str, system: str) -> str:
        """Why the settings leave a system out; empty where they do not."""
        named = self.settings.leave_out.get(protocol, ())
        if not named:
            return ""
        for name in self.leans_on(system):
            if name in named:
                needed = "" if name == system else ", which it needs"
                return f"left out by the settings: leave_out.{protocol} names {name}{needed}"
        if any(set(named).isdisjoint(self.leans_on(name)) for name in self._emotional(protocol)):
            return ""
        return f"left out by the settings: leave_out.{protocol} leaves nothing that tells emotions"

    def _emotional(self, protocol: str) -> Iterator[str]:
        """The systems that the settings run under a protocol and that tell emotions."""
        for run in self.settings.runs:
            if run.protocol == protocol:
                yield from filter(self.tells_emotions, run.systems)

    def _lacking(self, protocol: str, system: str) -> str:
        """Why a system can't be run under a protocol here; empty where it can."""
        reasons = [self.missing_root(corpus) for corpus in self.corpora_of(protocol)]
        reasons += [self.pretrained.missing(feature) for feature in self.features_of(system)]
        reasons += [self.pretrained.missing_encoder(name) for name in self.trained_of(system)]
        return next(filter(None, reasons), "") or next(self._absent_files(protocol, system), "")

    def missing_root(self, corpus: str) -> str:
        """Why a corpus can't be read here; empty where it can."""
        options = self.settings.corpora[corpus]
        if not options.needs_root or options.root is not None:
            return ""
        return (
            f"corpora.{corpus}.root is not given: set it in the settings file, with "
            f"--config roots='{{{corpus}: FOLDER}}', or put the corpus into "
            f"$EMONAS_DATA/{corpus}"
        )

    def _missing_transfer(self, protocol: str, corpus: str) -> str:
        """Why a protocol's models can't be tested on another corpus; empty where they can."""
        absent = [absent_files(f"corpora.{corpus}", self.settings.corpora[corpus])]
        systems = (run.systems for run in self.settings.runs if run.protocol == protocol)
        for feature in {f for names in systems for name in names for f in self.features_of(name)}:
            options = self.settings.features[feature]
            absent.append(absent_own_files(f"features.{feature}", options, corpus))
        return self.missing_root(corpus) or min(chain(*absent), default="")

    def _absent_files(self, protocol: str, system: str) -> Iterator[str]:
        """A reason for every file that is named and not there."""
        for key, options in self._parts_of(protocol, system):
            yield from absent_files(key, options)
        for feature in self.features_of(system):
            for corpus in self.corpora_of(protocol):
                options = self.settings.features[feature]
                yield from absent_own_files(f"features.{feature}", options, corpus)

    def _parts_of(self, protocol: str, system: str) -> Iterator[tuple[str, Any]]:
        """The options that a system under a protocol reads, by the path of their key."""
        yield f"protocols.{protocol}", self.settings.protocols[protocol]
        for corpus in self.corpora_of(protocol):
            yield f"corpora.{corpus}", self.settings.corpora[corpus]
        for feature in self.features_of(system):
            yield from self.pretrained.parts_of(feature)
        for name in self.trained_of(system):
            if self.is_searched(name):
                yield from self.searches_of(name)
            yield from self.pretrained.weights_of(self.settings.systems[name])

    def needed_checkpoints(self) -> list[str]:
        """The weights that the features, recognisers and encoders of all runs begin with."""
        parts = [key for run in self.runs for key, _ in self._parts_of(*run)]
        for _, transcript in self.recognised:
            parts += [key for key, _ in self.pretrained.parts_of_transcript(transcript)]
        keys = (key.partition("checkpoints.") for key in dict.fromkeys(parts))
        return [name for before, found, name in keys if found and not before]

    # What a system consists of.

    def is_fused(self, system: str) -> bool:
        """Whether a system fuses others."""
        return isinstance(self.settings.systems[system], FusionOptions)

    def is_searched(self, system: str) -> bool:
        """Whether a system is found by a search."""
        return getattr(self.settings.systems[system], "search", None) is not None

    def searcher_of(self, system: str) -> str:
        """The system whose search finds a searched system's genotypes: most often itself."""
        search = self.settings.systems[system].search
        return search if isinstance(search, str) else system

    def search_of(self, system: str) -> Any:
        """The options of the search that finds a searched system's genotypes."""
        return self.settings.systems[self.searcher_of(system)].search

    def searches(self, system: str) -> bool:
        """Whether a system has a search of its own."""
        return self.is_searched(system) and self.searcher_of(system) == system

    def budget_of(self, system: str) -> str | None:
        """The system whose search says how much that of a searched one may compute."""
        budget: str | None = getattr(self.search_of(system), "budget", None)
        return budget

    def searches_of(self, system: str) -> Iterator[tuple[str, Any]]:
        """The options of a system's search, and of the one that is its budget, by their keys."""
        for name in (self.searcher_of(system), self.budget_of(system)):
            if name is not None:
                yield f"systems.{name}.search", self.search_of(name)

    def stage_of(self, system: str) -> str:
        """The stage whose results hold the system's predictions."""
        return "fuse" if self.is_fused(system) else "train"

    def features_of(self, system: str) -> list[str]:
        """The features that a system, or the streams that it fuses, hear."""
        options = self.settings.systems[system]
        if self.is_fused(system):
            streams: Iterable[str] = options.fuse
            return list(dict.fromkeys(f for stream in streams for f in self.features_of(stream)))
        return list(dict.fromkeys(entry.feature for entry in options.inputs))

    def streams_of(self, system: str) -> list[str]:
        """The systems that a system fuses."""
        return list(self.settings.systems[system].fuse)

    def trained_of(self, system: str) -> list[str]:
        """The trained systems that a system consists of: itself, or the streams that it fuses."""
        return self.streams_of(system) if self.is_fused(system) else [system]

    def start_of(self, system: str) -> str | None:
        """The system that a system starts from, such as a first stage."""
        return getattr(self.settings.systems[system], "start", None)

    def leans_on(self, system: str) -> Iterator[str]:
        """A system, and those that its streams, genotypes, budget or start come from."""
        yield system
        others = [self.start_of(system)]
        if self.is_fused(system):
            others += self.streams_of(system)
        elif self.is_searched(system):
            others += [self.searcher_of(system), self.budget_of(system)]
        for other in others:
            if other is not None and other != system:
                yield from self.leans_on(other)

    def task_corpora(self, system: str, corpora: Iterable[str]) -> list[str]:
        """Those of some corpora whose words, gender or style a system learns: all or none."""
        return list(corpora) if other_tasks(self.settings.systems[system]) else []

    def joint_streams_of(self, system: str) -> list[str]:
        """The streams whose networks are trained on with the fusion; none where they are frozen."""
        return self.streams_of(system) if self.settings.systems[system].joint else []

    def corpora_of(self, protocol: str) -> list[str]:
        """The corpora of a protocol."""
        return list(self.settings.protocols[protocol].corpora)

    def transfers_of(self, protocol: str) -> list[str]:
        """The other corpora that a protocol's models are tested on, as far as they are here."""
        named = self.settings.protocols[protocol].transfer
        return [corpus for corpus in named if not self._missing_transfer(protocol, corpus)]

    def tested_elsewhere(self, protocol: str, system: str) -> list[str]:
        """The other corpora that a system's models are tested on: all, if it tells emotions."""
        trained = self.trained_of(system)
        tells = all(tells_emotions(self.settings.systems[name]) for name in trained)
        return self.transfers_of(protocol) if tells else []

    def heard_corpora(self, protocol: str) -> list[str]:
        """The corpora of a protocol, and those that its models are tested on."""
        return [*self.corpora_of(protocol), *self.transfers_of(protocol)]

    def files_of(self, options: Any) -> list[str]:
        """The files that options name (a table, a list, an archive, a checkpoint)."""
        values = [getattr(options, name) for name in type(options).model_fields]
        return [str(value) for value in values if isinstance(value, Path) and not value.is_dir()]

    def feature_files(self, system: str, corpora: Iterable[str]) -> list[str]:
        """The feature files of some corpora that a system reads."""
        return [
            f"results/features/{corpus}/{feature}.h5"
            for feature in self.features_of(system)
            for corpus in corpora
        ]

    def layers_of(self, feature: str) -> list[str]:
        """The layers of a feature that are stored: those it names, or that systems ask for.

        Empty where they are all. Which system asks first changes nothing, nor who is left out:
        what is stored for it stays.
        """
        options = self.settings.features[feature]
        if getattr(options, "layers", None) is not None:
            return list(options.layers)
        asked = [
            entry.layers
            for _, system in self._possible
            for entry in self._inputs_of(system)
            if entry.feature == feature
        ]
        return sorted(set(chain(*asked)), key=_by_number) if all(asked) else []

    @property
    def libraries(self) -> list[str]:
        """What the jobs of its networks and searches import, besides what most jobs do."""
        modules = []
        for _, system in self.runs:
            for name in self.trained_of(system):
                modules.append(kind_module("network", self.settings.systems[name].network))
                if self.is_searched(name):
                    modules.append(kind_module("method", self.search_of(name).method))
        return sorted(set(chain(*(getattr(module, "LIBRARIES", ()) for module in modules))))

    def _inputs_of(self, system: str) -> Iterator[Any]:
        for name in self.trained_of(system):
            yield from self.settings.systems[name].inputs

    def uses_shared_search(self, system: str) -> bool:
        """Whether one search serves all folds."""
        return self.is_searched(system) and self.search_of(system).shared

    def search_reads_data(self, system: str) -> bool:
        """Whether any utterance has a say in what the search finds."""
        reads: bool = kind_module("method", self.search_of(system).method).READS_DATA
        return reads

    def tests_searched(self, system: str) -> bool:
        """Whether the searched network is tested with its own weights."""
        return self.searches(system) and not self.search_of(system).retrain


def _by_number(layer: str) -> tuple[bool, int, str]:
    """Layers in the order of their numbers, those with other names behind them."""
    return not layer.isdecimal(), int(layer) if layer.isdecimal() else 0, layer
