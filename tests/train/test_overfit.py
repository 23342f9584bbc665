"""Stage one on twenty synthetic utterances: it can learn by heart what they say, and who speaks."""

from pathlib import Path

import pandas as pd
import pytest
import soundfile

from emonas.corpora.readers.synthetic import Options, read
from emonas.evaluate.recognition import error_rates
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFacts, write_features
from emonas.storage.folds import write_part
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.predictions import read_predictions
from emonas.systems.material import Material
from emonas.systems.outputs import SystemOutputs
from emonas.train.job import TrainJob, train_system

pytest.importorskip("transformers", reason="transformers is not installed")
UTTERANCES = 20
SYSTEM = {
    "network": "wav2vec2",
    "inputs": ["waveform"],
    "random": {"layers": 2, "width": 128, "heads": 4, "feed_forward": 256, "channels": 64},
    "tasks": ["asr", "gender"],
    "dropout": 0.0,
    "training": {"epochs": 45, "batch": 5, "learning_rate": 0.001, "select": "last"},
}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Twenty utterances of two women and two men: the job's material and parts."""
    folder = tmp_path_factory.mktemp("overfit")
    options = Options(languages=("en",), sessions=2, utterances=5, emotions=("neutral",))
    recordings = read(options, folder / "speech").recordings
    assert len(recordings) == UTTERANCES
    feature, manifest = folder / "waveform.h5", folder / "speech" / "manifest.csv"
    with write_features(feature, FeatureFacts("waveform", {}, 16000.0)) as writer:
        for recording in recordings:
            samples, _ = soundfile.read(recording.audio, dtype="float32")
            writer.append(recording.utterance, samples[:, None])
    write_manifest(
        manifest,
        [
            Utterance(
                **{**vars(found), "audio": str(found.audio)},
                corpus="speech",
                seconds=1.0,
                sampling_rate=16000,
                digest=found.utterance,
            )
            for found in recordings
        ],
    )
    table = pd.DataFrame({"utterance": [found.utterance for found in recordings]})
    table = table.assign(corpus="speech", label="neutral", domain="")
    parts = {part: folder / f"{part}.csv" for part in ("train", "validation", "test")}
    for part, path in parts.items():
        write_part(path, table if part == "train" else table.head(0))
    return Material({"waveform": {"speech": feature}}, {"speech": manifest}), parts


def test_a_small_encoder_learns_twenty_utterances_by_heart(spoken, tmp_path):
    material, parts = spoken
    job = TrainJob(
        name="overfit/stage-one/seed0/all",
        system=kind_options("network", SYSTEM),
        seed=0,
        material=material,
        parts=parts,
        runtime=RuntimeOptions(device="cpu"),
        resume=tmp_path / "resume",
        code="",
    )
    names = {"predictions": "predictions.h5", "history": "history.csv", "costs": "cost.csv"}
    names |= {"cost": "cost.json", "weights": "weights.safetensors"}
    outputs = SystemOutputs(**{key: Path(tmp_path, name) for key, name in names.items()})
    train_system(job, outputs)
    found = read_predictions(outputs.predictions, "train").tasks
    rates = error_rates(list(found["asr"].truth), list(found["asr"].said), without_text=0)
    print(f"WER {rates.wer:.3f} on {rates.utterances} utterances")
    assert rates.utterances == UTTERANCES
    assert rates.wer < 0.2
    assert found["gender"].said == found["gender"].truth
    assert set(found["gender"].truth) == {"female", "male"}
