"""The synthetic corpus: the same bytes, the right plan, and prosody that can be measured."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from emonas.corpora.readers import synthetic
from emonas.corpora.synthesis import signal
from emonas.corpora.synthesis.plan import lines, seeded, speakers
from emonas.corpora.synthesis.prosody import RULES, Prosody, utterance_prosody
from emonas.corpora.synthesis.render import Rendering, render
from emonas.corpora.synthesis.voice import Delivery, speak

SMALL = {"sessions": 2, "utterances": 2, "emotions": ("sad", "angry"), "seed": 3}
PROGRAM = """
import sys
from pathlib import Path
from emonas.corpora.readers.synthetic import Options, read
read(Options(sessions=2, utterances=2, emotions=("sad", "angry"), seed=3), Path(sys.argv[1]))
"""


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.glob("*.wav"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path):
    synthetic.read(synthetic.Options(**SMALL), tmp_path / "here")
    subprocess.run([sys.executable, "-c", PROGRAM, tmp_path / "there"], check=True)
    here = digests(tmp_path / "here" / "audio")
    assert len(here) == 16
    assert len(set(here.values())) == 16
    assert here == digests(tmp_path / "there" / "audio")


def test_another_seed_gives_other_audio_under_the_same_names(tmp_path):
    options = synthetic.Options(sessions=1, utterances=1, emotions=("sad",), seed=3)
    synthetic.read(options, tmp_path / "a")
    synthetic.read(options.model_copy(update={"seed": 4}), tmp_path / "b")
    a, b = digests(tmp_path / "a" / "audio"), digests(tmp_path / "b" / "audio")
    assert a.keys() == b.keys()
    assert not set(a.values()) & set(b.values())


def test_an_utterance_does_not_depend_on_what_was_spoken_before():
    first = Delivery("en+f2", 160, 50, 50, seed=1)
    alone = speak("The cup is blue.", first)
    speak("Das ist etwas anderes, und länger.", Delivery("de+m7", 200, 70, 90, seed=2))
    assert np.array_equal(alone, speak("The cup is blue.", first))


def test_the_default_corpus_is_planned_as_promised():
    options = synthetic.Options()
    people = list(speakers(options.languages, options.sessions))
    plan = [
        line
        for speaker in people
        for line in lines(speaker, options.emotions, options.utterances, options.seed)
    ]
    assert len(plan) == 12 * 4 * 6
    assert len({line.utterance for line in plan}) == len(plan)
    assert len({(person.language, person.variant) for person in people}) == 12
    for session in range(1, 7):
        pair = [person for person in people if person.session == session]
        assert {person.gender for person in pair} == {"female", "male"}
        assert len({person.language for person in pair}) == 1
    improvised = [line.text for line in plan if line.style == "improvised"]
    assert len(improvised) == len(set(improvised)) == len(plan) // 2
    for language in ("en", "de", "fr"):
        scripted = {
            (line.speaker.name, line.emotion, line.text)
            for line in plan
            if line.style == "scripted" and line.speaker.language == language
        }
        assert len({text for _, _, text in scripted}) == 3
        assert len(scripted) == 4 * 4 * 3


def test_the_manifest_names_what_was_spoken(written):
    manifest, problems = written(synthetic.Options(sessions=1, utterances=2, languages=("de",)))
    assert problems.empty
    assert len(manifest) == 16
    assert set(manifest["session"]) == {"1"}
    assert set(manifest["language"]) == {"de"}
    assert (manifest["sampling_rate"] == 16000).all()
    assert manifest["digest"].nunique() == 16
    samples, _ = soundfile.read(manifest["audio"].iloc[0], dtype="int16")
    assert len(samples) / 16000 == pytest.approx(manifest["seconds"].iloc[0], abs=1e-5)


def test_sad_speech_is_slower_and_softer_than_angry_speech():
    person = next(speakers(["en"], 1))
    spoken = list(lines(person, ["sad", "angry"], 8, seed=0))
    rendering = Rendering(seed=0, strength=1.0, snr=(30.0, 30.0))
    levels: dict[str, list[float]] = {"sad": [], "angry": []}
    seconds: dict[str, list[int]] = {"sad": [], "angry": []}
    for line in (line for line in spoken if line.style == "scripted"):
        samples = render(line, rendering)
        levels[line.emotion].append(signal.loudness(samples / 32768))
        seconds[line.emotion].append(len(samples))
    assert np.mean(levels["angry"]) - np.mean(levels["sad"]) > 5
    assert np.mean(seconds["sad"]) > 1.2 * np.mean(seconds["angry"])


def test_strength_scales_the_rule_and_nothing_else():
    speaker = Prosody(pitch=1.0)
    flat = utterance_prosody("angry", 0.0, speaker, seeded(0, "x"))
    full = utterance_prosody("angry", 1.0, speaker, seeded(0, "x"))
    neutral = utterance_prosody("neutral", 1.0, speaker, seeded(0, "x"))
    assert flat == neutral
    share = (full.loudness - flat.loudness) / RULES["angry"].loudness
    assert full.rate - flat.rate == pytest.approx(share * RULES["angry"].rate)
    assert 0.6 <= share <= 1.4


def test_tilt_changes_octaves_by_its_decibels():
    impulse = np.zeros(16000)
    impulse[0] = 1.0
    gains = 20 * np.log10(np.abs(np.fft.rfft(signal.tilt(impulse, 3.0, 16000))))
    assert gains[[200, 500, 1000, 2000, 4000, 8000]] == pytest.approx([0, 0, 3, 6, 9, 9], abs=1e-6)


def test_levels_are_exact_and_peaks_are_not_cut():
    random = np.random.default_rng(0)
    noise = signal.coloured_noise(32000, 6.0, 16000, random)
    assert signal.loudness(signal.scaled(noise, -31.0)) == pytest.approx(-31.0, abs=1e-6)
    power = np.abs(np.fft.rfft(noise)) ** 2
    fall = 10 * np.log10(power[800:1200].mean() / power[1600:2400].mean())
    assert fall == pytest.approx(6.0, abs=0.7)
    loud = signal.as_integers(signal.scaled(noise, 6.0))
    assert abs(int(loud.max())) < 32767
    assert np.corrcoef(loud, noise)[0, 1] > 0.9999


@pytest.mark.parametrize(
    "wrong", [{"snr": (20, 5)}, {"emotions": ("sad", "sad")}, {"languages": ()}, {"root": "/data"}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        synthetic.Options(**wrong)
