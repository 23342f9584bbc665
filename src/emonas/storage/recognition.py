"""`results/recognition/{corpus}/{transcript}.json`: how well a recogniser heard a corpus."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from emonas.storage.atomic import write_json
from emonas.storage.documents import read_document

Rate = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Recognition:
    """Word and character error rates over a corpus, as fractions; insertions can lift them over 1.

    Attributes:
        wer: substitutions, deletions and insertions of words by words of the reference.
        cer: the same of characters, the spaces between words among them.
        substitutions: words heard as others.
        deletions: words not heard.
        insertions: words heard that nobody said.
        words: words of all references.
        characters: characters of all references.
        utterances: utterances that were scored.
        without_text: utterances that were left out because nobody wrote down what they say.
        wer_interval: the bounds of the 95% interval of `wer` by bootstrap over speakers; none where
            they are not known, or fewer than five.
        cer_interval: the same of `cer`.
        normalisation: what was done to both texts before they were compared.
    """

    wer: Rate
    cer: Rate
    substitutions: Count
    deletions: Count
    insertions: Count
    words: Count
    characters: Count
    utterances: Count
    without_text: Count
    normalisation: str
    wer_interval: tuple[float, float] | None = None
    cer_interval: tuple[float, float] | None = None


def write_recognition(path: Path, recognition: Recognition) -> None:
    """Write the rates as JSON, whole or not at all."""
    write_json(path, asdict(recognition))


def read_recognition(path: Path) -> Recognition:
    """Read the rates.

    Raises:
        EmonasError: the file is missing or does not hold them.
    """
    return read_document(path, Recognition, "no error rates")
