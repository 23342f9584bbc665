"""Figures of embeddings: the points, the silhouette, and what is said where there are none."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from emonas.errors import EmonasError
from emonas.report.embedded import embedded_files
from emonas.report.embeddings import POINT_COLUMNS, Cloud, clouds, embeddings_table
from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.figure_kinds import AnyFigureOptions
from emonas.report.figures.embeddings import draw_embeddings
from emonas.report.names import report_figures, report_tables
from emonas.report.options import FigureOptions
from emonas.report.paper_figures import write_paper_figure
from emonas.report.projection import class_silhouette, in_two_dimensions, refusal
from emonas.storage.predictions import read_predictions, write_predictions

FIRST = "train/langs/{}/seed0/run0/predictions.h5"


def figure(**panels):
    said = {
        name.replace("_", " "): {"protocol": "langs", **panel} for name, panel in panels.items()
    }
    return EmbeddingsOptions(kind="embeddings", panels=said)


def blobs(spread, count=60, width=5):
    draw = np.random.default_rng(3)
    labels = [f"class{number % 3}" for number in range(count)]
    return 4 * np.eye(width)[[int(label[-1]) for label in labels]] + draw.normal(
        0, spread, (count, width)
    ), labels


def by_hand(vectors, labels):
    """The silhouette by its definition: (b - a) / max(a, b) of each vector, a and b mean cosine
    distances to the others of its own class, and to those of the next class.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    scores = []
    for place, label in enumerate(labels):
        means = {
            name: np.mean(
                [
                    distances[place, other]
                    for other in range(len(labels))
                    if labels[other] == name and other != place
                ]
            )
            for name in set(labels)
        }
        own = means.pop(label)
        scores.append((min(means.values()) - own) / max(own, min(means.values())))
    return np.mean(scores)


def test_the_silhouette_is_that_of_its_definition_and_higher_for_tight_classes():
    scores = []
    for spread in (0.3, 1.0, 3.0):
        vectors, labels = blobs(spread)
        scores.append(class_silhouette(vectors, labels))
        assert scores[-1] == pytest.approx(by_hand(vectors, labels), rel=1e-9)
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.8
    assert scores[2] < 0.3


def test_a_silhouette_without_meaning_is_none():
    vectors, _ = blobs(0.3, count=6)
    assert class_silhouette(vectors, ["one"] * 6) is None
    assert class_silhouette(vectors, list("abcdef")) is None


@pytest.mark.parametrize("count", [5, 20, 60])
def test_places_are_the_same_twice_and_keep_blobs_apart(count):
    vectors, labels = blobs(0.3, count)
    places = in_two_dimensions(vectors)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert places.tobytes() == in_two_dimensions(vectors).tobytes()
    if count == 60:
        distances = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        nearest = distances.argmin(axis=1)
        assert [labels[place] for place in nearest] == labels


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (np.ones((4, 3)), "too few utterances: 4"),
        (np.arange(9.0)[:, None], "less than two numbers"),
        (np.full((9, 3), np.nan), "not finite"),
        (np.ones((9, 3)), "all the same"),
    ],
)
def test_what_has_no_two_dimensions(vectors, words):
    assert words in refusal(vectors)


def test_a_panel_holds_the_utterances_of_its_domain_and_part(domain_own, domain_results):
    options = domain_own.plan.figures["figure3"]
    without, with_loss = clouds(domain_own, "figure3", options, domain_results)
    seen = read_predictions(domain_results / FIRST.format("ours"), "test")
    kept = [place for place, domain in enumerate(seen.domains) if domain == "de"]
    assert with_loss.name == "with"
    assert with_loss.utterances == tuple(seen.utterances[place] for place in kept)
    assert with_loss.labels == tuple(seen.labels[place] for place in kept)
    assert with_loss.places.shape == (30, 2)
    vectors = seen.embedding[kept].astype(float)
    assert with_loss.silhouette == pytest.approx(by_hand(vectors, with_loss.labels), rel=1e-6)
    assert with_loss.silhouette > without.silhouette + 0.3


def test_other_parts_and_folds(domain_own, domain_results):
    options = figure(
        all={"system": "ours", "part": "all"},
        train={"system": "ours", "part": "train", "domain": "fr", "fold": "run1"},
    )
    every, train = clouds(domain_own, "f", options, domain_results)
    assert len(every.utterances) == 3 * (30 + 8 + 8)
    assert [name.rsplit("-", 1)[0] for name in train.utterances] == ["train-fr"] * 8
    assert (every.fold, train.fold) == ("run0", "run1")


def test_a_part_may_be_empty(domain_own, domain_results, tmp_path):
    results = tmp_path / "results"
    (results / "protocols/langs").mkdir(parents=True)
    index = "protocols/langs/folds.csv"
    (results / index).write_bytes((domain_results / index).read_bytes())
    test = read_predictions(domain_results / FIRST.format("ours"), "test")
    empty = replace(
        test,
        utterances=(),
        corpora=(),
        labels=(),
        domains=(),
        logits=test.logits[:0],
        embedding=np.zeros((0, 0), dtype=np.float32),
    )
    parts = {"train": test, "validation": empty, "test": test}
    write_predictions(results / FIRST.format("ours"), parts)
    options = figure(
        all={"system": "ours", "part": "all"}, none={"system": "ours", "part": "validation"}
    )
    every, none = clouds(domain_own, "f", options, results)
    assert len(every.utterances) == 2 * len(test.utterances)
    assert none.missing == "the part validation is empty"


def test_the_files_of_a_figure(domain_own, domain_results, tmp_path):
    options = domain_own.plan.figures["figure3"]
    folders = [tmp_path / "a folder", tmp_path / "another"]
    for folder in folders:
        made = write_paper_figure(domain_own, "figure3", options, domain_results, folder)
    files = [path.relative_to(folders[0]) for path in folders[0].rglob("*.*")]
    for file in files:
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes(), file
    with (folders[0] / made.points).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == POINT_COLUMNS
    panels = clouds(domain_own, "figure3", options, domain_results)
    assert [tuple(row.values())[:3] for row in rows] == [
        (cloud.name, *point)
        for cloud in panels
        for point in zip(cloud.utterances, cloud.labels, strict=True)
    ]
    places = np.concatenate([cloud.places for cloud in panels])
    np.testing.assert_array_equal([[float(row["x"]), float(row["y"])] for row in rows], places)
    assert f"with {panels[1].silhouette:.2f}" in made.caption
    with (folders[0] / f"{made.stem}.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["panel"]: float(row["silhouette"]) for row in csv.DictReader(file)}
    assert scores == {cloud.name: cloud.silhouette for cloud in panels}
    assert "The caption names alpha 0.1, the text 0.01." in made.table.notes


def test_what_was_not_run_says_why(domain_own, domain_results, tmp_path):
    options = figure(
        skipped={"system": "byol-alone"},
        no_such={"system": "ours", "domain": "it"},
        few={"system": "ours", "domain": "de"},
    )
    drawn = clouds(domain_own, "f", options, domain_results)
    assert [cloud.missing for cloud in drawn] == [
        "not run under langs: features.byol needs weights that are not here",
        "no utterance is of the domain it; the domains are de, en and fr",
        "",
    ]
    table = embeddings_table(domain_own, "f", options, drawn)
    assert [row["silhouette"] for row in table.rows][:2] == [c.missing for c in drawn[:2]]
    draw_embeddings(drawn, tmp_path / "f.svg")
    said = re.findall(r"<!-- (.*?) -->", (tmp_path / "f.svg").read_text(encoding="utf-8"))
    assert "not run under langs: features.byol" in said
    assert {"angry", "happy", "neutral", "sad"} <= set(said)


def test_a_class_has_one_colour_in_all_panels(domain_own, domain_results, tmp_path):
    options = domain_own.plan.figures["figure3"]
    left, right = clouds(domain_own, "f", options, domain_results)
    kept = [place for place, label in enumerate(left.labels) if label in ("neutral", "sad")]
    left = replace(
        left,
        utterances=tuple(left.utterances[place] for place in kept),
        labels=tuple(left.labels[place] for place in kept),
        places=left.places[kept],
    )
    draw_embeddings([left, right], tmp_path / "f.svg")
    panels = (tmp_path / "f.svg").read_text(encoding="utf-8").split('<g id="axes_')[1:]
    colours = [set(re.findall(r"fill: (#[0-9a-f]{6}); fill-opacity", panel)) for panel in panels]
    assert len(colours[1]) == 4
    assert len(colours[0]) == 2
    assert colours[0] < colours[1]


@pytest.mark.parametrize(("points", "images"), [(300, 0), (6000, 1)])
def test_so_many_points_are_an_image_within_the_drawing(tmp_path, points, images):
    places = np.random.default_rng(0).normal(size=(points, 2))
    labels = tuple(("angry", "sad")[place % 2] for place in range(points))
    names = tuple(map(str, range(points)))
    draw_embeddings([Cloud("all", "a", names, labels, places, 0.1)], tmp_path / "f.svg")
    drawing = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert drawing.count("<image") == images
    assert len(drawing) < 300_000
    assert {"angry", "sad"} <= set(re.findall(r"<!-- (.*?) -->", drawing))


def test_what_the_report_reads_and_writes(domain_plan):
    assert embedded_files(domain_plan, "langs", ["run0", "run1"]) == [
        FIRST.format("base"),
        FIRST.format("ours"),
    ]
    assert embedded_files(domain_plan, "french", ["run0", "run1"]) == []
    skipped = domain_plan.model_copy(
        update={"figures": {"f": figure(skipped={"system": "byol-alone"})}}
    )
    assert embedded_files(skipped, "langs", ["run0"]) == []
    bad = domain_plan.model_copy(
        update={"figures": {"f": figure(bad={"system": "ours", "fold": "run7"})}}
    )
    with pytest.raises(EmonasError, match=r"figures\.f\.panels\.bad\.fold: .* has no fold run7"):
        embedded_files(bad, "langs", ["run0", "run1"])
    assert "figures/figure3.svg" in report_figures(domain_plan)
    tables = report_tables(domain_plan)
    assert {"tables/figure3.csv", "tables/figure3-panels.md", "tables/figure4.tex"} <= set(tables)
    assert "tables/figure3.md" not in tables


def test_a_fused_system_is_read_where_it_is_fused(domain_plan):
    card = domain_plan.systems["ours"].model_copy(update={"kind": "fusion"})
    fused = domain_plan.model_copy(update={"systems": {**domain_plan.systems, "ours": card}})
    assert embedded_files(fused, "langs", ["run0"])[1].startswith("fuse/langs/ours/")


def test_kinds_are_told_apart_and_survive_the_way_into_a_job(domain_plan):
    kinds = TypeAdapter(AnyFigureOptions)
    for options in domain_plan.figures.values():
        assert kinds.validate_python(options.model_dump(mode="json")) == options
    lines = kinds.validate_python({"lines": {"x": {}}, "panels": {"p": {"points": {1: "ours"}}}})
    assert isinstance(lines, FigureOptions)
    with pytest.raises(ValidationError, match="embedings"):
        kinds.validate_python({"kind": "embedings", "panels": {}})
