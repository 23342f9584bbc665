import json

import pytest

from emonas.errors import EmonasError
from emonas.storage.metrics import (
    Figure,
    FoldScore,
    Metrics,
    Parameters,
    read_metrics,
    write_metrics,
)

FIGURE = Figure(mean=1 / 3, std=0.0, folds_mean=0.1 + 0.2, folds_std=0.5)
METRICS = Metrics(
    protocol="p",
    system="s",
    seeds=1,
    pooled=False,
    ua=FIGURE,
    wa=FIGURE,
    folds=[FoldScore(fold="ü", seed=0, ua=0.25, wa=0.5, utterances=4, classes=2)],
    confusion=[[1, 0], [0, 3]],
    labels=["angry", "fröhlich"],
    parameters=Parameters(derived=7),
)


def test_metrics_come_back_equal(tmp_path):
    write_metrics(tmp_path / "m.json", METRICS)
    assert read_metrics(tmp_path / "m.json") == METRICS


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"ua": {"mean": 1}}, "ua.std"),
        ({"labels": None}, "labels"),
        ({"surprise": 1}, "surprise"),
        ({"folds": [{"fold": "a"}]}, r"folds\.0\.seed"),
    ],
)
def test_a_wrong_value_is_told_in_one_line_with_its_key(tmp_path, change, key):
    path = tmp_path / "m.json"
    path.write_text(json.dumps({**METRICS.model_dump(), **change}))
    with pytest.raises(EmonasError, match=rf"m\.json: no metrics \({key}: ") as caught:
        read_metrics(path)
    assert "\n" not in str(caught.value)


def test_damage_is_told(tmp_path):
    path = tmp_path / "m.json"
    write_metrics(path, METRICS)
    path.write_bytes(path.read_bytes()[:-9])
    for file in (path, tmp_path / "none.json"):
        with pytest.raises(EmonasError, match=rf"{file.name}: no metrics"):
            read_metrics(file)
