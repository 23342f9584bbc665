"""Sound and films that lie among recordings and that nothing here reads."""

import re
from collections import Counter
from pathlib import Path

from emonas.corpora.tree import read_tree

_UNREAD = re.compile(
    r"\.(3ga|3gp|aac|ac3|aifc|amr|ape|au|avi|awb|caf|dss|flv|m4a|m4b|m4r|m4v|mka|mkv|mov|mp2|mp4|mpeg"
    r"|mpg|mts|pcm|qcp|ra|raw|rf64|rm|snd|sph|spx|voc|w64|weba|webm|wma|wmv|wv)",
    re.IGNORECASE,
)
"""libsndfile does not read them, or nobody can check their length."""


def is_unread(path: Path) -> bool:
    """Whether a file is of such a kind, by its name."""
    return _UNREAD.fullmatch(path.suffix) is not None


def unread_media(root: Path) -> list[str]:
    """How many files of which kinds are skipped below a folder, as one sentence; none where there
    are none.
    """
    kinds = Counter(
        path.suffix.lower()
        for path in read_tree(root).paths
        if is_unread(path) and not path.name.startswith("._") and path.is_file()
    )
    if not kinds:
        return []
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return [f"skipped, because such files are not read: {listed}; convert them to wav with ffmpeg"]
