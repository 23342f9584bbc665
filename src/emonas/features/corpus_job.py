"""What a job over all utterances of a corpus is given."""

from dataclasses import dataclass
from pathlib import Path

from emonas.features.extraction import Resources


@dataclass(frozen=True, kw_only=True)
class CorpusJob:
    """The base of an extraction and of a recognition.

    Attributes:
        corpus: the corpus's name.
        manifest: the corpus's manifest.
        resources: where it is computed, with which weights, and which layers are wanted.
        resume: the folder of what interrupted jobs left.
        code: digest of the code that runs.
    """

    corpus: str
    manifest: Path
    resources: Resources
    resume: Path
    code: str
