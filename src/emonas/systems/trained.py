"""A trained system from its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonas.errors import DamagedFileError, EmonasError
from emonas.storage.genotype import read_genotype
from emonas.storage.weights import read_weights
from emonas.systems.building import build_network, build_searched
from emonas.systems.normalising import Normaliser, Standardiser, Whitening
from emonas.systems.options import SystemOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor, nn

_NETWORK = "network."
_ENCODER = "encoder"
_HEADS = "heads."
_WHITENING = "whitening."


@dataclass(frozen=True)
class TrainedFiles:
    """What a trained system consists of; `searched` says that it is the searched network itself,
    which was not retrained.
    """

    system: SystemOptions
    weights: Path
    genotype: Path | None = None
    searched: bool = False

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [self.weights, *([] if self.genotype is None else [self.genotype])]


def system_weights(network: nn.Module, normaliser: Normaliser) -> dict[str, Tensor]:
    """The network's weights and, beside them, the normaliser: together they are the system."""
    import torch

    weights = {f"{_NETWORK}{name}": tensor for name, tensor in network.state_dict().items()}
    parts: list[Standardiser | Whitening] = list(normaliser.standardisers)
    places = [f"normaliser.{index}." for index in range(len(parts))]
    if normaliser.whitening is not None:
        parts, places = [*parts, normaliser.whitening], [*places, _WHITENING]
    for place, part in zip(places, parts, strict=True):
        weights |= {f"{place}{name}": torch.from_numpy(held) for name, held in vars(part).items()}
    return weights


def load_normaliser(weights: Mapping[str, Tensor]) -> Normaliser:
    """The normaliser among a system's weights, its streams in their order."""
    count = sum(name.startswith("normaliser.") and name.endswith(".mean") for name in weights)
    standardisers = tuple(
        Standardiser(**_held(weights, f"normaliser.{index}.")) for index in range(count)
    )
    whitening = _held(weights, _WHITENING)
    return Normaliser(standardisers, Whitening(**whitening) if whitening else None)


def _held(weights: Mapping[str, Tensor], place: str) -> dict[str, npt.NDArray[Any]]:
    """What lies at a place, by its name there."""
    return {
        name.removeprefix(place): tensor.numpy()
        for name, tensor in weights.items()
        if name.startswith(place)
    }


def load_network(files: TrainedFiles, shape: NetworkShape) -> nn.Module:
    """The network with its weights.

    Raises:
        EmonasError: a file is damaged, or weights and genotype do not belong together.
    """
    genotype = None if files.genotype is None else read_genotype(files.genotype)
    if files.searched and genotype is not None:
        network = build_searched(files.system, genotype, shape)
    else:
        network = build_network(files.system, genotype, shape)
    take_weights(network, files.weights)
    return network


def take_weights(network: nn.Module, path: Path) -> None:
    """Give a network the weights that a trained or fused system left in `path`.

    Raises:
        EmonasError: the file is damaged, or they are of another network.
    """
    fill_network(network, _network_weights(path), path)


def start_from(network: nn.Module, path: Path) -> list[str]:
    """Give a network what another one learnt that `path` holds: its encoder, and the heads of
    tasks that both have and tell from the same; gives the names of these heads.

    That the answers are the same is for the settings to see to: both have the same training part.

    Raises:
        EmonasError: the file is damaged, or the encoder is another one.
    """
    there, own = _network_weights(path), network.state_dict()
    parts: dict[str, list[str]] = {}
    for name in own:
        # A head is taken whole or not at all: a bias may fit where the weight does not.
        parts.setdefault(_part(name), []).append(name)
    fitting = {
        part: names
        for part, names in parts.items()
        if all(name in there and there[name].shape == own[name].shape for name in names)
    }
    if _ENCODER not in fitting:
        raise EmonasError(
            f"{path}: its encoder is not that of the system that starts from it; give both the "
            "same network, and the same checkpoint or sizes of a random encoder"
        )
    taken = {name: there[name] for names in fitting.values() for name in names}
    network.load_state_dict({**own, **taken})
    return sorted(part.removeprefix(_HEADS) for part in fitting if part.startswith(_HEADS))


def _part(name: str) -> str:
    """The part of a network that a weight belongs to: its encoder, or the head of a task."""
    first, *others = name.split(".")
    return f"{_HEADS}{others[0]}" if name.startswith(_HEADS) else first


def _network_weights(path: Path) -> dict[str, Tensor]:
    return {
        name.removeprefix(_NETWORK): tensor
        for name, tensor in read_weights(path).items()
        if name.startswith(_NETWORK)
    }


def fill_network(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Give a network its weights, which come from `path`.

    Raises:
        EmonasError: they are of another network.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise DamagedFileError(
            path,
            "these weights are of another network than the settings, the genotype and the fold's "
            "classes make",
        ) from error
