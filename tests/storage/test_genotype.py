import copy
import json
from itertools import pairwise

import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.storage.genotype import (
    CellsGenotype,
    Edge,
    RecipeNode,
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


def test_nodes_come_round_by_round_and_as_the_recipe_has_them():
    """A round is every node whose inputs earlier rounds gave: so weights keep their order."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        names = [f"n{number}" for number in generator.permutation(12)] + ["h_new_0"]
        recipe = {}
        for place, name in enumerate(names):
            inputs = [*names[max(0, place - 4) : place], "x"]
            recipe[name] = {"op": "linear", "input": generator.choice(inputs, 2).tolist()}
        shuffled = {names[row]: recipe[names[row]] for row in generator.permutation(13)}
        genotype = RecurrentGenotype(method="a", name="b", recipe=shuffled)
        rounds, waiting = [], list(shuffled)
        while waiting:
            ready = [name for name in waiting if not set(recipe[name]["input"]) & set(waiting)]
            rounds += ready
            waiting = [name for name in waiting if name not in ready]
        assert list(recipe_order(genotype.recipe)) == rounds


def test_a_long_chain_is_put_in_order():
    """A hundred thousand nodes, where looking through all for each would take hours."""
    count = 100_000
    names = [*(f"n{number}" for number in range(count)), "h_new_0"]
    chain = {name: RecipeNode(op="linear", input=(before,)) for before, name in pairwise(names)}
    recipe = dict(reversed(chain.items())) | {"n0": RecipeNode(op="linear", input=("x",))}
    assert list(recipe_order(recipe)) == names


@pytest.mark.parametrize(
    "odd", ["h_new_00", "h_new_01", "h_new_\u0660", "h_new_\u00b2", "h_new_-1"]
)
def test_a_name_that_is_like_a_states_is_a_plain_node(odd):
    recipe = {odd: node("linear", "x"), "h_new_0": node("linear", odd)}
    genotype = RecurrentGenotype(method="a", name="b", recipe=recipe)
    assert genotype.states == 1
    with pytest.raises(ValueError, match="without a gap"):
        RecurrentGenotype(method="a", name="b", recipe={odd: node("linear", "x")})


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
    (CELLS, ("nodes",), 10**12, r"cells\.nodes: .*less than or equal to 32"),
    (CELLS, ("cells",), 10**9, r"cells\.cells: .*less than or equal to 100"),
    (CELLS, ("channels",), 10**30, r"cells\.channels: "),
    (CELLS, ("normal",), CELLS.model_dump()["normal"] * 300, r"cells\.normal: .*at most 1000"),
    (CELLS, ("normal", 3, "node"), 5, r"cells: .*normal cell must lead an edge into each of 2"),
    (RECURRENT, ("recipe", "gate", "input"), ["x"] * 21, r"recipe\.gate\.input: .*at most 20"),
    (
        RECURRENT,
        ("recipe",),
        {f"n{i}": {"op": "linear", "input": ["x"]} for i in range(201)},
        "at most 200",
    ),
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
