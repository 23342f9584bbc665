"""Seeds by name: adding a system or a fold changes no other's random numbers."""

import hashlib


def seed_of(seed: int, name: str) -> int:
    """A seed of 31 bits from the user's seed and the name of what draws from it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "big") >> 1
