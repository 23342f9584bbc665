"""Names that one part of the settings uses and another must define."""

from collections.abc import Iterable, Iterator
from typing import Any

from emonas.errors import EmonasError
from emonas.fuse.options import FusionOptions
from emonas.settings.messages import nearest


def check_references(settings: Any) -> None:
    """Check every name that is used.

    Raises:
        EmonasError: a name is not defined, or a system needs what it does not have.
    """
    for path, kind, used, defined in _uses(settings):
        if used not in defined:
            raise EmonasError(f"{path}: no {kind} is named {used}{nearest(used, defined)}")
    for name, system in settings.systems.items():
        _check_genotype(name, system)
    _check_runs(settings)


def _uses(settings: Any) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    for name, protocol in settings.protocols.items():
        for corpus in protocol.corpora:
            yield f"protocols.{name}.corpora", "corpus", corpus, settings.corpora
    for name, system in settings.systems.items():
        if isinstance(system, FusionOptions):
            for stream in system.fuse:
                yield f"systems.{name}.fuse", "system", stream, settings.systems
        else:
            for entry in system.inputs:
                yield f"systems.{name}.inputs", "feature", entry.feature, settings.features
    yield from _uses_of_features(settings)
    yield from _uses_of_results(settings)


def _uses_of_features(settings: Any) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """Weights and transcripts that features and recognisers name."""
    for part in ("features", "transcripts"):
        for name, options in getattr(settings, part).items():
            for kind in ("checkpoint", "transcript"):
                used = getattr(options, kind, None)
                if used is not None:
                    defined = getattr(settings, f"{kind}s")
                    yield f"{part}.{name}.{kind}", kind, used, defined
    for index, entry in enumerate(settings.recognition):
        path = f"recognition.{index}"
        yield f"{path}.transcript", "transcript", entry.transcript, settings.transcripts
        for corpus in entry.corpora:
            yield f"{path}.corpora", "corpus", corpus, settings.corpora


def _uses_of_results(settings: Any) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    for index, run in enumerate(settings.runs):
        yield f"runs.{index}.protocol", "protocol", run.protocol, settings.protocols
        for system in run.systems:
            yield f"runs.{index}.systems", "system", system, settings.systems
    for name, table in settings.tables.items():
        if table.protocol is not None:
            yield f"tables.{name}.protocol", "protocol", table.protocol, settings.protocols
        for title, row in table.rows.items():
            if row.system is not None:
                yield f"tables.{name}.rows.{title}.system", "system", row.system, settings.systems
            if row.protocol is not None:
                path = f"tables.{name}.rows.{title}.protocol"
                yield path, "protocol", row.protocol, settings.protocols


def _check_genotype(name: str, system: Any) -> None:
    """A system that is built from a genotype needs a search, unless it names a ready cell."""
    if not hasattr(system, "search"):
        return
    cell = getattr(system, "cell", None)
    if system.search is None and cell is None:
        raise EmonasError(f"systems.{name}.search: is missing; say how its cells are found")
    if system.search is not None and cell is not None:
        raise EmonasError(f"systems.{name}: has both `cell` and `search`; keep one of them")


def _check_runs(settings: Any) -> None:
    for index, run in enumerate(settings.runs):
        for name in run.systems:
            system = settings.systems[name]
            if not isinstance(system, FusionOptions):
                continue
            for stream in system.fuse:
                if isinstance(settings.systems[stream], FusionOptions):
                    raise EmonasError(
                        f"systems.{name}.fuse: {stream} is fused itself; name its streams instead"
                    )
                if stream not in run.systems:
                    raise EmonasError(
                        f"runs.{index}.systems: {name} fuses {stream}, which is not in this run; "
                        "add it"
                    )
