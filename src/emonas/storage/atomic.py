"""Files that are written whole or not at all."""

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emonas.errors import EmonasError

_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its name when the block ends well.

    The temporary name keeps the suffix, because some writers choose their format by it.

    Raises:
        EmonasError: there is no room for the file.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    with _room_for(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _room_for(path: Path) -> Iterator[None]:
    """Turn a full disk into one sentence."""
    try:
        yield
    except EmonasError:
        raise
    except Exception as error:
        reason = _why_full(error)
        if reason is None:
            raise
        raise EmonasError(
            f"{path}: can't be written ({reason}); make room and run again, which goes on from "
            "what was done"
        ) from error


def _why_full(error: BaseException | None) -> str | None:
    """The system's words for it: of libraries, some give words alone, some what came of it."""
    while error is not None:
        for words in _FULL:
            if words in str(error):
                return words
        error = error.__cause__ or error.__context__
    return None


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; not-a-number is refused, because JSON has none."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
