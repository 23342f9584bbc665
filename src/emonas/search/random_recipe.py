"""Recipes drawn at random from NAS-Bench-NLP's space."""

from collections.abc import Sequence

import numpy as np

from emonas.storage.genotype import (
    Recipe,
    RecipeNode,
    RecipeOperation,
    RecurrentGenotype,
    recipe_states,
)

MOST_STATES = 3
FEWEST_NODES, MOST_NODES = 3, 12
_SHARES: dict[RecipeOperation, float] = {
    "linear": 0.45,
    "blend": 0.05,
    "elementwise_prod": 0.05,
    "elementwise_sum": 0.05,
    "activation_tanh": 0.14,
    "activation_sigm": 0.14,
    "activation_leaky_relu": 0.12,
}
"""How often an operation is drawn, about as often as in NAS-Bench-NLP's published recipes."""


def draw_recipe(generator: np.random.Generator, name: str) -> RecurrentGenotype:
    """Draw a cell of 1 to 3 hidden states and 3 to 12 nodes.

    As in NAS-Bench-NLP, nodes are drawn one by one and a recipe with idle parts is drawn anew:
    the frame and every old state are read, and every node acts on h_new_0, at once or later. The
    frame is read by linear nodes only.
    """
    states = int(generator.integers(1, MOST_STATES + 1))
    count = int(generator.integers(FEWEST_NODES, MOST_NODES + 1))
    while True:
        recipe = _draw(generator, states, count)
        if recipe is not None and not idle_parts(recipe):
            return RecurrentGenotype(method="random", name=name, recipe=recipe)


def idle_parts(recipe: Recipe) -> set[str]:
    """Inputs and nodes that no later h_new_0 depends on."""
    states = recipe_states(recipe)
    old = {f"h_prev_{state}" for state in range(states)}
    reached, waiting = set[str](), ["h_new_0"]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        if name in old:
            waiting.append(name.replace("h_prev", "h_new"))
        elif name in recipe:
            waiting += recipe[name].input
    return {"x", *old, *recipe} - reached


def _draw(generator: np.random.Generator, states: int, count: int) -> Recipe | None:
    """`count` nodes; those that nobody reads become new states, None where they are too many."""
    old = [f"h_prev_{state}" for state in range(states)]
    nodes: Recipe = {}
    for number in range(count):
        nodes[f"node_{number}"] = _draw_node(generator, old, list(nodes))
    read = {source for node in nodes.values() for source in node.input}
    ends = [name for name in nodes if name not in read]
    if len(ends) > states:
        return None
    others = [name for name in nodes if name in read]
    ends += _choose(generator, others, states - len(ends))
    order = generator.permutation(states)
    names = {end: f"h_new_{place}" for end, place in zip(ends, order, strict=True)}
    return {
        names.get(name, name): RecipeNode(
            op=node.op, input=tuple(names.get(source, source) for source in node.input)
        )
        for name, node in nodes.items()
    }


def _draw_node(
    generator: np.random.Generator, old: Sequence[str], nodes: Sequence[str]
) -> RecipeNode:
    """A node over what is there; the first is linear, because the frame enters by such a node."""
    hidden = [*old, *nodes]
    operations = list(_SHARES)
    while True:
        drawn = operations[generator.choice(len(operations), p=list(_SHARES.values()))]
        operation: RecipeOperation = drawn if nodes else "linear"
        if operation == "linear":
            inputs = int(generator.integers(2, 4))
            sources = ["x", *hidden]
        elif operation == "blend":
            inputs, sources = 3, hidden
        elif operation.startswith("elementwise"):
            inputs, sources = 2, hidden
        else:
            inputs, sources = 1, list(nodes)
        if inputs <= len(sources):
            return RecipeNode(op=operation, input=tuple(_choose(generator, sources, inputs)))


def _choose(generator: np.random.Generator, names: Sequence[str], count: int) -> list[str]:
    return [names[row] for row in generator.permutation(len(names))[:count]]
