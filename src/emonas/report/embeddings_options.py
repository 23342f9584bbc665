"""Options of a figure of embeddings: what the classifiers see, in two dimensions."""

from typing import Literal

from pydantic import Field

from emonas.options import Options


class EmbeddingPanelOptions(Options):
    """One panel of a figure of embeddings: the utterances of a part, as a system sees them."""

    system: str = Field(description="the system whose classifier sees the embeddings")
    protocol: str = Field(description="the protocol of that run")
    domain: str | None = Field(
        None, description="only the utterances of this domain; those of all where none is named"
    )
    fold: str | None = Field(
        None, description="the fold, of seed 0; the protocol's first where none is named"
    )
    part: Literal["train", "validation", "test", "all"] = Field(
        "test", description="the part of the fold whose utterances are drawn"
    )


class EmbeddingsOptions(Options):
    """A figure of embeddings (Multi-gating NAS, figure 3): t-SNE, a point an utterance, with the
    silhouette score of the classes in every panel.
    """

    kind: Literal["embeddings"] = Field(description="what kind of figure this is")
    title: str = Field("", description="the heading; the figure's name where it is empty")
    source: str = Field(
        "", description="the paper and figure, such as 'Multi-gating NAS, figure 3'"
    )
    panels: dict[str, EmbeddingPanelOptions] = Field(
        min_length=1, description="the panels side by side, by name"
    )
    notes: tuple[str, ...] = Field(
        (), description="readings of the paper and differences of protocol that touch this figure"
    )
