"""`results/protocols/{protocol}/audit.json`: what crosses between the parts of each fold."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emonas.storage.atomic import write_text
from emonas.storage.documents import read_document
from emonas.storage.folds import Part


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shared(_Model):
    """A speaker, session, text or recording that two parts share.

    `counts` are its utterances in the first and in the second part, `examples` the first few.
    """

    name: str
    counts: tuple[int, int]
    examples: tuple[tuple[str, ...], tuple[str, ...]]


class Crossing(_Model):
    """All of one kind that two parts of a fold share, and why that is allowed, if it is.

    `because` is `allow` (the protocol's key), `declaration` (the kind of protocol implies it), or
    empty where it is forbidden.
    """

    fold: str
    kind: Literal["speaker", "session", "text", "audio"]
    parts: tuple[Part, Part]
    because: Literal["allow", "declaration", ""]
    shared: tuple[Shared, ...]

    @property
    def allowed(self) -> bool:
        """Whether the protocol allows it."""
        return self.because != ""


class PartCounts(_Model):
    """How many utterances a part has: in all, a class, a speaker who is known, and of speakers
    who are not.
    """

    utterances: int
    labels: dict[str, int]
    speakers: dict[str, int]
    unknown_speakers: int = 0


class TransferAudit(_Model):
    """Another corpus, on which the models of a protocol are tested.

    `map` is the declared one, the class that each emotion of the corpus counts as; `left_out` has
    the utterances of each emotion that counts as none of the classes. Of the others, `utterances`
    take part, `labels` of each class, and the filters and the limit keep `filtered` out. Speakers
    are those that are known.
    """

    utterances: int
    speakers: int
    labels: dict[str, int]
    map: dict[str, str]
    left_out: dict[str, int]
    filtered: int = 0


class Audit(_Model):
    """The audit of a protocol.

    `statement` says in words who is tested on whom; `options` are the protocol's, as in the
    settings; `warnings` are sentences on what does not stop the run; `problems` on what does.
    """

    protocol: str
    statement: str
    options: dict[str, Any]
    labels: tuple[str, ...]
    speaker_dependent: bool
    speaker_dependent_validation: bool
    pooled: bool
    folds: dict[str, dict[Part, PartCounts]]
    transfer: dict[str, TransferAudit] = Field(default_factory=dict)
    crossings: tuple[Crossing, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


def write_audit_file(path: Path, audit: Audit) -> None:
    """Write an audit as JSON, whole or not at all."""
    write_text(path, audit.model_dump_json(indent=1) + "\n")


def read_audit_file(path: Path) -> Audit:
    """Read an audit.

    Raises:
        DamagedFileError: the file is missing or holds no audit.
    """
    return read_document(path, Audit, "no audit")
