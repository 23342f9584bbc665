"""Classification towers, one a language (Multi-gating, 4.3 and 5.1)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal["mish", "gelu", "tanh", "relu"]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


class Tower(nn.Module):
    """Feed-forward layers with two activations in turn, dropout behind each, and a linear
    classifier.

    Form `paper` has two layers of `units` (5.1, our reading); form `code` has 2 * units, units and
    units // 2, each with batch normalisation before its activation (authors' code).
    """

    def __init__(
        self,
        width: int,
        units: int,
        activations: tuple[Activation, Activation],
        dropout: float,
        classes: int,
        form: Literal["paper", "code"] = "paper",
    ) -> None:
        super().__init__()
        self.classes = classes
        sizes = (units, units) if form == "paper" else (2 * units, units, units // 2)
        layers: list[nn.Module] = []
        for number, size in enumerate(sizes):
            layers.append(nn.Linear(width, size))
            if form == "code":
                layers.append(nn.BatchNorm1d(size))
            layers += [_ACTIVATIONS[activations[number % 2]](), nn.Dropout(dropout)]
            width = size
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, classes)

    def forward(self, vectors: Tensor) -> Tensor:
        """(batch, width) to logits (batch, classes)."""
        logits: Tensor = self.classifier(self.layers(vectors))
        return logits


class UnionTower(nn.Module):
    """One tower for all domains, over the union of their classes (Multi-gating, 5.2.2, Base)."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, vectors: Tensor, domain: int) -> Tensor:
        """(batch, width) to logits (batch, classes), whatever the domain."""
        logits: Tensor = self.tower(vectors)
        return logits


class DomainTowers(nn.Module):
    """A tower a domain; `columns` says where its classes stand in the union of all.

    The logits of other domains' classes are -inf: their probability is 0, and the cross entropy is
    that over the domain's own classes. Smoothed labels, which give every class a share, have none.

    Raises:
        ValueError: a tower has not one column a class, or a column is not among `classes`.
    """

    def __init__(
        self, towers: Sequence[Tower], columns: Sequence[Sequence[int]], classes: int
    ) -> None:
        super().__init__()
        for number, (tower, own) in enumerate(zip(towers, columns, strict=True)):
            if len(set(own)) != tower.classes or len(own) != tower.classes:
                raise ValueError(f"domain {number}: {tower.classes} classes, columns {list(own)}")
            if not set(own) <= set(range(classes)):
                raise ValueError(f"domain {number}: columns {list(own)}, but {classes} classes")
        self.towers = nn.ModuleList(towers)
        self._columns = tuple(tuple(own) for own in columns)
        self._classes = classes

    def forward(self, vectors: Tensor, domain: int) -> Tensor:
        """(batch, width) to logits over the union, (batch, classes)."""
        own: Tensor = self.towers[domain](vectors)
        columns = torch.tensor(self._columns[domain], device=own.device)
        union = own.new_full((len(own), self._classes), float("-inf"))
        return union.index_copy(1, columns, own)
