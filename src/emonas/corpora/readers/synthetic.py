"""Speech that is synthesised here, so that the whole workflow runs without any corpus.

Scores on it say that the pipeline works, and not that it recognises emotion.
"""

import io
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from emonas.corpora.reading import (
    WORKING_RATE,
    Expected,
    Listing,
    ReaderOptions,
    Recording,
)
from emonas.corpora.synthesis.plan import Line, lines, speakers
from emonas.corpora.synthesis.prosody import EmotionName
from emonas.corpora.synthesis.render import Rendering, render
from emonas.corpora.synthesis.texts import LanguageCode
from emonas.jobs import Progress
from emonas.storage.atomic import whole_file

_STEP = 50


class Options(ReaderOptions):
    """Options of the synthetic corpus; it has no root."""

    needs_root: ClassVar[bool] = False
    synthetic: ClassVar[bool] = True

    reader: Literal["synthetic"] = Field(
        default="synthetic", description="speech by eSpeak NG with prosody rules"
    )
    root: None = Field(default=None, description="not used: nothing is read")
    seed: int = Field(default=0, ge=0, description="the same seed gives the same bytes")
    languages: tuple[LanguageCode, ...] = Field(
        default=("en", "de", "fr"), min_length=1, description="the sessions take them in turn"
    )
    sessions: int = Field(default=6, ge=1, le=24, description="a woman and a man each")
    utterances: int = Field(
        default=6, ge=1, le=40, description="of each speaker in each emotion; half are improvised"
    )
    emotions: tuple[EmotionName, ...] = Field(
        default=("neutral", "happy", "sad", "angry"), min_length=1, description="what is played"
    )
    snr: tuple[float, float] = Field(
        default=(10.0, 25.0), description="speech over background noise in dB, from and to"
    )
    strength: float = Field(
        default=1.0, ge=0, le=3, description="factor of the emotion rules; at 0 there is no emotion"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.snr[0] > self.snr[1]:
            raise ValueError(f"snr goes from {self.snr[0]} to {self.snr[1]}; put the lower first")
        for name in ("languages", "emotions"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names one twice; name each once")
        return self


def expected(options: Options) -> Expected:
    """How large it will be, before a word is spoken."""
    people = 2 * options.sessions
    spoken = people * len(options.emotions) * options.utterances
    return Expected(spoken, people, options.sessions, WORKING_RATE)


def read(options: Options, folder: Path) -> Listing:
    """Speak the corpus into `folder/audio` and list it."""
    plan = [
        line
        for speaker in speakers(options.languages, options.sessions)
        for line in lines(speaker, options.emotions, options.utterances, options.seed)
    ]
    rendering = Rendering(options.seed, options.strength, options.snr)
    progress = Progress(f"speaking {folder.name}", len(plan))
    listing = Listing()
    for done, line in enumerate(plan, 1):
        listing.recordings.append(_record(line, rendering, folder / "audio"))
        if done % _STEP == 0 or done == len(plan):
            progress.step(done, line.utterance)
    return listing


def _record(line: Line, rendering: Rendering, folder: Path) -> Recording:
    import soundfile

    path = folder / f"{line.utterance}.wav"
    wave = io.BytesIO()
    soundfile.write(wave, render(line, rendering), WORKING_RATE, subtype="PCM_16", format="WAV")
    with whole_file(path) as temporary:
        # Given a name, libsndfile does not pass on that the disk is full.
        temporary.write_bytes(wave.getvalue())
    return Recording(
        utterance=line.utterance,
        audio=path,
        emotion=line.emotion,
        language=line.speaker.language,
        speaker=line.speaker.name,
        gender=line.speaker.gender,
        session=str(line.speaker.session),
        style=line.style,
        text=line.text,
    )
