"""What names and label files alone tell to be wrong, before the first job."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from emonas.corpora.reading import Listing, Recording
from emonas.errors import EmonasError
from emonas.kinds import kind_module
from emonas.protocols.options import ProtocolOptions, TransferOptions
from emonas.protocols.transfer import label_map
from emonas.settings.columns import domains_of_columns, no_domain
from emonas.settings.figures import domains_of_figures
from emonas.settings.own_arrays import check_own_arrays
from emonas.settings.runnable import Runnable

Filters = ProtocolOptions | TransferOptions
_FILTERS = ("style", "language", "gender")


def check_listings(plan: Runnable) -> None:
    """Hold what the runs ask of the corpora against what these hold, where they can be listed.

    Each corpus is read once, and only where it is a table, a protocol has a transfer, a feature
    reads texts or a table shows a language.

    Raises:
        EmonasError: a transfer's map or filters do not fit what there is, an utterance that takes
            part has no text where a feature reads it, a table shows a language that nobody
            speaks, or a corpus is a table that can't be read, or of which no row can be used.
    """
    corpora = _Corpora(plan.settings.corpora)
    for name in plan.protocols:
        options = plan.settings.protocols[name]
        for corpus in plan.heard_corpora(name):
            if hasattr(plan.settings.corpora[corpus], "table"):
                corpora.refuse_useless(corpus)
        for corpus in plan.transfers_of(name):
            _check_transfer(name, options, corpus, options.transfer[corpus], corpora)
        for system, feature in _readers_of_texts(plan, name):
            _check_texts(options, system, feature, corpora)
    _check_languages(plan, corpora)
    _check_domain_options(plan, corpora)
    _check_domains_of_runs(plan, corpora)
    check_own_arrays(plan, corpora.recordings)


def can_be_listed(options: Any) -> bool:
    """Whether the files that a reader lists are there."""
    table = getattr(options, "table", options.root)
    return table is not None and table.exists()


class _Corpora:
    """What the corpora hold, by names and label files; each is read once, when it is asked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._read: dict[str, Listing] = {}

    def recordings(self, corpus: str) -> Sequence[Recording]:
        """What its reader lists; nothing of a synthetic corpus, which is not spoken yet."""
        return self._listing(corpus).recordings

    def refuse_useless(self, corpus: str) -> None:
        """Refuse a table of which no row can be used, with the first reason.

        Raises:
            EmonasError: it is one.
        """
        if not can_be_listed(self._options[corpus]):
            return
        found = self._listing(corpus)
        if not found.recordings:
            why = [f"{row.file}: {row.problem}" for row in found.problems]
            first = why[0] if why else f"{self._options[corpus].table}: it has no rows"
            raise EmonasError(f"corpora.{corpus}: no utterance can be used: {first}")

    def _listing(self, corpus: str) -> Listing:
        options = self._options[corpus]
        if options.synthetic or not can_be_listed(options):
            return Listing()
        if corpus not in self._read:
            reader = kind_module("reader", options.reader)
            self._read[corpus] = reader.read(options, Path("results/corpora") / corpus)
        return self._read[corpus]

    def emotions(self, corpus: str, filters: Filters | None = None) -> set[str]:
        """The emotions of a corpus, or of those utterances that the filters leave."""
        if self._options[corpus].synthetic:
            return set(self._options[corpus].emotions)
        return {
            recording.emotion
            for recording in self.recordings(corpus)
            if filters is None or _passes(recording, filters)
        }

    def languages(self, corpus: str, filters: Filters) -> set[str]:
        """The languages of those utterances that the filters leave."""
        if self._options[corpus].synthetic:
            return set(self._options[corpus].languages)
        recordings = self.recordings(corpus)
        return {row.language for row in recordings if _passes(row, filters)}


def _passes(recording: Recording, filters: Filters) -> bool:
    """Whether the filters leave an utterance; an empty filter leaves all."""
    wanted = ((getattr(recording, key), getattr(filters, key)) for key in _FILTERS)
    return all(value in values for value, values in wanted if values)


def _classes(options: ProtocolOptions, corpora: _Corpora) -> list[str]:
    """The classes of a protocol: its labels, or all that its corpora have after merging."""
    if options.labels is not None:
        return list(options.labels)
    emotions = set().union(*(corpora.emotions(corpus, options) for corpus in options.corpora))
    return sorted({options.merge.get(emotion, emotion) for emotion in emotions} - {""})


def _check_transfer(
    name: str, protocol: ProtocolOptions, corpus: str, options: TransferOptions, corpora: _Corpora
) -> None:
    there, classes = corpora.emotions(corpus) - {""}, _classes(protocol, corpora)
    if not there or not classes:
        # Nothing is listed: the corpus's own job says why.
        return
    path = f"protocols.{name}.transfer.{corpus}"
    counted = label_map(path, options.map, sorted(there), classes)
    if corpora.emotions(corpus, options).isdisjoint(counted):
        raise EmonasError(
            f"{path}: labels and filters leave no utterance of {corpus}; widen them or leave the "
            "corpus out"
        )


def _check_languages(plan: Runnable, corpora: _Corpora) -> None:
    """What a table or figure shows of one language is spoken, where all corpora can be listed."""
    used = chain(domains_of_columns(plan.settings), domains_of_figures(plan.settings))
    for path, protocol, domain in used:
        options = plan.settings.protocols[protocol]
        if options.domain != "language" or protocol not in plan.protocols:
            continue
        spoken = [corpora.languages(corpus, options) for corpus in options.corpora]
        known = set().union(*spoken)
        if all(spoken) and domain not in known:
            raise EmonasError(f"{path}: {no_domain(protocol, domain, known)}")


def _check_domain_options(plan: Runnable, corpora: _Corpora) -> None:
    """What a system says of one domain is of one in which it is run, where all can be listed."""
    for system in dict.fromkeys(system for _, system in plan.runs):
        own = getattr(plan.settings.systems[system], "domains", {})
        if not own:
            continue
        # Where a corpus is absent, its domain is not known, and may be the one.
        protocols = [run.protocol for run in plan.settings.runs if system in run.systems]
        found = [_domains(plan, protocol, corpora) for protocol in protocols]
        if not all(found):
            continue
        known = set().union(*found)
        if unknown := sorted(set(own) - known):
            raise EmonasError(
                f"systems.{system}.domains.{unknown[0]}: no utterance of its runs is of this "
                f"domain; there are {', '.join(sorted(known))}"
            )


def _check_domains_of_runs(plan: Runnable, corpora: _Corpora) -> None:
    """A system of one domain meets one alone, and no transfer is to a domain never heard."""
    for protocol, system in plan.runs:
        options = plan.settings.systems[system]
        module = kind_module("network", options.network) if hasattr(options, "network") else None
        if not getattr(module, "DOMAINS", False):
            continue
        known = _domains(plan, protocol, corpora)
        if not known:
            continue
        _refuse_lone_classes(protocol, system, plan, corpora)
        if getattr(module, "ONE_DOMAIN", False) and len(known) > 1:
            raise EmonasError(
                f"protocols.{protocol}: {system} ({options.network}) learns one domain, and there "
                f"are {', '.join(sorted(known))}; run it under a protocol of one of them, or "
                "choose another network"
            )
        for corpus, other in plan.settings.protocols[protocol].transfer.items():
            if new := sorted(corpora.languages(corpus, other) - known):
                raise EmonasError(
                    f"protocols.{protocol}.transfer.{corpus}: is of {new[0]}, which {system} "
                    f"({options.network}) never heard; it learns {', '.join(sorted(known))}: leave "
                    "the transfer out, or take it to a protocol of other systems"
                )


def _refuse_lone_classes(protocol: str, system: str, plan: Runnable, corpora: _Corpora) -> None:
    """Every domain that a system tells apart has at least two classes, as far as is known here."""
    options = plan.settings.protocols[protocol]
    found: dict[str, set[str]] = {}
    for corpus in options.corpora:
        uttered = corpora.emotions(corpus, options) - {""}
        there = {options.merge.get(emotion, emotion) for emotion in uttered}
        names = {corpus} if options.domain == "corpus" else corpora.languages(corpus, options)
        if not there or not names:
            return
        asked = options.labels_of.get(corpus, options.labels)
        for name in names:
            found.setdefault(name, set()).update(there if asked is None else there & set(asked))
    for name, classes in sorted(found.items()):
        if len(classes) < 2:
            only = f"one class only, {next(iter(classes))}" if classes else "no class"
            raise EmonasError(
                f"protocols.{protocol}: of domain {name} there is {only}, so that {system} has "
                "nothing to tell apart there; give it labels with at least two, or leave its "
                "corpora out"
            )


def _domains(plan: Runnable, protocol: str, corpora: _Corpora) -> set[str]:
    """The domains of a protocol; none where they are not told apart, or can't be listed."""
    options = plan.settings.protocols[protocol]
    if options.domain == "corpus":
        return set(options.corpora)
    spoken = [corpora.languages(corpus, options) for corpus in options.corpora]
    return set().union(*spoken) if options.domain == "language" and all(spoken) else set()


def _readers_of_texts(plan: Runnable, protocol: str) -> Iterator[tuple[str, str]]:
    """Systems that are run under a protocol, each with a feature made of the corpora's own texts.

    The streams of a fused system are among them: they stand in the same run.
    """
    settings = plan.settings
    for system in (name for run, name in plan.runs if run == protocol):
        for entry in getattr(settings.systems[system], "inputs", ()):
            options = settings.features[entry.feature]
            if options.reads and getattr(options, "transcript", None) is None:
                yield system, entry.feature


def _check_texts(protocol: ProtocolOptions, system: str, feature: str, corpora: _Corpora) -> None:
    classes = _classes(protocol, corpora)
    parts: list[tuple[str, Filters, Mapping[str, str]]] = [
        *((corpus, protocol, protocol.merge) for corpus in protocol.corpora),
        *((corpus, options, options.map) for corpus, options in protocol.transfer.items()),
    ]
    for corpus, filters, renamed in parts:
        silent = [
            recording.utterance
            for recording in corpora.recordings(corpus)
            if not recording.text.strip()
            and renamed.get(recording.emotion, recording.emotion) in classes
            and _passes(recording, filters)
        ]
        if silent:
            first = f" (the first of {len(silent)})" if len(silent) > 1 else ""
            raise EmonasError(
                f"corpora.{corpus}: utterance {silent[0]} has no text{first}, and "
                f"features.{feature} of system {system} reads the corpus's own; fill the text, or "
                f"name a transcript under features.{feature}.transcript"
            )
