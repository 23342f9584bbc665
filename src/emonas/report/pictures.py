"""Figures as the page holds them."""

import base64
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Picture:
    """A figure as a data address, with a text for those who cannot see it."""

    address: str
    alt: str
    file: str


def picture(folder: Path, file: str, alt: str) -> Picture:
    """A figure that was drawn into `folder`."""
    data = base64.b64encode((folder / file).read_bytes()).decode("ascii")
    return Picture(f"data:image/svg+xml;base64,{data}", alt, file)
