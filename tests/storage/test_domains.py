"""Predictions and metrics of protocols whose utterances have domains."""

from dataclasses import fields, replace

import h5py
import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.storage.metrics import (
    Figure,
    FoldScore,
    Metrics,
    OfDomain,
    Parameters,
    read_metrics,
    write_metrics,
)
from emonas.storage.predictions import Predictions, joined, read_predictions, write_predictions

DOMAINS = ("de", "français", "de", "en")


def predictions(**given):
    generator = np.random.default_rng(6)
    logits = generator.normal(size=(4, 3)).astype(np.float32)
    # French has no class of the first column, German none of the last.
    logits[1, 0] = logits[0, 2] = logits[2, 2] = -np.inf
    part = Predictions(
        utterances=("a", "b", "c", "d"),
        corpora=("rede", "parole", "rede", "talk"),
        labels=("sad", "happy", "angry", "happy"),
        classes=("angry", "sad", "happy"),
        logits=logits,
        embedding=generator.normal(size=(4, 2)).astype(np.float32),
        domains=DOMAINS,
        gates=generator.dirichlet([1, 1], size=4).astype(np.float32),
        gated=("ge2e", "mfcc ü"),
    )
    return replace(part, **given)


def same(found, wanted):
    for field in fields(Predictions):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == np.float32
        else:
            assert one == other, field.name


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"gates": None, "gated": ()},
        {"domains": ()},
        {"domains": (), "gates": None, "gated": ()},
    ],
)
def test_domains_and_gates_come_back_where_there_are_any(tmp_path, given):
    part = predictions(**given)
    write_predictions(tmp_path / "p.h5", {"test": part, "train": predictions()})
    same(read_predictions(tmp_path / "p.h5", "test"), part)
    same(read_predictions(tmp_path / "p.h5", "train"), predictions())


def test_a_class_of_no_utterance_of_the_domain_has_no_probability(tmp_path):
    write_predictions(tmp_path / "p.h5", {"test": predictions()})
    part = read_predictions(tmp_path / "p.h5", "test")
    assert part.probabilities[1, 0] == part.probabilities[0, 2] == 0
    np.testing.assert_allclose(part.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert part.predicted[1] != "angry"


def pieces():
    whole = predictions()
    return [
        Predictions(
            *(
                value if name in ("classes", "gated", "tasks") else value[rows]
                for name, value in ((f.name, getattr(whole, f.name)) for f in fields(Predictions))
            )
        )
        for rows in (slice(0, 1), slice(1, 3), slice(3, 4))
    ]


def test_pieces_are_joined_with_their_domains_and_gates():
    same(joined(pieces()), predictions())


def test_gates_are_joined_only_where_every_piece_has_them():
    first, *others = pieces()
    found = joined([replace(first, gates=None), *others])
    assert found.gates is None
    assert found.domains == DOMAINS


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("domain", "names and domains do not agree"),
        ("gates", "gates and features do not agree"),
        ("features", "gates and features do not agree"),
        ("nameless", "features"),
    ],
)
def test_what_does_not_agree_is_told(tmp_path, damage, told):
    path = tmp_path / "p.h5"
    write_predictions(path, {"test": predictions()})
    with h5py.File(path, "r+") as file:
        group = file["test"]
        if damage == "features":
            group["gates"].attrs["features"] = ["ge2e"]
        elif damage == "nameless":
            del group["gates"].attrs["features"]
        else:
            values = group[damage][:3]
            del group[damage]
            made = group.create_dataset(damage, data=values)
            made.attrs["features"] = ["ge2e", "mfcc"]
    with pytest.raises(EmonasError, match=rf"p\.h5: no whole predictions of the part test.*{told}"):
        read_predictions(path, "test")


def test_metrics_come_back_with_their_domains(tmp_path):
    figure = Figure(mean=0.5, std=0.1, folds_mean=0.5, folds_std=0.2, interval=(0.3, 2 / 3))
    folds = [FoldScore(fold="run5", seed=0, ua=0.25, wa=0.5, utterances=4, classes=2)]
    whole = {"ua": figure, "wa": figure, "folds": folds, "confusion": [[1]], "labels": ["sad"]}
    metrics = Metrics(
        protocol="p",
        system="s",
        seeds=1,
        pooled=False,
        **whole,
        parameters=Parameters(derived=7),
        domains={"de": OfDomain(**whole, gates={"ge2e": 0.75}), "français": OfDomain(**whole)},
    )
    write_metrics(tmp_path / "m.json", metrics)
    assert read_metrics(tmp_path / "m.json") == metrics
    assert read_metrics(tmp_path / "m.json").domains["français"].gates == {}
    text = (tmp_path / "m.json").read_text(encoding="utf-8").replace('"ge2e": 0.75', '"ge2e": "x"')
    (tmp_path / "m.json").write_text(text, encoding="utf-8")
    with pytest.raises(EmonasError, match=r"m\.json: no metrics \(domains\.de\.gates\.ge2e: "):
        read_metrics(tmp_path / "m.json")
