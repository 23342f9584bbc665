"""The examples of docs/extending, added to a copy of the checkout and run as their pages say."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from safetensors.numpy import load_file
from scipy.signal import lfilter
from scipy.special import softmax

from emonas.storage.features import FeatureFile
from emonas.storage.metrics import read_metrics
from emonas.storage.predictions import read_predictions

DOCS = Path(__file__).parents[2] / "docs"
ROOMS = {
    "corpus": ("crema_d.py", "corpora/readers"),
    "feature": ("intonation.py", "features/extractors"),
    "system": ("time_delay.py", "systems/kinds"),
}
PITCHES = {"ANG": 220.0, "SAD": 110.0}
TEXTS = ("IEO", "TIE", "DFA")
LOWEST = 80
RATE = 16000
COLUMNS = ["file", "problem"]
FOLD = "results/train/crema-d/delays/seed0/speaker1001"


def blocks(page, language):
    text = (DOCS / "extending" / f"{page}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ROOMS)
def test_the_page_shows_the_example_whole(page):
    example, room = ROOMS[page]
    code = (DOCS / "examples" / example).read_text()
    assert blocks(page, "python") == [code]
    assert len(code.splitlines()) < 60
    text = (DOCS / "extending" / f"{page}.md").read_text()
    assert f"`src/emonas/{room}/{example}`" in text


def pitch_of(name):
    """Of every recording another, for the audit finds those that are alike."""
    actor, text, emotion, _ = name.split("_")
    return PITCHES[emotion] + 3 * int(actor[-1]) + TEXTS.index(text)


def samples_of(name):
    """Recordings of different lengths, so that batches are padded."""
    return RATE // 2 + 1600 * TEXTS.index(name.split("_")[1])


def recording(path, pitch, samples):
    """A voice without noise: a pulse train through one resonance."""
    pulses = np.zeros(samples)
    pulses[np.round(np.arange(0, len(pulses) - 1, RATE / pitch)).astype(int)] = 1
    voice = lfilter([1], [1, -1.6, 0.8], pulses)
    soundfile.write(path, 0.3 * voice / np.abs(voice).max(), RATE, subtype="PCM_16")


def crema_d(root):
    """Three actors of two emotions, and two files that are none of the corpus."""
    root.mkdir()
    for actor in ("1001", "1002", "1003"):
        for emotion in PITCHES:
            for text in TEXTS:
                name = f"{actor}_{text}_{emotion}_XX"
                recording(root / f"{name}.wav", pitch_of(name), samples_of(name))
    recording(root / "1001_IEO_JOY_XX.wav", 200, RATE)
    recording(root / "notes of actor 1001.wav", 200, RATE)


@pytest.fixture(scope="module")
def extended(fresh, tmp_path_factory):
    """A checkout with the three files more, after a run on the pages' own settings."""
    checkout = fresh.copy(tmp_path_factory.mktemp("extended") / "my copy")
    for example, room in ROOMS.values():
        target = checkout.folder / "src/emonas" / room
        shutil.copy(DOCS / "examples" / example, target)
    settings = {}
    for page in ROOMS:
        (text,) = blocks(page, "yaml")
        settings |= yaml.safe_load(text)
    settings["runs"] = [{"protocol": "crema-d", "systems": ["delays"]}]
    (checkout.folder / "tiny.yaml").write_text(yaml.safe_dump(settings))
    crema_d(checkout.folder / settings["corpora"]["crema-d"]["root"])
    checkout.snakemake("--cores", "2")
    return checkout


def emonas(checkout, *arguments):
    """What a command answers, of the package that has the new files."""
    done = checkout.emonas(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_reader_lists_its_corpus(extended):
    folder = extended.folder / "results/corpora/crema-d"
    manifest = pd.read_csv(folder / "manifest.csv", dtype=str).set_index("utterance")
    assert len(manifest) == 18
    assert manifest.groupby("speaker").size().to_dict() == {"1001": 6, "1002": 6, "1003": 6}
    one = manifest.loc["1002_TIE_SAD_XX"]
    told = (one["emotion"], one["speaker"], one["text"], one["language"])
    assert told == ("sad", "1002", "TIE", "en")
    problems = pd.read_csv(folder / "problems.csv")
    said = [f"{Path(file).name}: {problem}" for file, problem in problems[COLUMNS].to_numpy()]
    assert "1001_IEO_JOY_XX.wav: CREMA-D has no emotion JOY; rename or remove it" in said
    assert any(one.startswith("notes of actor 1001.wav: its name is not like") for one in said)
    assert any("where the published corpus has 7442" in one for one in said)


def test_the_feature_has_the_pitch_and_the_level_of_the_recordings(extended):
    manifest = pd.read_csv(extended.folder / "results/corpora/crema-d/manifest.csv", dtype=str)
    with FeatureFile(extended.folder / "results/features/crema-d/intonation.h5") as file:
        for _, row in manifest.iterrows():
            frames = file.read(row["utterance"])
            assert frames.shape == (1 + (samples_of(row["utterance"]) - 1024) // 160, 2)
            octaves = np.log2(pitch_of(row["utterance"]) / LOWEST)
            assert np.median(frames[:, 0]) == pytest.approx(octaves, abs=0.02)
            samples, _ = soundfile.read(extended.folder / row["audio"])
            first = 10 * np.log10(np.mean(samples[:1024] ** 2))
            assert frames[0, 1] == pytest.approx(first, abs=1e-3)


def convolved(frames, weight, bias, dilation):
    """A convolution of three taps over (time, features), zeros outside."""
    time = len(frames)
    outside = np.zeros((dilation, frames.shape[1]))
    wide = np.concatenate([outside, frames, outside])
    taps = [wide[tap * dilation : tap * dilation + time] @ weight[:, :, tap].T for tap in range(3)]
    return np.maximum(sum(taps) + bias, 0)


def test_the_system_s_predictions_are_its_network_s(extended):
    """Of each utterance alone, by numpy from the weights and the feature file."""
    weights = load_file(extended.folder / FOLD / "weights.safetensors")
    found = read_predictions(extended.folder / FOLD / "predictions.h5", "test")
    assert {name.split("_")[0] for name in found.utterances} == {"1001"}
    with FeatureFile(extended.folder / "results/features/crema-d/intonation.h5") as file:
        frames = [np.asarray(file.read(name), np.float64) for name in found.utterances]
    for own, logits in zip(frames, found.logits, strict=True):
        states = (own - weights["normaliser.0.mean"]) / weights["normaliser.0.deviation"]
        for layer, dilation in enumerate((1, 2)):
            place = f"network.body.layers.{layer}"
            states = convolved(
                states, weights[f"{place}.weight"], weights[f"{place}.bias"], dilation
            )
        vector = np.concatenate([states.mean(axis=0), np.maximum(states.std(axis=0), 1e-3)])
        wanted = weights["network.classifier.weight"] @ vector
        np.testing.assert_allclose(
            logits, wanted + weights["network.classifier.bias"], rtol=0, atol=1e-4
        )


def test_the_system_has_its_metrics_and_its_place_in_the_report(extended):
    metrics = read_metrics(extended.folder / "results/evaluate/crema-d/delays/metrics.json")
    assert [fold.fold for fold in metrics.folds] == [f"speaker100{n}" for n in (1, 2, 3)]
    right = total = 0
    for fold in metrics.folds:
        folder = extended.folder / "results/train/crema-d/delays/seed0" / fold.fold
        found = read_predictions(folder / "predictions.h5", "test")
        told = [found.classes[number] for number in found.logits.argmax(axis=1)]
        right += sum(one == other for one, other in zip(told, found.labels, strict=True))
        total += len(told)
    assert metrics.wa.mean == pytest.approx(right / total)
    table = pd.read_csv(extended.folder / "results/report/tables/crema-d-systems.csv")
    assert "delays" in set(table["system"])


def test_the_system_is_exported_and_predicts(extended, tmp_path):
    model, fold = tmp_path / "a model", Path(FOLD).name
    settings = ("--settings", "tiny.yaml", "--fold", fold, "--output", model)
    emonas(extended, "export", "delays", *settings)
    found = read_predictions(extended.folder / FOLD / "predictions.h5", "test")
    files = [f"my crema-d/{name}.wav" for name in found.utterances]
    heard = json.loads(emonas(extended, "predict", model, *files, "--format", "json"))
    told = [[one["probabilities"][label] for label in found.classes] for one in heard]
    np.testing.assert_allclose(told, softmax(found.logits, axis=1), rtol=0, atol=1e-5)


def test_the_reference_has_the_new_kinds(extended, tmp_path):
    emonas(extended, "reference", tmp_path)
    page = (tmp_path / "settings.md").read_text()
    for kind in ("reader: crema-d", "extractor: intonation", "network: time-delay"):
        assert page.count(f"### `{kind}`\n") == 1
