"""What systems ask of their inputs and of the protocol, as far as the settings tell."""

from collections.abc import Callable
from typing import Any

from emonas.errors import EmonasError
from emonas.kinds import kind_module


def check_streams(settings: Any, has_layers: Callable[[Any], bool]) -> None:
    """Check how many streams each system hears, and that they can be of one length.

    `has_layers` says of a feature's options whether it can have layers.

    Raises:
        EmonasError: a kind of system can't hear so many streams, or needs equal lengths and gets
            one feature averaged in two ways.
    """
    for name, system in settings.systems.items():
        if not hasattr(system, "inputs"):
            continue
        module = kind_module("network", system.network)
        counts = [_streams(entry, settings, has_layers) for entry in system.inputs]
        known = [count for count in counts if count is not None]
        if len(known) == len(counts):
            _check_count(name, system, sum(known), module)
        if getattr(module, "EQUAL_LENGTHS", False):
            _check_pools(name, system)


def _streams(entry: Any, settings: Any, has_layers: Callable[[Any], bool]) -> int | None:
    """A stream a layer; None where the file alone tells how many layers there are."""
    options = settings.features[entry.feature]
    if entry.layers or getattr(options, "layers", None):
        return len(entry.layers or options.layers)
    return None if has_layers(options) else 1


def _check_count(name: str, system: Any, count: int, module: Any) -> None:
    fewest, most = getattr(module, "STREAMS", (1, None))
    if count < fewest:
        raise EmonasError(
            f"systems.{name}.inputs: {system.network} hears {fewest} streams or more, not {count}; "
            "name several layers of one feature"
        )
    if most is not None and count > most:
        raise EmonasError(
            f"systems.{name}.inputs: {system.network} hears one stream, not {count}; name one "
            "feature with at most one layer, and fuse systems for more"
        )


def _check_pools(name: str, system: Any) -> None:
    pools: dict[str, int] = {}
    for entry in system.inputs:
        if pools.setdefault(entry.feature, entry.pool) != entry.pool:
            raise EmonasError(
                f"systems.{name}.inputs: {system.network} needs streams of equal lengths, and "
                f"{entry.feature} is averaged in two ways; give it one `pool`"
            )


def check_validation(path: str, protocol: Any, name: str, training: Any) -> None:
    """Check that what goes by validation is run under a protocol that validates on somebody.

    Raises:
        EmonasError: it does not.
    """
    # A list may bring its own validation part.
    if training is None or protocol.validation != "none" or protocol.test == "list":
        return
    for key, value, other in (
        ("select", training.select, "last"),
        ("schedule", training.schedule, "constant or cosine"),
    ):
        if value.startswith("validation_") or value == "plateau":
            raise EmonasError(
                f"{path}: systems.{name}.training.{key} is {value}, and the protocol validates on "
                f"nobody; set it to {other}, or let the protocol validate"
            )
