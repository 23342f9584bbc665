from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import select
from emonas.protocols.split import Fold, split
from emonas.storage.manifest import MANIFEST_COLUMNS, Utterance

EMODB = Path(__file__).parents[2].parent / "shared" / "corpora" / "emodb" / "wav"
EMODB_EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}


def make_utterance(utterance: str, speaker: str, emotion: str, **given: str) -> Utterance:
    facts = {
        "audio": f"{utterance}.wav",
        "corpus": "talk",
        "language": "english",
        "gender": "female",
        "session": "",
        "style": "",
        "text": f"sentence of {utterance}",
        "digest": f"digest-{utterance}",
    }
    return Utterance(
        utterance=utterance,
        speaker=speaker,
        emotion=emotion,
        seconds=1.0,
        sampling_rate=16000,
        **(facts | given),
    )


def as_table(utterances: list[Utterance]) -> pd.DataFrame:
    return pd.DataFrame([vars(row) for row in utterances], columns=list(MANIFEST_COLUMNS))


@pytest.fixture
def utterance() -> Callable[..., Utterance]:
    return make_utterance


@pytest.fixture
def table() -> Callable[[list[Utterance]], pd.DataFrame]:
    return as_table


@pytest.fixture
def dyads() -> list[Utterance]:
    """Like IEMOCAP: five sessions of a woman and a man, improvised and scripted dialogs."""
    emotions = ("neutral", "happy", "excited", "sad", "angry", "fear")
    return [
        make_utterance(
            f"Ses0{session}{gender}_{style}_{emotion}_{take}",
            f"Ses0{session}{gender}",
            emotion,
            session=str(session),
            gender={"F": "female", "M": "male"}[gender],
            style=style,
        )
        for session in range(1, 6)
        for gender in "FM"
        for style in ("improvised", "scripted")
        for emotion in emotions
        for take in range(3 if emotion == "neutral" else 2)
    ]


@pytest.fixture
def emodb() -> list[Utterance]:
    if not EMODB.is_dir():
        pytest.skip("EmoDB lies beside the checkout in shared/corpora only where it was put")
    return [
        make_utterance(
            path.stem,
            path.stem[:2],
            EMODB_EMOTIONS[path.stem[5]],
            gender="male" if path.stem[:2] in ("03", "10", "11", "12", "15") else "female",
            text=path.stem[2:5],
            language="german",
        )
        for path in sorted(EMODB.glob("*.wav"))
    ]


@pytest.fixture
def folds_of() -> Callable[..., dict[str, Fold]]:
    """Select and split; `corpora` is whatever the utterances name."""

    def make(utterances: list[Utterance], **given: object) -> dict[str, Fold]:
        corpora = sorted({row.corpus for row in utterances})
        options = ProtocolOptions.model_validate({"corpora": corpora, **given})
        return split("p", select("p", as_table(utterances), options), options)

    return make
