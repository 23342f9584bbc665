"""`results/recognition/{corpus}/{transcript}.json`: how well a recogniser heard a corpus."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from emonas.errors import EmonasError, make_again
from emonas.storage.atomic import write_json
from emonas.storage.problems import first_problem

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


def write_recognition(path: Path, recognition: Recognition) -> None:
    """Write the rates as JSON, whole or not at all."""
    write_json(path, asdict(recognition))


def read_recognition(path: Path) -> Recognition:
    """Read the rates.

    Raises:
        EmonasError: the file is missing or does not hold them.
    """
    try:
        return TypeAdapter(Recognition).validate_json(path.read_bytes(), strict=True)
    except (OSError, ValueError) as error:
        raise EmonasError(
            f"{path}: no error rates ({first_problem(error)}); {make_again(path)}"
        ) from error
