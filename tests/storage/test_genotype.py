import copy
import json

import pytest

from emonas.errors import EmonasError
from emonas.storage.genotype import (
    CellsGenotype,
    Edge,
    RecurrentGenotype,
    read_genotype,
    recipe_order,
    write_genotype,
)

EDGES = tuple(Edge(node=n, source=s, operation="sep_conv_3x3") for n in (0, 1) for s in (0, n + 1))
CELLS = CellsGenotype(method="darts", channels=6, cells=3, nodes=2, normal=EDGES, reduction=EDGES)
RECIPE = {
    "gate": {"op": "linear", "input": ["x", "h_prev_0"]},
    "opened": {"op": "activation_sigm", "input": ["gate"]},
    "h_new_1": {"op": "elementwise_sum", "input": ["opened", "h_prev_1"]},
    "h_new_0": {"op": "blend", "input": ["opened", "h_prev_0", "h_new_1"]},
}
RECURRENT = RecurrentGenotype.model_validate({"method": "cells", "name": "ü", "recipe": RECIPE})


def edited(genotype, keys, value):
    """The genotype as plain values with one of them set, or left out where it is None."""
    plain = copy.deepcopy(genotype.model_dump(mode="json"))
    place = plain
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return plain


@pytest.mark.parametrize("genotype", [CELLS, RECURRENT])
def test_a_genotype_comes_back_equal(tmp_path, genotype):
    write_genotype(tmp_path / "g.json", genotype)
    assert read_genotype(tmp_path / "g.json") == genotype


def test_nodes_come_after_their_inputs():
    order = recipe_order(RECURRENT.recipe)
    assert sorted(order) == sorted(RECIPE)
    for name in order:
        for source in RECIPE[name]["input"]:
            assert source not in RECIPE or order.index(source) < order.index(name)
    assert RECURRENT.states == 2


def node(op, *sources):
    return {"op": op, "input": list(sources)}


MISTAKES = [
    (CELLS, ("normal", 1, "operation"), "conv_7x7", r"cells\.normal\.1\.operation: .*sep_conv_3x3"),
    (CELLS, ("normal", 0, "source"), 2, r"cells\.normal\.0: .*node 0 takes state 2, which comes"),
    (CELLS, ("reduction", 3, "node"), -1, r"cells\.reduction\.3\.node: .*greater"),
    (CELLS, ("reduction", 3, "source"), None, r"cells\.reduction\.3\.source: Field required"),
    (CELLS, ("reduction", 3, "width"), 4, r"cells\.reduction\.3\.width: Extra inputs"),
    (CELLS, ("normal",), [], r"cells: .*normal cell must lead an edge into each of 2 nodes"),
    (CELLS, ("nodes",), 3, r"cells: .*edge into each of 3 nodes"),
    (CELLS, ("channels",), 0, r"cells\.channels: .*greater"),
    (CELLS, ("channels",), "six", r"cells\.channels: .*integer"),
    (CELLS, ("method",), None, r"cells\.method: Field required"),
    (CELLS, ("chanels",), 6, r"cells\.chanels: Extra inputs"),
    (CELLS, ("kind",), "transformer", r"kind|transformer"),
    (CELLS, ("kind",), None, r"kind"),
    (RECURRENT, ("recipe", "gate", "op"), "relu", r"recurrent\.recipe\.gate\.op: .*linear"),
    (RECURRENT, ("recipe", "gate", "input"), [], r"recipe\.gate: .*no input"),
    (RECURRENT, ("recipe", "gate", "input"), ["y"], r"recurrent: .*gate takes y, which is not"),
    (RECURRENT, ("recipe", "gate", "input"), ["h_prev_2"], r"gate takes h_prev_2, which is not"),
    (RECURRENT, ("recipe", "gate", "input"), ["opened"], r"gate, opened.* wait for each other"),
    (RECURRENT, ("recipe", "opened", "input"), ["x", "gate"], r"opened: .*one input, not 2"),
    (RECURRENT, ("recipe", "h_new_0", "input"), ["x", "gate"], r"h_new_0: .*three inputs, not 2"),
    (RECURRENT, ("recipe", "h_new_1", "input"), ["gate"], r"h_new_1: .*two inputs or more, not 1"),
    (RECURRENT, ("recipe", "h_new_3"), node("linear", "x"), r"h_new_0, h_new_1, ... without a gap"),
    (RECURRENT, ("recipe", "x"), node("linear", "gate"), r"x is an input of the cell"),
    (RECURRENT, ("recipe",), {}, r"recurrent: .*without a gap"),
    (RECURRENT, ("recipe", "gate"), "linear", r"recurrent\.recipe\.gate: "),
]


@pytest.mark.parametrize(("genotype", "keys", "value", "words"), MISTAKES)
def test_a_mistake_of_the_hand_is_told_with_its_key(tmp_path, genotype, keys, value, words):
    path = tmp_path / "g.json"
    path.write_text(json.dumps(edited(genotype, keys, value)), encoding="utf-8")
    with pytest.raises(EmonasError, match=rf"g\.json: .*{words}.*mend it") as caught:
        read_genotype(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b'{"kind": "cells",', b"\xff", b"{'kind': 1}"])
def test_what_is_no_json_is_told(tmp_path, content):
    (tmp_path / "g.json").write_bytes(content)
    with pytest.raises(EmonasError, match=r"g\.json: this is no JSON"):
        read_genotype(tmp_path / "g.json")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(EmonasError, match=r"none\.json"):
        read_genotype(tmp_path / "none.json")
