"""What a settings file gave on the machine of its run, as the run's own report tells."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path

from emonas.report.plan import ReportPlan
from emonas.settings.load import check_settings
from emonas.settings.model import SettingsBase
from emonas.settings.plan import Plan
from emonas.settings.yaml_file import read_yaml


class AsRun(Plan):
    """The jobs of a settings file where corpora and weights were as a report tells.

    What was not there on that machine is all that is taken from the report; the rest is the file's.
    A reason is taken only where nothing that was run there needed what it says was missing.
    """

    def __init__(self, settings: SettingsBase, told: ReportPlan) -> None:
        super().__init__(settings)
        self._told = told

    def _lacking(self, protocol: str, system: str) -> str:
        reasons = [
            entry.reason
            for entry in self._told.skipped
            if entry.protocol == protocol and system in entry.systems
        ]
        return self._believed(next(iter(reasons), ""), self._needs(protocol, system))

    def _missing_transfer(self, protocol: str, corpus: str) -> str:
        reasons = {
            (entry.protocol, entry.corpus): entry.reason for entry in self._told.untransferred
        }
        card = self._told.protocols.get(protocol)
        if card is not None and protocol not in self._told.run_protocols():
            # Of a protocol that was not run the report gives no reasons.
            return "" if corpus in card.transfer else "it was not there"
        features = chain.from_iterable(
            self.features_of(system)
            for run in self.settings.runs
            for system in run.systems
            if run.protocol == protocol
        )
        needed = {f"corpora.{corpus}", *(f"features.{name} of {corpus}" for name in features)}
        return self._believed(reasons.get((protocol, corpus), ""), needed)

    def _unheard(self, corpus: str, transcript: str) -> str:
        reasons = {
            (entry.corpus, entry.transcript): entry.reason for entry in self._told.unrecognised
        }
        return self._believed(
            reasons.get((corpus, transcript), ""), self._needs_heard(corpus, transcript)
        )

    def _believed(self, reason: str, needed: set[str]) -> str:
        """A reason as it is told; empty where it can't have been one."""
        lacks = [key for key in needed if reason.startswith(tuple(_named(key)))]
        # Of `a` and `a.b` it names the latter; a feature's files are told for any of its corpora.
        longest = max((len(_part(key)) for key in lacks), default=0)
        lacks = [key for key in lacks if len(_part(key)) == longest]
        if not lacks or all(key in self._used for key in lacks):
            return ""
        section, _, name = lacks[0].partition(".")
        rootless = section == "corpora" and not self.settings.corpora[name].needs_root
        return "" if rootless and reason.startswith(f"{lacks[0]}.root ") else reason

    @cached_property
    def _used(self) -> set[str]:
        """The keys of all that the runs of the report needed, and so had."""
        runs = [
            (protocol, system)
            for protocol in self._told.run_protocols()
            for system in self._told.run_systems(protocol)
        ]
        used = {key for run in runs for key in self._needs(*run)}
        for protocol, system in runs:
            for corpus in self._told.protocols[protocol].transfer:
                used |= {f"corpora.{corpus}"}
                used |= {f"features.{name} of {corpus}" for name in self.features_of(system)}
        return used | {key for pair in self._told.recognition for key in self._needs_heard(*pair)}

    def _needs(self, protocol: str, system: str) -> set[str]:
        """The keys of what a system under a protocol needs; a feature's with each corpus."""
        keys = {key for key, _ in self._parts_of(protocol, system)}
        keys -= {f"features.{name}" for name in self.features_of(system)}
        return {
            *keys,
            *(f"systems.{name}" for name in self.trained_of(system)),
            *(
                f"features.{name} of {corpus}"
                for name in self.features_of(system)
                for corpus in self.corpora_of(protocol)
            ),
        }

    def _needs_heard(self, corpus: str, transcript: str) -> set[str]:
        parts = self.pretrained.parts_of_transcript(transcript)
        return {f"corpora.{corpus}", *(key for key, _ in parts)}


def _part(key: str) -> str:
    return key.partition(" of ")[0]


def _named(key: str) -> Iterator[str]:
    """How a reason begins that names a part."""
    return (f"{_part(key)}{sign}" for sign in ".: ")


def load_elsewhere(path: Path) -> SettingsBase:
    """Read the settings file of another machine, whose corpora's folders are not looked for.

    Raises:
        EmonasError: it is missing, no YAML, or something in it is wrong.
    """
    document = read_yaml(path)
    if isinstance(document, Mapping):
        document = {key: value for key, value in document.items() if key != "roots"}
        if isinstance(corpora := document.get("corpora"), Mapping):
            document["corpora"] = {name: _without_root(entry) for name, entry in corpora.items()}
    return check_settings(document)


def _without_root(corpus: object) -> object:
    if not isinstance(corpus, Mapping):
        return corpus
    return {key: value for key, value in corpus.items() if key != "root"}
