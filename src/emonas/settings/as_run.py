"""What a settings file gave on the machine of its run, as the run's own report tells."""

from collections.abc import Mapping
from pathlib import Path

from emonas.report.plan import ReportPlan
from emonas.settings.load import check_settings
from emonas.settings.model import SettingsBase
from emonas.settings.plan import Plan
from emonas.settings.yaml_file import read_yaml


class AsRun(Plan):
    """The jobs of a settings file where corpora and weights were as a report tells.

    What was not there on that machine is all that is taken from the report; the rest is the file's.
    """

    def __init__(self, settings: SettingsBase, told: ReportPlan) -> None:
        super().__init__(settings)
        self._told = told

    def _missing(self, protocol: str, system: str) -> str:
        reasons = [
            entry.reason
            for entry in self._told.skipped
            if entry.protocol == protocol and system in entry.systems
        ]
        return next(iter(reasons), "")

    def _missing_transfer(self, protocol: str, corpus: str) -> str:
        reasons = {
            (entry.protocol, entry.corpus): entry.reason for entry in self._told.untransferred
        }
        card = self._told.protocols.get(protocol)
        if card is not None and protocol not in self._told.run_protocols():
            # Of a protocol that was not run the report gives no reasons.
            return "" if corpus in card.transfer else "it was not there"
        return reasons.get((protocol, corpus), "")

    def _unheard(self, corpus: str, transcript: str) -> str:
        reasons = {
            (entry.corpus, entry.transcript): entry.reason for entry in self._told.unrecognised
        }
        return reasons.get((corpus, transcript), "")


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
