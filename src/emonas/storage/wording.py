"""How texts are written alike before anything compares or learns them."""

import unicodedata

NORMALISATION = (
    "Unicode NFC, case folded, apostrophes dropped, other punctuation and symbols read as spaces"
)
_APOSTROPHES = "'\u2018\u2019\u02bc`"


def normalised(text: str) -> str:
    """Give a text as it is compared: see `NORMALISATION`; umlauts and accents stay."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    spoken = (_spoken(letter) for letter in folded if letter not in _APOSTROPHES)
    return " ".join("".join(spoken).split())


def _spoken(letter: str) -> str:
    return " " if unicodedata.category(letter)[0] in "PS" else letter
