import json

import pytest

from emonas.errors import EmonasError
from emonas.storage.cost import (
    EpochCost,
    NetworkCost,
    read_network_cost,
    write_epoch_costs,
    write_network_cost,
)
from emonas.storage.tables import read_table


@pytest.mark.parametrize("search", [None, 5])
def test_a_cost_comes_back(tmp_path, search):
    cost = NetworkCost(search, 3, 10**12, [[140, 140], [1, 512]])
    write_network_cost(tmp_path / "cost.json", cost)
    assert read_network_cost(tmp_path / "cost.json") == cost


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"search": null, "derived": "many", "macs": 1, "example": []}',
        '{"search": null, "derived": 1, "macs": 1, "example": 3}',
    ],
)
def test_damage_is_told_in_one_line(tmp_path, content):
    (tmp_path / "cost.json").write_text(content)
    with pytest.raises(EmonasError, match=r"cost\.json: no cost \(.*make it again") as caught:
        read_network_cost(tmp_path / "cost.json")
    assert "\n" not in str(caught.value)
    with pytest.raises(EmonasError, match=r"none\.json"):
        read_network_cost(tmp_path / "none.json")


def test_the_cost_of_epochs_is_a_table(tmp_path):
    write_epoch_costs(
        tmp_path / "cost.csv", [EpochCost(1, 0.5, 20.25), EpochCost(2, 1.5, 21.0, 8, 3)]
    )
    table = read_table(
        tmp_path / "cost.csv", ("epoch", "seconds", "memory", "architectures", "macs")
    )
    assert json.loads("[" + ",".join(table.iloc[1]) + "]") == [2, 1.5, 21.0, 8, 3]
    write_epoch_costs(tmp_path / "cost.csv", [])
    assert len(read_table(tmp_path / "cost.csv", ("epoch", "seconds"))) == 0
