"""What systems that treat languages, or other domains, apart ask of the protocol."""

from typing import Any

from emonas.errors import EmonasError
from emonas.fuse.options import FusionOptions
from emonas.kinds import kind_module


def check_domains(path: str, protocol: Any, name: str, system: Any) -> None:
    """Check that a system of several domains is run under a protocol that tells them apart.

    Raises:
        EmonasError: it is not; or a system of one domain is run under one of several.
    """
    if isinstance(system, FusionOptions):
        return
    module = kind_module("network", system.network)
    if not getattr(module, "DOMAINS", False):
        return
    one = getattr(module, "ONE_DOMAIN", False)
    if protocol.domain == "none" and (not one or system.domains):
        what = "says what differs by domain" if one else "learns several domains"
        raise EmonasError(
            f"{path}: {name} ({system.network}) {what}, and the protocol tells none apart; give "
            "the protocol `domain: language`"
        )
    if one and protocol.domain == "corpus" and len(protocol.corpora) > 1:
        raise EmonasError(
            f"{path}: {name} ({system.network}) learns one domain, and the protocol tells "
            "several apart; run it under a protocol of one corpus, or choose another network"
        )
    if protocol.domain == "corpus" and protocol.transfer:
        raise EmonasError(
            f"{path}: {name} ({system.network}) learns a domain a corpus, and the protocol's "
            f"transfer to {next(iter(protocol.transfer))} would be of one that it never heard; "
            "set `domain: language`, or leave transfer out"
        )


def check_joint(name: str, system: FusionOptions, stream: str, options: Any) -> None:
    """Check that no stream of a joint fusion treats domains apart.

    Raises:
        EmonasError: one does.
    """
    module = kind_module("network", options.network)
    if system.joint and getattr(module, "DOMAINS", False):
        raise EmonasError(
            f"systems.{name}.joint: {stream} ({options.network}) treats domains apart, and is "
            "fused with its weights as they are only; leave joint out"
        )
