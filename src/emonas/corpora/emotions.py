"""The one vocabulary of emotions: full words, adjectives where English has one."""

from typing import Final

EMOTIONS: Final = (
    "angry",
    "bored",
    "calm",
    "disgusted",
    "excited",
    "fearful",
    "frustrated",
    "happy",
    "neutral",
    "sad",
    "surprised",
    "other",
    "no agreement",
)
"""`other` is a named emotion outside the list; `no agreement` says that the raters chose none."""
