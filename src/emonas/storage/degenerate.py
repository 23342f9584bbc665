"""Genotypes that can be built and of which a search made nothing: what is wrong, in words."""

from collections.abc import Iterator

from emonas.storage.genotype import (
    AnyGenotype,
    CellsGenotype,
    ConnectionsGenotype,
    Recipe,
    RecipeNode,
    RecurrentGenotype,
    recipe_order,
    recipe_states,
)

_WITHOUT_WEIGHTS = frozenset({"none", "skip_connect", "max_pool_3x3", "avg_pool_3x3"})


def degenerate(genotype: AnyGenotype) -> list[str]:
    """A clause for each way in which a genotype is degenerate; none for one that is sound.

    A convolutional cell in which no operation has weights; a recurrent cell that hears no frame,
    remembers none, or says nothing; a domain for which no connection is open.
    """
    if isinstance(genotype, CellsGenotype):
        return list(_cells(genotype))
    if isinstance(genotype, RecurrentGenotype):
        return list(_recurrent(genotype.recipe))
    return list(_connections(genotype))


def _cells(genotype: CellsGenotype) -> Iterator[str]:
    for name, edges in (("normal", genotype.normal), ("reduction", genotype.reduction)):
        found = {edge.operation for edge in edges}
        if found == {"skip_connect"}:
            yield f"the {name} cell has only skip connections"
        elif found <= _WITHOUT_WEIGHTS:
            yield f"no convolution in the {name} cell, only skips and pooling"


def _recurrent(recipe: Recipe) -> Iterator[str]:
    idle = idle_parts(recipe)
    if "x" in idle:
        yield "no frame acts on the cell's output"
    if {f"h_prev_{state}" for state in range(recipe_states(recipe))} <= idle:
        yield "no old state acts on the cell's output, so that it remembers nothing"
    if "h_new_0" in silent_parts(recipe):
        yield "the cell's output is zero at every frame"


def _connections(genotype: ConnectionsGenotype) -> Iterator[str]:
    closed = [name for name, table in genotype.domains.items() if not any(map(any, table))]
    if closed:
        *head, last = closed
        names = f"{', '.join(head)} and {last}" if head else last
        yield f"no connection is open for {names}: the search let no feature through"


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


def silent_parts(recipe: Recipe) -> set[str]:
    """States and nodes that stay zero at every step, because all states begin at zero."""
    states, order = recipe_states(recipe), recipe_order(recipe)
    sounding = {"x"}
    for _ in range(states + 1):
        for name in order:
            if _sounds(recipe[name], sounding):
                sounding.add(name)
        sounding |= {f"h_prev_{i}" for i in range(states) if f"h_new_{i}" in sounding}
    return {*recipe, *(f"h_prev_{i}" for i in range(states))} - sounding


def _sounds(node: RecipeNode, sounding: set[str]) -> bool:
    """Whether a node can differ from zero, given the inputs that can."""
    heard = [source in sounding for source in node.input]
    if node.op in ("linear", "activation_sigm"):
        return True
    if node.op == "elementwise_prod":
        return all(heard)
    if node.op == "blend":
        gate, first, second = heard
        return second or (gate and first)
    return any(heard)
