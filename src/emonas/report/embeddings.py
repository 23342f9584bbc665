"""The papers' figures of embeddings: what is drawn, and the numbers of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emonas.report.embedded import embedded_file, embedded_fold
from emonas.report.embeddings_options import EmbeddingPanelOptions, EmbeddingsOptions
from emonas.report.own import OwnFigures
from emonas.report.projection import Vectors, class_silhouette, in_two_dimensions, refusal
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.folds import PARTS, read_index
from emonas.storage.predictions import Predictions, joined, read_predictions

POINT_COLUMNS = ("panel", "utterance", "class", "x", "y")
_COLUMNS = (
    Column("panel", "Panel"),
    Column("system", "Our system"),
    Column("protocol", "Protocol"),
    Column("domain", "Domain"),
    Column("fold", "Fold"),
    Column("part", "Part"),
    Column("utterances", "Utterances", "count"),
    Column("silhouette", "Silhouette of the classes", "score"),
)
_NOTES = (
    "The silhouette is the mean over utterances of how much nearer, by cosine distance, one lies "
    "to those of its own class than to those of the next class: 1 where classes are compact and "
    "apart, 0 where they lie within each other. It is that of the embeddings, not of the picture.",
    "t-SNE keeps neighbours together: the sizes of groups and the distances between them mean "
    "nothing. The embeddings are those of seed 0.",
)


@dataclass(frozen=True)
class Cloud:
    """A panel: its utterances with their classes and places (utterances, 2), and the silhouette
    score of the classes; `missing` says why nothing is drawn.
    """

    name: str
    fold: str = ""
    utterances: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    places: Vectors | None = None
    silhouette: float | None = None
    missing: str = ""


def clouds(own: OwnFigures, name: str, options: EmbeddingsOptions, results: Path) -> list[Cloud]:
    """The panels of a figure, in the order of the settings.

    Raises:
        EmonasError: predictions are missing or damaged, or a fold is not known.
    """
    return [
        _cloud(own, f"figures.{name}.panels.{title}", title, panel, results)
        for title, panel in options.panels.items()
    ]


def embeddings_table(
    own: OwnFigures, name: str, options: EmbeddingsOptions, drawn: Iterable[Cloud]
) -> Table:
    """A row a panel: what is drawn, and its silhouette score, or why nothing is."""
    rows: list[Mapping[str, object]] = [
        {
            **options.panels[cloud.name].model_dump(),
            "panel": cloud.name,
            "fold": cloud.fold,
            "utterances": len(cloud.utterances) or None,
            "silhouette": cloud.missing or cloud.silhouette,
        }
        for cloud in drawn
    ]
    columns = tuple(column for column in _COLUMNS if any(row[column.key] for row in rows))
    source = [f"From {options.source}."] if options.source else []
    warned = [
        f"Own figures under {protocol}: {text}"
        for protocol in dict.fromkeys(panel.protocol for panel in options.panels.values())
        if protocol in own.gathered
        for text in warnings(own.gathered[protocol])
    ]
    notes = (*source, *_NOTES, *options.notes, *warned)
    return Table(options.title or name, columns, rows, notes)


def point_rows(drawn: Iterable[Cloud]) -> Iterator[dict[str, object]]:
    """A row a point, with the keys `POINT_COLUMNS`."""
    for cloud in drawn:
        places = [] if cloud.places is None else cloud.places.tolist()
        for utterance, label, place in zip(cloud.utterances, cloud.labels, places, strict=True):
            yield dict(zip(POINT_COLUMNS, (cloud.name, utterance, label, *place), strict=True))


def _cloud(
    own: OwnFigures, path: str, title: str, panel: EmbeddingPanelOptions, results: Path
) -> Cloud:
    protocol = own.gathered.get(panel.protocol)
    if protocol is None or panel.system not in protocol.systems:
        return Cloud(title, panel.fold or "", missing=own.not_run(panel.system, panel.protocol))
    index = read_index(results / "protocols" / panel.protocol / "folds.csv")
    fold = embedded_fold(path, panel, list(index["fold"]))
    seen = _read(results / embedded_file(own.plan, panel, fold), panel)
    if seen is None:
        return Cloud(title, fold, missing=f"the part {panel.part} is empty")
    kept = [place for place, domain in enumerate(_domains(seen)) if panel.domain in (None, domain)]
    if not kept:
        there = listed(sorted(set(_domains(seen)))) or "none"
        text = f"no utterance is of the domain {panel.domain}; the domains are {there}"
        return Cloud(title, fold, missing=text)
    vectors = seen.embedding[kept].astype(np.float64)
    if missing := refusal(vectors):
        return Cloud(title, fold, missing=missing)
    labels = tuple(seen.labels[place] for place in kept)
    return Cloud(
        name=title,
        fold=fold,
        utterances=tuple(seen.utterances[place] for place in kept),
        labels=labels,
        places=in_two_dimensions(vectors),
        silhouette=class_silhouette(vectors, labels),
    )


def _read(path: Path, panel: EmbeddingPanelOptions) -> Predictions | None:
    """The predictions of the panel's part; none where it has no utterance."""
    names = PARTS if panel.part == "all" else (panel.part,)
    parts = [part for name in names if (part := read_predictions(path, name)).utterances]
    return joined(parts) if parts else None


def _domains(seen: Predictions) -> Sequence[str]:
    return seen.domains or ("",) * len(seen.utterances)
