"""The kinds of a paper's figure, told apart by the key `kind`."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.gates_options import GatesOptions
from emonas.report.options import FigureOptions

LINES = "lines"


def figure_kind(value: Any) -> str:
    """The kind of a figure's options: lines where nothing is said."""
    kind = value.get("kind", LINES) if isinstance(value, dict) else getattr(value, "kind", LINES)
    return str(kind)


AnyFigureOptions = Annotated[
    Annotated[FigureOptions, Tag(LINES)]
    | Annotated[EmbeddingsOptions, Tag("embeddings")]
    | Annotated[GatesOptions, Tag("gates")],
    Discriminator(figure_kind),
]
