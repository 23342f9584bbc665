"""Names that one part of the settings uses and another must define."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.fuse.options import FusionOptions
from emonas.settings.domains import check_domains, check_joint
from emonas.settings.encoders import check_encoders
from emonas.settings.messages import nearest
from emonas.settings.papers import check_papers, uses_of_papers
from emonas.settings.searches import check_borrowed, check_genotype
from emonas.settings.starts import check_emotions, check_started, check_starts, check_tuned_stream
from emonas.settings.streams import check_streams, check_validation


def check_references(settings: Any) -> None:
    """Check every name that is used.

    Raises:
        EmonasError: a name is not defined, or a system needs what it does not have.
    """
    for path, kind, used, defined in _uses(settings):
        if used not in defined:
            raise EmonasError(f"{path}: no {kind} is named {used}{nearest(used, defined)}")
    for name, system in settings.systems.items():
        check_genotype(settings, name, system)
        for entry in getattr(system, "inputs", ()):
            _check_layers(f"systems.{name}.inputs", entry, settings.features[entry.feature])
    check_streams(settings, _has_layers)
    check_encoders(settings)
    check_starts(settings)
    for feature, options in settings.features.items():
        _check_alone(feature, options, settings)
        _check_own_file(feature, options, settings)
    _check_runs(settings)
    _check_texts(settings)
    check_papers(settings)


def _uses(settings: Any) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    for name, protocol in settings.protocols.items():
        for corpus in protocol.corpora:
            yield f"protocols.{name}.corpora", "corpus", corpus, settings.corpora
        for corpus in protocol.transfer:
            yield f"protocols.{name}.transfer", "corpus", corpus, settings.corpora
    for name, system in settings.systems.items():
        if isinstance(system, FusionOptions):
            for stream in system.fuse:
                yield f"systems.{name}.fuse", "system", stream, settings.systems
        else:
            for entry in system.inputs:
                yield f"systems.{name}.inputs", "feature", entry.feature, settings.features
            yield from _uses_of_encoder(settings, name, system)
    yield from _uses_of_features(settings)
    yield from _uses_of_results(settings)


def _uses_of_encoder(
    settings: Any, name: str, system: Any
) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """The weights and the system that a system begins with."""
    for key, kind, defined in (
        ("checkpoint", "checkpoint", settings.checkpoints),
        ("start", "system", settings.systems),
    ):
        if (used := getattr(system, key, None)) is not None:
            yield f"systems.{name}.{key}", kind, used, defined


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
    yield from _uses_of_leave_out(settings)
    yield from uses_of_papers(settings)


def _uses_of_leave_out(settings: Any) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    for protocol, systems in settings.leave_out.items():
        yield "leave_out", "protocol", protocol, settings.protocols
        run = [name for run in settings.runs if run.protocol == protocol for name in run.systems]
        for system in systems:
            yield f"leave_out.{protocol}", f"system of a run under {protocol}", system, run


def _check_layers(path: str, entry: Any, options: Any) -> None:
    """An input can ask for layers that its feature has and stores."""
    if not entry.layers:
        return
    if not _has_layers(options):
        raise EmonasError(
            f"{path}: {entry.feature} has no layers ({options.extractor}); leave `layers` out"
        )
    for layer in entry.layers:
        if options.layers and layer not in options.layers:
            raise EmonasError(
                f"{path}: asks for layer {layer} of {entry.feature}, and "
                f"features.{entry.feature}.layers stores {', '.join(options.layers)}; add it "
                "there, or leave it out here"
            )


def _has_layers(options: Any) -> bool:
    """Whether a feature of this kind can be asked for a layer."""
    try:
        type(options).model_validate({**options.model_dump(by_alias=True), "layers": ("1",)})
    except ValidationError:
        return False
    return True


def _check_alone(feature: str, options: Any, settings: Any) -> None:
    """A kind that gives one layer where none is asked for can't serve those who ask beside those
    who don't: what is stored is the same for all.
    """
    if not getattr(options, "last_alone", False) or options.layers is not None:
        return
    asks: dict[bool, str] = {}
    for name in dict.fromkeys(name for run in settings.runs for name in run.systems):
        for entry in getattr(settings.systems[name], "inputs", ()):
            if entry.feature == feature:
                asks[bool(entry.layers)] = name
    if len(asks) == 2:
        raise EmonasError(
            f"features.{feature}: {asks[True]} asks for layers of it and {asks[False]} for none, "
            "which is the last alone; name the layers in both, or make two features of it"
        )


def _check_own_file(feature: str, options: Any, settings: Any) -> None:
    """A file of the user's own is none that the workflow makes, and may remove."""
    if not hasattr(options, "file"):
        return
    results = Path("results").absolute()
    for corpus in settings.corpora:
        for path in options.files(corpus):
            # A link into the results is in them, and so is a link that lies there.
            lexical = Path(os.path.normpath(path.absolute()))
            if lexical.is_relative_to(results) or path.resolve().is_relative_to(results.resolve()):
                raise EmonasError(
                    f"features.{feature}.file: names a result of this workflow, which may be made "
                    "again at any time; copy it to another folder"
                )


def _check_texts(settings: Any) -> None:
    """What reads a corpus's own texts, or is held against them, needs words."""
    for user, corpora in _uses_of_texts(settings):
        for corpus in corpora:
            # A reader that is told texts gives their codes without.
            if getattr(settings.corpora[corpus], "texts", None) == {}:
                raise EmonasError(
                    f"corpora.{corpus}.texts: is needed by {user}: without it the corpus's texts "
                    "are codes; give the sentence of each code"
                )


def _uses_of_texts(settings: Any) -> Iterator[tuple[str, Iterable[str]]]:
    """Each part of the settings that takes corpora's own texts, and the corpora."""
    for index, entry in enumerate(settings.recognition):
        yield f"recognition.{index}", entry.corpora
    for run in settings.runs:
        for system in run.systems:
            for entry in getattr(settings.systems[system], "inputs", ()):
                options = settings.features[entry.feature]
                if options.reads and getattr(options, "transcript", None) is None:
                    protocol = settings.protocols[run.protocol]
                    yield f"features.{entry.feature}", (*protocol.corpora, *protocol.transfer)


def _check_runs(settings: Any) -> None:
    check_emotions(settings)
    for index, run in enumerate(settings.runs):
        for name in run.systems:
            system = settings.systems[name]
            protocol = settings.protocols[run.protocol]
            training = getattr(system, "training", None)
            check_domains(f"runs.{index}.protocol", protocol, name, system)
            check_borrowed(f"runs.{index}.systems", run.systems, name, system)
            check_started(f"runs.{index}.systems", run.systems, name, system)
            check_validation(f"runs.{index}.protocol", protocol, name, training)
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
                check_joint(name, system, stream, settings.systems[stream])
                check_tuned_stream(name, system, stream, settings.systems[stream])
                if getattr(settings.systems[stream], "refit", False):
                    raise EmonasError(
                        f"systems.{name}.fuse: {stream} has refit: true, so that it has heard the "
                        "validation part, on which a fusion chooses its epoch; leave refit out"
                    )
