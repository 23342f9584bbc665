"""`results/search/.../genotype.json`: what a search found, as typed JSON."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from emonas.errors import DamagedFileError, EmonasError, make_again
from emonas.storage.atomic import write_json
from emonas.storage.json_digest import with_digest, without_digest
from emonas.storage.problems import first_problem

CellOperation = Literal[
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
]
RecipeOperation = Literal[
    "linear",
    "blend",
    "elementwise_prod",
    "elementwise_sum",
    "activation_tanh",
    "activation_sigm",
    "activation_leaky_relu",
]
HAND_MADE = "hand-made"
"""The method that takes cells which people made."""
UNSEARCHED = frozenset(("random", "random-search", HAND_MADE))
"""Methods that train no network in which the candidates are mixed."""
MOST_CHANNELS = 4096
MOST_CELLS = 100
MOST_NODES = 32
"""Bounds of a cells genotype, so that a file with an absurd number takes no memory."""
_MOST_EDGES = 1000
_MOST_RECIPE_NODES = 200
_MOST_INPUTS = 20
"""Of a node of a recipe; NAS-Bench-NLP's have 15 nodes and 3 inputs at most."""
NEW_STATE = re.compile(r"h_new_(0|[1-9][0-9]*)", re.ASCII)
"""The name of a recipe's node that is a new hidden state, and its number."""
_SINGLE_INPUT = ("activation_tanh", "activation_sigm", "activation_leaky_relu")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _can_be_drawn(cls, value: Any) -> Any:
        """Names of cells and nodes stand in logs, tables and figures."""
        names = [value] if isinstance(value, str) else value if isinstance(value, dict) else ()
        if not all(name.isprintable() for name in names):
            raise ValueError("a name holds a sign that can't be shown")
        return value


class Edge(_Model):
    """An operation from a state to an inner node; states 0 and 1 are c_{k-2} and c_{k-1},
    state 2 + i is node i.
    """

    node: int = Field(ge=0)
    source: int = Field(ge=0)
    operation: CellOperation

    @model_validator(mode="after")
    def _source_comes_first(self) -> "Edge":
        if self.source >= self.node + 2:
            raise ValueError(f"node {self.node} takes state {self.source}, which comes after it")
        return self


class CellsGenotype(_Model):
    """A convolutional architecture: a normal and a reduction cell, `cells` of them (L) with
    `channels` (C) at the first.
    """

    kind: Literal["cells"] = "cells"
    method: str
    channels: int = Field(ge=1, le=MOST_CHANNELS)
    cells: int = Field(ge=1, le=MOST_CELLS)
    nodes: int = Field(ge=1, le=MOST_NODES)
    normal: tuple[Edge, ...] = Field(max_length=_MOST_EDGES)
    reduction: tuple[Edge, ...] = Field(max_length=_MOST_EDGES)

    @model_validator(mode="after")
    def _every_node_has_an_edge(self) -> "CellsGenotype":
        for name in ("normal", "reduction"):
            reached = {edge.node for edge in getattr(self, name)}
            if len(reached) != self.nodes or max(reached) >= self.nodes:
                raise ValueError(
                    f"the {name} cell must lead an edge into each of {self.nodes} nodes"
                )
        return self


class RecipeNode(_Model):
    """One node of a recipe, in NAS-Bench-NLP's form."""

    op: RecipeOperation
    input: tuple[str, ...] = Field(max_length=_MOST_INPUTS)

    @model_validator(mode="after")
    def _has_the_inputs_of_its_operation(self) -> "RecipeNode":
        count = len(self.input)
        if self.op in _SINGLE_INPUT and count != 1:
            raise ValueError(f"{self.op} takes one input, not {count}")
        if self.op == "blend" and count != 3:
            raise ValueError(f"blend takes three inputs, not {count}")
        if self.op.startswith("elementwise") and count < 2:
            raise ValueError(f"{self.op} takes two inputs or more, not {count}")
        if count == 0:
            raise ValueError(f"{self.op} has no input")
        return self


Recipe = dict[str, RecipeNode]


class RecurrentGenotype(_Model):
    """A recurrent cell: nodes by name, `x` a frame, `h_prev_i` and `h_new_i` hidden states."""

    kind: Literal["recurrent"] = "recurrent"
    method: str
    name: str
    recipe: Recipe = Field(max_length=_MOST_RECIPE_NODES)

    @model_validator(mode="after")
    def _can_be_computed(self) -> "RecurrentGenotype":
        recipe_order(self.recipe)
        return self

    @property
    def states(self) -> int:
        """How many hidden states the cell has."""
        return recipe_states(self.recipe)


class ConnectionsGenotype(_Model):
    """Which features are led to which for each domain (Multi-gating NAS, eq. 8).

    `domains` has a square table a domain: row i says from which of the `features` the higher-level
    representation i is summed up. `beta`, `gamma` and `delta` are those of the gates that were
    searched (eq. 9).
    """

    kind: Literal["connections"] = "connections"
    method: str
    beta: float = Field(gt=0)
    gamma: float = Field(lt=0)
    delta: float = Field(gt=1)
    features: tuple[str, ...] = Field(min_length=1)
    domains: dict[str, tuple[tuple[bool, ...], ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _tables_are_square(self) -> "ConnectionsGenotype":
        count = len(self.features)
        for domain, table in self.domains.items():
            if len(table) != count or any(len(row) != count for row in table):
                raise ValueError(f"the table of {domain} is not {count} by {count}")
        return self


AnyGenotype = CellsGenotype | RecurrentGenotype | ConnectionsGenotype
Genotype = Annotated[AnyGenotype, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[AnyGenotype] = TypeAdapter(Genotype)


def recipe_states(recipe: Recipe) -> int:
    """How many hidden states a recipe makes: `h_new_0`, `h_new_1`, ... without a gap.

    Raises:
        ValueError: there is none, or a number is left out.
    """
    count = sum(NEW_STATE.fullmatch(name) is not None for name in recipe)
    if not count or any(f"h_new_{number}" not in recipe for number in range(count)):
        raise ValueError("the recipe must make h_new_0, h_new_1, ... without a gap")
    return count


def recipe_order(recipe: Recipe) -> tuple[str, ...]:
    """The nodes in an order in which they can be computed.

    Raises:
        ValueError: an input is not defined, or nodes wait for each other.
    """
    known = {"x", *(f"h_prev_{state}" for state in range(recipe_states(recipe)))}
    if clash := known & set(recipe):
        raise ValueError(f"{min(clash)} is an input of the cell and can't be a node")
    readers: dict[str, list[str]] = {name: [] for name in recipe}
    lacks = dict.fromkeys(recipe, 0)
    for name, node in recipe.items():
        for source in node.input:
            if source in recipe:
                readers[source].append(name)
                lacks[name] += 1
            elif source not in known:
                raise ValueError(f"node {name} takes {source}, which is not defined")
    return _by_rounds(readers, lacks)


def _by_rounds(readers: dict[str, list[str]], lacks: dict[str, int]) -> tuple[str, ...]:
    """Nodes as they become ready, round by round, within a round as the recipe has them."""
    places = {name: place for place, name in enumerate(lacks)}
    order: list[str] = []
    ready = [name for name, count in lacks.items() if count == 0]
    while ready:
        order += ready
        following = []
        for reader in (reader for name in ready for reader in readers[name]):
            lacks[reader] -= 1
            if lacks[reader] == 0:
                following.append(reader)
        ready = sorted(following, key=places.__getitem__)
    if waiting := [name for name, count in lacks.items() if count]:
        raise ValueError(f"the nodes {', '.join(waiting)} wait for each other")
    return tuple(order)


def write_genotype(path: Path, genotype: AnyGenotype) -> None:
    """Write a genotype and its digest as JSON, whole or not at all."""
    value = genotype.model_dump(mode="json")
    write_json(path, with_digest(value))


def read_genotype(path: Path) -> AnyGenotype:
    """Read a genotype; one that a person wrote needs no digest.

    Raises:
        EmonasError: it is missing, no JSON, not what was written, or no genotype, for instance
            after editing by hand.
    """
    try:
        value = without_digest(path, json.loads(path.read_text(encoding="utf-8")))
        return _ADAPTER.validate_python(value)
    except OSError as error:
        raise EmonasError(f"{path}: can't be read ({error.strerror}); run the search") from error
    except ValidationError as error:
        raise EmonasError(
            f"{path}: {first_problem(error)}; mend it, or {make_again(path)}"
        ) from error
    # Beside what is no JSON: a number of thousands of digits, and lists in lists without an end.
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(path, f"this is no JSON ({error})") from error
