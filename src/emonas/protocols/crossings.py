"""What two parts of a fold share, by name, and whether the protocol allows it."""

import unicodedata
from typing import Literal

import pandas as pd

from emonas.protocols.options import Crossing as Kind
from emonas.protocols.options import ProtocolOptions
from emonas.storage.audit import Crossing, Shared
from emonas.storage.folds import Part
from emonas.storage.manifest import UNKNOWN_SPEAKER

_KINDS: tuple[Kind, ...] = ("speaker", "session", "text", "audio")
_EXAMPLES = 3


def normalised(text: str) -> str:
    """Give a text in lower case, without punctuation and with single blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (letter for letter in folded if unicodedata.category(letter)[0] not in "PS")
    return " ".join("".join(kept).split())


def traits_of(manifest: pd.DataFrame) -> pd.DataFrame:
    """Give what may cross, an utterance a row; an empty trait is unknown and crosses nothing."""
    pooled = manifest["corpus"].nunique() > 1
    named = {
        "speaker": manifest["speaker"].replace(UNKNOWN_SPEAKER, ""),
        "session": manifest["session"],
    }
    identified = {
        key: (manifest["corpus"] + ":" + names if pooled else names).where(names != "", "")
        for key, names in named.items()
    }
    traits = pd.DataFrame(
        {
            "corpus": manifest["corpus"],
            "utterance": manifest["utterance"],
            **identified,
            "text": [normalised(text) for text in manifest["text"]],
            "audio": manifest["digest"],
        }
    )
    return traits.set_index(["corpus", "utterance"])


def crossings_of(
    fold: str,
    pair: tuple[Part, Part],
    rows: tuple[pd.DataFrame, pd.DataFrame],
    options: ProtocolOptions,
) -> list[Crossing]:
    """Give what the two parts `pair` of a fold share, `rows` holding their traits."""
    found = []
    for kind in _KINDS:
        first, second = (_by_name(part, kind) for part in rows)
        shared = tuple(
            Shared(
                name=value,
                counts=(len(first[value]), len(second[value])),
                examples=(tuple(first[value][:_EXAMPLES]), tuple(second[value][:_EXAMPLES])),
            )
            for value in sorted(first.keys() & second.keys())
        )
        if shared:
            because = because_of(kind, pair, options)
            found.append(Crossing(fold=fold, kind=kind, parts=pair, because=because, shared=shared))
    return found


def _by_name(rows: pd.DataFrame, kind: Kind) -> dict[str, list[str]]:
    utterances: dict[str, list[str]] = {}
    for value, utterance in zip(rows[kind], rows["utterance"], strict=True):
        if value:
            utterances.setdefault(value, []).append(utterance)
    return utterances


def because_of(
    kind: Kind, pair: tuple[Part, Part], options: ProtocolOptions
) -> Literal["allow", "declaration", ""]:
    """Say what lets a kind cross between two parts; empty where nothing does."""
    if kind in options.allow:
        return "allow"
    random = options.test == "random" or (
        options.validation == "random" and pair == ("train", "validation")
    )
    # The partner is by definition of the same session as the tested speaker.
    partner = options.validation == "partner" and pair == ("validation", "test")
    if (random and kind != "audio") or (partner and kind == "session"):
        return "declaration"
    return ""


def in_words(crossing: Crossing) -> str:
    """Name the fold, the parts and the first few that cross."""
    first, second = crossing.parts
    pairs = "; ".join(
        f"{crossing.kind} {shared.name}: {shared.examples[0][0]} in {first} and "
        f"{shared.examples[1][0]} in {second}"
        for shared in crossing.shared[:_EXAMPLES]
    )
    more = len(crossing.shared) - _EXAMPLES
    return f"in fold {crossing.fold} {first} and {second} share {pairs}" + (
        f"; and {more} more" if more > 0 else ""
    )
