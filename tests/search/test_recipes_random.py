import numpy as np

from emonas.search.random_recipe import draw_recipe
from emonas.storage.degenerate import idle_parts, silent_parts
from emonas.storage.genotype import RecipeNode, recipe_order, recipe_states


def drawn(seed):
    return draw_recipe(np.random.default_rng(seed), "drawn").recipe


def test_drawn_recipes_lie_in_the_space():
    counts, states, operations = set(), set(), set()
    for seed in range(200):
        recipe = drawn(seed)
        recipe_order(recipe)
        assert 3 <= len(recipe) <= 12
        read = {source for node in recipe.values() for source in node.input}
        assert {"x", *(f"h_prev_{i}" for i in range(recipe_states(recipe)))} <= read
        for node in recipe.values():
            assert len(set(node.input)) == len(node.input)
            if node.op == "linear":
                assert len(node.input) in (2, 3)
                inner = [recipe[source].op for source in node.input if source in recipe]
                assert all(operation.startswith("activation") for operation in inner)
            elif node.op.startswith("activation"):
                assert recipe[node.input[0]].op == "linear"
            else:
                assert "x" not in node.input
        counts.add(len(recipe))
        states.add(recipe_states(recipe))
        operations |= {node.op for node in recipe.values()}
    assert counts == set(range(3, 13))
    assert states == {1, 2, 3}
    assert len(operations) == 7


def test_every_part_acts_on_the_output():
    """By the closure of one step's dependencies, its states tied end to end."""
    for seed in range(200):
        recipe = drawn(seed)
        old = [f"h_prev_{i}" for i in range(recipe_states(recipe))]
        names = ["x", *old, *recipe]
        leads = np.eye(len(names), dtype=bool)
        for name, node in recipe.items():
            for source in node.input:
                leads[names.index(source), names.index(name)] = True
        for name in old:
            leads[names.index(name.replace("prev", "new")), names.index(name)] = True
        closure = np.linalg.matrix_power(leads.astype(object), len(names)) > 0
        assert closure[:, names.index("h_new_0")].all()


def test_a_seed_gives_one_recipe():
    assert [drawn(seed) for seed in range(200)] == [drawn(seed) for seed in range(200)]
    assert len({str(drawn(seed)) for seed in range(200)}) > 190


def test_idle_parts_are_found():
    recipe = {
        "a": RecipeNode(op="linear", input=("h_prev_0", "h_prev_0")),
        "h_new_1": RecipeNode(op="linear", input=("x", "h_prev_1")),
        "h_new_0": RecipeNode(op="activation_tanh", input=("a",)),
    }
    assert idle_parts(recipe) == {"x", "h_prev_1", "h_new_1"}


def test_parts_that_stay_zero_are_found():
    recipe = {
        "a": RecipeNode(op="linear", input=("h_prev_0", "x")),
        "h_new_2": RecipeNode(op="elementwise_prod", input=("h_prev_2", "a")),
        "h_new_1": RecipeNode(op="activation_tanh", input=("h_prev_0",)),
        "h_new_0": RecipeNode(op="blend", input=("h_prev_2", "a", "h_prev_1")),
    }
    assert silent_parts(recipe) == {"h_prev_0", "h_prev_1", "h_prev_2"} | set(recipe) - {"a"}
    recipe["h_new_0"] = RecipeNode(op="blend", input=("h_prev_2", "h_prev_1", "a"))
    assert silent_parts(recipe) == {"h_prev_2", "h_new_2"}
