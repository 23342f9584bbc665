"""Guesses from files' names, over the ways in which corpora name theirs."""

from itertools import product
from pathlib import PurePath

import pytest

from emonas.corpora.guessing import Place, emotion_of, guess

SIX = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")


def named(pattern, **parts):
    keys = list(parts)
    return [
        PurePath(pattern.format(**dict(zip(keys, values, strict=True))))
        for values in product(*parts.values())
    ]


@pytest.mark.parametrize(
    ("paths", "emotion", "speaker"),
    [
        (
            named("{s}_{t}_{e}_XX.wav", s=range(1001, 1021), t=("DFA", "IEO", "TIE"), e=SIX),
            Place("name", 2),
            Place("name", 0),
        ),
        (
            named("{s}_{e}/{s}_{w}_{e}.wav", s=("OAF", "YAF"), w=map(chr, range(97, 120)), e=SIX),
            Place("name", 2),
            Place("name", 0),
        ),
        (
            named("{e}-{s}-{t}.wav", e=("dis", "gio", "rab", "tri", "neu", "sad", "sur"),
                  s=("f1", "f2", "m1", "m2"), t=("b1", "b2", "l1")),
            Place("name", 0),
            Place("name", 1),
        ),
        (
            named("{e}/speaker {s}/take {t}.flac", e=("happy", "anger"), s="abcd", t=range(4)),
            Place("folder", 0),
            Place("folder", 1),
        ),
        (
            named("actor{s}/{t}/{e}{n}.wav", s=range(5), t="xy", e=("joy", "fear"), n=(1, 2)),
            Place("name", 0),
            Place("folder", 0),
        ),
    ],
    ids=["crema", "tess", "emovo", "folders", "actors"],
)  # fmt: skip
def test_emotion_and_speaker_are_guessed(paths, emotion, speaker):
    found = guess(paths)
    assert (found.emotion, found.speaker) == (emotion, speaker)


def test_names_that_say_nothing_give_no_guess():
    found = guess([PurePath(f"recording{number}.wav") for number in range(30)])
    assert (found.emotion, found.speaker) == (None, None)


def test_one_emotion_alone_is_none():
    assert guess([PurePath(f"happy{number}.wav") for number in range(9)]).emotion is None


def test_what_else_might_be_the_speaker_is_told():
    found = guess(named("{s}_{t}_{e}.wav", s=("ab", "cd"), t=("x1", "x2"), e=SIX))
    assert found.speaker == Place("name", 0)
    assert Place("name", 1) in found.others


@pytest.mark.parametrize(
    ("part", "emotion"),
    [("Happy", "happy"), ("ANG", "angry"), ("freude03", "happy"), ("XX", ""), ("12", "")],
)
def test_words_are_read_whatever_their_case_and_number(part, emotion):
    assert emotion_of(part) == emotion
