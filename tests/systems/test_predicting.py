"""Lists of utterances, predicted in pieces."""

import torch

from emonas.kinds import kind_options
from emonas.storage.folds import write_part
from emonas.systems.building import build_network
from emonas.systems.data import load_fold
from emonas.systems.material import Material
from emonas.systems.predicting import Hearing, predict_list


def test_an_empty_list_of_a_feature_with_layers_has_no_predictions(fold, tmp_path):
    """Nothing tells how many layers there are, and nothing has to."""
    values = {"network": "recurrent", "cell": "gru", "hidden": 3, "inputs": ["deep"]}
    system = kind_options("network", values)
    data = load_fold(system, Material(fold.features), fold.parts["train"], fold.parts["validation"])
    assert len(data.shape.widths) == 2
    network = build_network(system, None, data.shape)
    empty = tmp_path / "validation.csv"
    write_part(empty, fold.table("validation").head(0))
    hearing = Hearing(system, Material(fold.features), data.classes, data.normaliser, data.shape)
    found = predict_list(network, hearing, empty, torch.device("cpu"))
    assert (found.utterances, found.classes) == ((), data.classes)
    assert found.logits.shape == (0, len(data.classes))
    whole = predict_list(network, hearing, fold.parts["test"], torch.device("cpu"))
    assert len(whole.utterances) == len(fold.table("test"))
