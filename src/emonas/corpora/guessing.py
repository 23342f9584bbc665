"""Which part of a file's name may be the emotion, and which the speaker: guesses, to be checked."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

WORDS: Mapping[str, str] = {
    **dict.fromkeys(("angry", "anger", "ang", "wut", "aerger", "ärger", "rabbia"), "angry"),
    **dict.fromkeys(("colere", "colère", "enojo", "ira", "raiva"), "angry"),
    **dict.fromkeys(("bored", "boredom", "bor", "langeweile"), "bored"),
    **dict.fromkeys(("calm", "calmness", "relaxed"), "calm"),
    **dict.fromkeys(("disgusted", "disgust", "dis", "ekel", "disgusto", "degout"), "disgusted"),
    **dict.fromkeys(("dégoût", "asco", "nojo"), "disgusted"),
    **dict.fromkeys(("excited", "excitement", "exc"), "excited"),
    **dict.fromkeys(
        ("fearful", "fear", "fea", "angst", "paura", "peur", "miedo", "medo"), "fearful"
    ),
    **dict.fromkeys(("frustrated", "frustration", "fru"), "frustrated"),
    **dict.fromkeys(("happy", "happiness", "hap", "joy", "freude", "gioia", "joie"), "happy"),
    **dict.fromkeys(("alegria", "alegría", "felicidad", "felicidade"), "happy"),
    **dict.fromkeys(("neutral", "neu", "neutrality", "neutro", "neutre", "neutrale"), "neutral"),
    **dict.fromkeys(("sad", "sadness", "trauer", "tristezza", "tristesse"), "sad"),
    **dict.fromkeys(("tristeza",), "sad"),
    **dict.fromkeys(("surprised", "surprise", "sur", "ps", "sorpresa", "surpresa"), "surprised"),
    **dict.fromkeys(("überraschung", "ueberraschung"), "surprised"),
    **dict.fromkeys(("other", "oth"), "other"),
}
"""Words and abbreviations of corpora's names, in our vocabulary."""

_SPEAKER = re.compile(r"(speaker|spk|actor|subject|subj|sub|participant|spkr|voice)")
_SHARE = 0.5
"""Of the files whose part must be a word for an emotion."""
_FEWEST = 3
"""Files of each speaker, on average."""


@dataclass(frozen=True)
class Place:
    """A part of a name: the folder so many below the root, or a word of the file's name, counted
    from its start or (below 0) from its end.
    """

    of: str
    number: int

    def __str__(self) -> str:
        if self.of == "folder":
            return f"folder {self.number + 1} below the root"
        if self.number < 0:
            return f"word {-self.number} from the end of the file's name"
        return f"word {self.number + 1} of the file's name"


@dataclass(frozen=True)
class Guess:
    """What was guessed: the places of emotion and speaker, none where nothing looks like one, and
    other places that might be the speaker.
    """

    emotion: Place | None
    speaker: Place | None
    others: tuple[Place, ...] = ()


def parts_of(path: PurePath) -> dict[Place, str]:
    """The parts of a file's path below the root, by their place."""
    folders = {Place("folder", number): part for number, part in enumerate(path.parts[:-1])}
    words = [word for word in re.split(r"[\s_.\-]+", path.stem) if word]
    named = {Place("name", number): word for number, word in enumerate(words)}
    named |= {Place("name", number - len(words)): word for number, word in enumerate(words)}
    return {**folders, **named}


def emotion_of(part: str) -> str:
    """The emotion that a part names, in our vocabulary; empty where it names none."""
    return WORDS.get(re.sub(r"[\d()]+", "", part).casefold(), "")


def guess(paths: Sequence[PurePath]) -> Guess:
    """Guess from the paths of all files below the root."""
    parts = [parts_of(path) for path in paths]
    values: dict[Place, list[str]] = defaultdict(list)
    for own in parts:
        for place, value in own.items():
            values[place].append(value)
    emotion = _emotion(values, len(paths))
    labels = [emotion_of(own.get(emotion, "")) if emotion else "" for own in parts]
    speakers = sorted(
        (place for place in values if _may_speak(place, emotion, values, len(paths))),
        key=lambda place: _likelihood(place, parts, labels),
        reverse=True,
    )
    apart = _apart(speakers, parts)
    return Guess(emotion, apart[0] if apart else None, tuple(apart[1:]))


def _emotion(values: Mapping[Place, Sequence[str]], count: int) -> Place | None:
    shares = {
        place: (sum(map(bool, found)) / count, len(set(found) - {""}))
        for place, parts in values.items()
        if (found := [emotion_of(part) for part in parts])
    }
    best = max(shares, key=lambda place: shares[place], default=None)
    if best is None or shares[best][0] < _SHARE or shares[best][1] < 2:
        return None
    return best


def _may_speak(
    place: Place, emotion: Place | None, values: Mapping[Place, Sequence[str]], count: int
) -> bool:
    """Whether every file has this part, and as many say the same as one person says."""
    found = values[place]
    different = len(set(found))
    labels = sum(bool(emotion_of(part)) for part in found)
    return (
        place != emotion
        and len(found) == count
        and labels < _SHARE * count
        and 2 <= different <= count / _FEWEST
    )


def _likelihood(
    place: Place, parts: Sequence[Mapping[Place, str]], labels: Sequence[str]
) -> tuple[float, float, bool, float]:
    """Words such as speaker or actor first, then those who utter most of the emotions, folders
    before words, and what stands further ahead: most corpora name the speaker first.
    """
    named = [own[place].casefold() for own in parts]
    uttered: dict[str, set[str]] = defaultdict(set)
    for name, label in zip(named, labels, strict=True):
        uttered[name].add(label)
    every = len(set(labels))
    covered = sum(len(found) for found in uttered.values()) / (len(uttered) * every)
    said = sum(bool(_SPEAKER.search(name)) for name in named) / len(named)
    # From the end only where there is no place from the start that says the same.
    ahead = -place.number if place.number >= 0 else float("-inf")
    return said, round(covered, 1), place.of == "folder", ahead


def _apart(places: Sequence[Place], parts: Sequence[Mapping[Place, str]]) -> list[Place]:
    """The places without those that say the same of every file as one before."""
    seen: set[tuple[str, ...]] = set()
    kept = []
    for place in places:
        values = tuple(own[place] for own in parts)
        if values not in seen:
            kept.append(place)
        seen.add(values)
    return kept


def counted(paths: Sequence[PurePath], place: Place | None) -> Counter[str]:
    """How many files have each value at a place."""
    return Counter(parts_of(path).get(place, "") for path in paths) if place else Counter()
