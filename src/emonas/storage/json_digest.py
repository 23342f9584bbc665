"""The digest of a JSON document, inside it, under the key `digest`.

It tells a damaged file and a careless edit. Who changes a value on purpose takes it out.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emonas.errors import DamagedFileError

_DIGEST = "digest"
_DIGITS = 64
"""Of a SHA-256."""


def with_digest(value: Mapping[str, Any]) -> dict[str, Any]:
    """A document and its digest."""
    return {**value, _DIGEST: _digest_of(value)}


def without_digest(path: Path, value: Any) -> Any:
    """The values of a document that was read from `path`, held against their digest; one that a
    person wrote needs none.

    Raises:
        DamagedFileError: the digest is another, or has lost its name.
    """
    if not isinstance(value, dict):
        return value
    values = {key: one for key, one in value.items() if key != _DIGEST}
    written = value.get(_DIGEST)
    if written not in (None, _digest_of(values)):
        problem = f"its {_DIGEST} is not that of its values; take it out if you changed them"
        raise DamagedFileError(path, problem)
    if written is None and (key := _misnamed_digest(values)) is not None:
        raise DamagedFileError(path, f"its {_DIGEST} is called {key}")
    return values


def _digest_of(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _misnamed_digest(value: Mapping[str, Any]) -> str | None:
    """The key under which the digest of all the others stands: a byte of its name has changed."""
    for key, one in value.items():
        if isinstance(one, str) and len(one) == _DIGITS:
            others = {name: each for name, each in value.items() if name != key}
            if one == _digest_of(others):
                return key
    return None
