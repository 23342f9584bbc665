"""Seeds by name: adding a system or a fold changes no other's random numbers."""

import hashlib


def seed_of(seed: int, *names: str) -> int:
    """A seed of 31 bits from the user's seed and names, such as those of a job and a purpose."""
    text = "\0".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
