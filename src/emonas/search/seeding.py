"""Seeds of a search, told apart by what they are for."""

import hashlib


def seed_of(seed: int, *names: str) -> int:
    """A seed below 2**31 for the run's seed and names, such as the search's and the purpose."""
    text = "\0".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) >> 1
