"""Recipes drawn at random from NAS-Bench-NLP's space."""

from collections.abc import Sequence

import numpy as np

from emonas.storage.degenerate import idle_parts, silent_parts
from emonas.storage.genotype import Recipe, RecipeNode, RecipeOperation, RecurrentGenotype

MOST_STATES = 3
FEWEST_NODES, MOST_NODES = 3, 12
_SHARES: dict[RecipeOperation, float] = {
    "linear": 0.48,
    "blend": 0.02,
    "elementwise_prod": 0.02,
    "elementwise_sum": 0.04,
    "activation_tanh": 0.15,
    "activation_sigm": 0.18,
    "activation_leaky_relu": 0.11,
}
"""How often an operation is drawn: its share in NAS-Bench-NLP's published recipes."""
_UNREAD = 9.0
"""How much likelier a node reads what nobody reads yet, so that few recipes have idle parts."""
_OPERATIONS = tuple(_SHARES)


def draw_recipe(generator: np.random.Generator, name: str) -> RecurrentGenotype:
    """Draw a cell of 1 to 3 hidden states and 3 to 12 nodes.

    As in NAS-Bench-NLP, nodes are drawn one by one and a recipe with idle parts is drawn anew:
    the frame and every old state are read, and every node acts on h_new_0, at once or later. Its
    published recipes show what reads what: a linear node the frame, old states and activations, an
    activation a linear node, the others anything but the frame. No node is zero for ever (ours).
    """
    states = int(generator.integers(1, MOST_STATES + 1))
    count = int(generator.integers(FEWEST_NODES, MOST_NODES + 1))
    while True:
        recipe = _draw(generator, states, count)
        if recipe is not None and not idle_parts(recipe) and not silent_parts(recipe):
            return RecurrentGenotype(method="random", name=name, recipe=recipe)


def _draw(generator: np.random.Generator, states: int, count: int) -> Recipe | None:
    """`count` nodes; those that nobody reads become new states, None where they are too many."""
    old = [f"h_prev_{state}" for state in range(states)]
    nodes: Recipe = {}
    for number in range(count):
        nodes[f"node_{number}"] = _draw_node(generator, old, nodes)
    read = {source for node in nodes.values() for source in node.input}
    ends = [name for name in nodes if name not in read]
    if len(ends) > states:
        return None
    others = [name for name in nodes if name in read]
    ends += [others[row] for row in generator.permutation(len(others))[: states - len(ends)]]
    order = generator.permutation(states)
    names = {end: f"h_new_{place}" for end, place in zip(ends, order, strict=True)}
    return {
        names.get(name, name): RecipeNode(
            op=node.op, input=tuple(names.get(source, source) for source in node.input)
        )
        for name, node in nodes.items()
    }


def _draw_node(generator: np.random.Generator, old: Sequence[str], nodes: Recipe) -> RecipeNode:
    """A node over what is there, drawn again where that is too little."""
    read = {source for node in nodes.values() for source in node.input}
    while True:
        operation = _OPERATIONS[generator.choice(len(_OPERATIONS), p=list(_SHARES.values()))]
        linear = [name for name, node in nodes.items() if node.op == "linear"]
        active = [name for name, node in nodes.items() if node.op.startswith("activation")]
        if operation == "linear":
            count, sources = int(generator.integers(2, 4)), ["x", *old, *active]
        elif operation.startswith("activation"):
            count, sources = 1, linear
        else:
            count, sources = 3 if operation == "blend" else 2, [*old, *nodes]
        if count <= len(sources):
            weights = np.array([1.0 if source in read else _UNREAD for source in sources])
            rows = generator.choice(len(sources), count, replace=False, p=weights / weights.sum())
            return RecipeNode(op=operation, input=tuple(sources[row] for row in rows))
