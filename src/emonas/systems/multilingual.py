"""From the options of a system of one or several languages to its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emonas.errors import EmonasError
from emonas.systems.multilingual_options import GatedOptions, MultilingualOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

    from emonas.learning.objectives import Objective
    from emonas.learning.optimisers import Rates
    from emonas.networks.multi_gating import Gated
    from emonas.networks.multilingual import MultilingualNetwork
    from emonas.networks.sequence_encoder import SequenceEncoder, VectorEncoder
    from emonas.networks.speaker_encoder import SpeakerEncoder
    from emonas.networks.towers import DomainTowers, Tower, UnionTower
    from emonas.systems.data import FoldData

    Encoder = SequenceEncoder | VectorEncoder | SpeakerEncoder

SPEAKER_SIZE = 256
"""Width of GE2E's vectors."""


def encoders(
    options: MultilingualOptions, shape: NetworkShape, *, as_they_are: bool = False
) -> list[Encoder]:
    """An encoder a stream; `as_they_are` leaves features of one vector unchanged."""
    from emonas.networks.sequence_encoder import SequenceEncoder, VectorEncoder

    found: list[Encoder] = []
    for name, width, vector in zip(shape.names, shape.widths, shape.vectors, strict=True):
        own = options.encoder_of(name)
        if own.speaker:
            size = SPEAKER_SIZE if as_they_are else options.size
            found.append(_speaker_encoder(name, width, size, own.between))
        elif vector:
            size = width if as_they_are else options.size
            found.append(VectorEncoder(width, size, own.between))
        else:
            found.append(SequenceEncoder(width, own.channels, own.hidden, own.layers, options.size))
    return found


def encoded_widths(options: MultilingualOptions, shape: NetworkShape) -> list[int]:
    """The widths of all vectors where those of one vector are left as they are."""
    return [
        SPEAKER_SIZE if options.encoder_of(name).speaker else width if vector else options.size
        for name, width, vector in zip(shape.names, shape.widths, shape.vectors, strict=True)
    ]


def encoder_rates(options: MultilingualOptions, shape: NetworkShape, network: nn.Module) -> Rates:
    """The weights of encoders that learn at a multiple of the others' rate; of GE2E's those that
    were trained before.
    """
    used: dict[str, nn.Module] = dict(network.get_submodule("encoders").named_children())
    found: dict[nn.Parameter, float] = {}
    for number, name in enumerate(shape.names):
        own = options.encoder_of(name)
        # A selector that is not weighed is not encoded.
        if own.rate != 1 and str(number) in used:
            encoder = used[str(number)]
            # What is new in GE2E's encoder learns as all else.
            slowed = encoder.get_submodule("encoder") if own.speaker else encoder
            found |= dict.fromkeys(slowed.parameters(), own.rate)
    return found


def _speaker_encoder(name: str, width: int, size: int, between: Sequence[int]) -> SpeakerEncoder:
    """GE2E's encoder, and what brings its vector to a size.

    Raises:
        EmonasError: the feature is no waveform.
    """
    from emonas.networks.speaker_encoder import SpeakerEncoder

    if width != 1:
        raise EmonasError(
            f"encoders.{name}.speaker: hears a waveform, and {name} has {width} features a frame; "
            "name a feature of `extractor: waveform`"
        )
    return SpeakerEncoder(size, between)


def domain_towers(options: MultilingualOptions, shape: NetworkShape, width: int) -> DomainTowers:
    """A tower a domain over the classes that occur in it."""
    from emonas.networks.towers import DomainTowers

    towers = [
        _tower(options, domain, width, len(columns)) for domain, columns in shape.domains.items()
    ]
    return DomainTowers(towers, list(shape.domains.values()), shape.classes)


def union_tower(options: MultilingualOptions, shape: NetworkShape, width: int) -> UnionTower:
    """One tower over the classes of all domains."""
    from emonas.networks.towers import UnionTower

    return UnionTower(_tower(options, "", width, shape.classes))


def summed_network(
    options: MultilingualOptions, shape: NetworkShape, tower: DomainTowers | UnionTower
) -> MultilingualNetwork:
    """Encoders, the sum of all features, the tower of each domain or of all."""
    from emonas.networks.multi_gating import Summed
    from emonas.networks.multilingual import MultilingualNetwork

    return MultilingualNetwork(
        encoders(options, shape),
        None,
        Summed(),
        [tower],
        domains=len(shape.domains),
        dropout=options.input_dropout,
    )


def gated(options: GatedOptions, shape: NetworkShape, gates: int) -> Gated:
    """One gate for all domains, or one a domain."""
    from emonas.networks.multi_gating import Gated, LinearGate, PerceptronGate

    kind = LinearGate if options.gate == "linear" else PerceptronGate
    selector = selector_of(options, shape)
    speaks = options.encoder_of(shape.names[selector]).speaker
    width = options.size if speaks else shape.widths[selector]
    return Gated([kind(width, len(options.gated(shape.names))) for _ in range(gates)])


def gated_network(
    options: GatedOptions, shape: NetworkShape, gates: int, **more: Any
) -> MultilingualNetwork:
    """Encoders, `gates` gating networks, a tower a domain; `more` goes to the network."""
    from emonas.networks.multilingual import MultilingualNetwork

    # The selector stands beside as it is encoded.
    width = options.size * (2 if options.beside else 1)
    return MultilingualNetwork(
        encoders(options, shape),
        selector_of(options, shape),
        gated(options, shape, gates),
        [domain_towers(options, shape, width)],
        domains=len(shape.domains),
        gated=[shape.names.index(name) for name in options.gated(shape.names)],
        beside=options.beside,
        dropout=options.input_dropout,
        **more,
    )


def selector_of(options: GatedOptions, shape: NetworkShape) -> int:
    """The stream that decides the gates.

    Raises:
        EmonasError: its feature has several layers.
    """
    found = [number for number, name in enumerate(shape.names) if options.selects(name)]
    if len(found) != 1:
        raise EmonasError(
            f"selector: {options.selector} has {len(found)} layers; name one of them in `inputs`"
        )
    return found[0]


def domain_objective(
    options: MultilingualOptions, data: FoldData, network: nn.Module, *, union: bool = False
) -> Objective:
    """Cross entropy over the classes of a batch's domain, or over the union, and the contrastive
    loss with each domain's weight.

    Raises:
        EmonasError: a domain has one utterance, which batch normalisation can't take.
    """
    from emonas.systems.multilingual_objective import DomainObjective, DomainTarget

    if options.tower_form == "code" and data.train.domains is not None:
        for number, domain in enumerate(data.domains):
            if np.count_nonzero(data.train.domains == number) == 1:
                raise EmonasError(
                    f"tower_form: code normalises over the batch, and domain {domain} has one "
                    "utterance to learn from; set it to paper, or leave its corpus out"
                )
    every = tuple(range(data.shape.classes))
    targets = [
        DomainTarget(every if union else columns, options.of(domain).contrastive)
        for domain, columns in data.shape.domains.items()
    ]
    return DomainObjective(options, data, targets)


def _tower(options: MultilingualOptions, domain: str, width: int, classes: int) -> Tower:
    from emonas.networks.towers import Tower

    own = options.of(domain)
    return Tower(
        width,
        own.tower,
        own.activations,
        options.dropout,
        classes,
        options.tower_form,
    )
