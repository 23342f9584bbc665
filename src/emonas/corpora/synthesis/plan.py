"""Who says what in which emotion: the whole corpus before a word of it is spoken."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from emonas.corpora.synthesis.prosody import RULES, EmotionName
from emonas.corpora.synthesis.texts import SENTENCES, LanguageCode

VARIANTS: Final = {
    "female": ("f1", "f2", "f3", "f4", "f5", "linda", "steph", "Alicia"),
    "male": ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
}


@dataclass(frozen=True)
class Speaker:
    """A voice variant in a language; `number` counts the speakers of that language."""

    name: str
    session: int
    gender: str
    language: LanguageCode
    variant: str
    number: int


@dataclass(frozen=True)
class Line:
    """One utterance to speak."""

    utterance: str
    speaker: Speaker
    emotion: EmotionName
    style: str
    text: str


def seeded(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for everything that has a name."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def speakers(languages: Sequence[LanguageCode], sessions: int) -> Iterator[Speaker]:
    """A woman and a man a session; the sessions are shared out among the languages in turn."""
    for session in range(sessions):
        for place, (gender, variants) in enumerate(VARIANTS.items()):
            yield Speaker(
                name=f"s{session + 1:02d}{gender[0]}",
                session=session + 1,
                gender=gender,
                language=languages[session % len(languages)],
                variant=variants[session % len(variants)],
                number=2 * (session // len(languages)) + place,
            )


def lines(
    speaker: Speaker, emotions: Sequence[EmotionName], utterances: int, seed: int
) -> Iterator[Line]:
    """What one speaker says: in each emotion, half of the utterances scripted, half improvised.

    Scripted texts are those of the language, the same for all; an improvised text is used once in
    the corpus, as long as the pattern has unused ones.
    """
    sentences = SENTENCES[speaker.language]
    own = sentences.improvised()
    order = seeded(seed, "texts", speaker.language).permutation(len(own))
    scripted = utterances // 2
    improvised = utterances - scripted
    for emotion in emotions:
        before = speaker.number * len(RULES) + list(RULES).index(emotion)
        for take in range(scripted):
            text = sentences.scripted[take % len(sentences.scripted)]
            yield _line(speaker, emotion, "scripted", take, text)
        for take in range(improvised):
            text = own[order[(before * improvised + take) % len(own)]]
            yield _line(speaker, emotion, "improvised", take, text)


def _line(speaker: Speaker, emotion: EmotionName, style: str, take: int, text: str) -> Line:
    name = f"{speaker.name}_{style}_{emotion}{take + 1:02d}"
    return Line(name, speaker, emotion, style, text)
