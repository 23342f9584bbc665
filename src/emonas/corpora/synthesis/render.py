"""A line spoken: from its name and the corpus's seed to 16-bit samples."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emonas.corpora.reading import WORKING_RATE
from emonas.corpora.synthesis import signal
from emonas.corpora.synthesis.plan import Line, Speaker, seeded
from emonas.corpora.synthesis.prosody import Prosody, speaker_prosody, utterance_prosody
from emonas.corpora.synthesis.voice import RATE, Delivery, speak

NEUTRAL_RATE = 160
"""Words a minute."""
NEUTRAL_LEVEL = -28.0
"""dB of full scale."""
NEUTRAL_BREATH = -28.0
"""dB of the voice."""
MIDDLE = 50
OCTAVE = 50
"""Steps of eSpeak's pitch parameter to double the frequency."""
NOISE_SLOPES = (2.0, 5.0)
CHANNEL_TILT = 0.5


@dataclass(frozen=True)
class Rendering:
    """What is alike for the whole corpus; `snr` in dB, from and to."""

    seed: int
    strength: float
    snr: tuple[float, float]


def render(line: Line, rendering: Rendering) -> npt.NDArray[np.int16]:
    """Speak a line: samples (time,) at 16 kHz."""
    import soxr

    random = seeded(rendering.seed, "utterance", line.utterance)
    own = speaker_prosody(seeded(rendering.seed, "speaker", line.speaker.name))
    manner = utterance_prosody(line.emotion, rendering.strength, own, random)
    spoken = speak(line.text, _delivery(line.speaker, manner, int(random.integers(1, 2**31 - 1))))
    voice = soxr.resample(spoken, RATE, WORKING_RATE)
    level, slope = _channel(line.speaker, rendering.seed)
    voice = signal.tilt(voice, manner.tilt + level, WORKING_RATE)
    voice = signal.breathe(voice, NEUTRAL_BREATH + manner.breath, WORKING_RATE, random)
    voice = signal.scaled(voice, NEUTRAL_LEVEL + manner.loudness)
    noise = signal.coloured_noise(len(voice), slope, WORKING_RATE, random)
    below = random.uniform(*rendering.snr)
    return signal.as_integers(voice + signal.scaled(noise, signal.loudness(voice) - below))


def _delivery(speaker: Speaker, manner: Prosody, seed: int) -> Delivery:
    return Delivery(
        voice=f"{speaker.language}+{speaker.variant}",
        rate=round(NEUTRAL_RATE * math.exp(manner.rate)),
        pitch=round(MIDDLE + OCTAVE * manner.pitch / 12),
        range=round(MIDDLE * math.exp(manner.range)),
        seed=seed,
    )


def _channel(speaker: Speaker, seed: int) -> tuple[float, float]:
    """A session's microphone (dB an octave) and the slope of its noise (dB an octave)."""
    random = seeded(seed, "session", str(speaker.session))
    return float(random.normal(0, CHANNEL_TILT)), float(random.uniform(*NOISE_SLOPES))
