"""What lies below a folder, linked folders too: each is read once, so that loops of links end."""

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tree:
    """All paths below a folder, and those of them that could not be read, with the reason."""

    paths: list[Path] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def read_tree(root: Path) -> Tree:
    """Walk through a folder, and then through what its links lead to.

    A folder that several paths lead to is read under the one without a link, or else under the
    first; the others are left out.
    """
    tree = Tree()
    first: dict[tuple[int, int], Path] = {}
    linked = deque([root])
    while linked:
        waiting = deque([linked.popleft()])
        while waiting:
            folder = waiting.popleft()
            try:
                if _is_another(folder, first, tree):
                    _read(folder, waiting, linked, tree)
            except OSError as error:
                tree.left_out.append(
                    (
                        folder,
                        f"it can't be read ({error.strerror}); look at its permissions, and at "
                        "what it links to",
                    )
                )
    return tree


def _is_another(folder: Path, first: dict[tuple[int, int], Path], tree: Tree) -> bool:
    """Whether a folder was not read before; left out if it was."""
    found = folder.stat()
    known = first.setdefault((found.st_dev, found.st_ino), folder)
    if known is not folder:
        tree.left_out.append(
            (folder, f"it is the same folder as {known.as_posix()}, which is read; remove the link")
        )
    return known is folder


def _read(folder: Path, waiting: deque[Path], linked: deque[Path], tree: Tree) -> None:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = folder / entry.name
            tree.paths.append(path)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            # A link that leads nowhere may have been that of a folder.
            elif entry.is_symlink() and not _is_file(entry):
                linked.append(path)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
