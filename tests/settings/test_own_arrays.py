"""Features of the user's own that differ between the corpora of a protocol."""

import numpy as np
import pytest
import soundfile

from emonas.errors import EmonasError
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan
from emonas.storage.features import FeatureFacts, write_features


@pytest.fixture
def document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpora = {"here": ["en"], "there": ["de"]}
    return {
        "corpora": {
            name: {"reader": "synthetic", "languages": codes} for name, codes in corpora.items()
        },
        "protocols": {"p": {"corpora": ["here"], "test": "speaker", "transfer": ["there"]}},
        "features": {"own": {"extractor": "precomputed", "file": "{corpus}.h5"}},
        "systems": {"linear": {"network": "linear", "inputs": ["own"]}},
        "runs": [{"protocol": "p", "systems": ["linear"]}],
    }


def write(path, rate, width, layers=()):
    shape = (len(layers), 2, width) if layers else (2, width)
    with write_features(path, FeatureFacts("mine", {}, rate, layers)) as writer:
        writer.append("u", np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ((50.0, 3), "here: 3 features, 25 frames a second; there: 3 features, 50 frames"),
        ((25.0, 4), "there: 4 features, 25 frames a second"),
    ],
)
def test_another_frame_rate_or_width_is_refused_before_any_job(document, tmp_path, there, told):
    write(tmp_path / "here.h5", 25.0, 3)
    write(tmp_path / "there.h5", *there)
    with pytest.raises(EmonasError, match=r"features\.own: differs between the corpora of p") as no:
        check_listings(Plan(check_settings(document)))
    assert told in str(no.value)


def test_layers_in_one_of_the_files_are_refused(document, tmp_path):
    write(tmp_path / "here.h5", 25.0, 3)
    write(tmp_path / "there.h5", 25.0, 3, layers=("1", "2"))
    with pytest.raises(EmonasError, match=r"there\.h5: holds layers"):
        check_listings(Plan(check_settings(document)))


def test_files_that_agree_or_are_not_there_pass(document, tmp_path):
    write(tmp_path / "here.h5", 25.0, 3)
    check_listings(Plan(check_settings(document)))
    write(tmp_path / "there.h5", 25.0, 3)
    check_listings(Plan(check_settings(document)))
    document["features"]["own"]["frame_rate"] = 25.0
    check_listings(Plan(check_settings(document)))


def test_a_rate_that_the_file_denies_is_refused(document, tmp_path):
    write(tmp_path / "here.h5", 50.0, 3)
    document["features"]["own"]["frame_rate"] = 25.0
    with pytest.raises(EmonasError, match=r"own\.frame_rate: is 25, and its file says 50"):
        check_listings(Plan(check_settings(document)))


def test_frames_are_held_against_the_seconds_of_the_audio(document, tmp_path):
    """Folders of arrays say no rate: twice as many frames a second there, whatever is declared."""
    for corpus, rate in (("here", 25), ("there", 50)):
        document["corpora"][corpus] = {"reader": "folders", "root": str(tmp_path / corpus)}
        for number, seconds in enumerate((1.0, 2.0, 0.8)):
            path = tmp_path / corpus / "sad" / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.zeros(int(16000 * seconds)), 16000)
            array = tmp_path / f"{corpus} arrays" / f"sad_{number}.npy"
            array.parent.mkdir(exist_ok=True)
            np.save(array, np.zeros((round(rate * seconds), 3), np.float32))
    document["features"]["own"] = {
        "extractor": "precomputed",
        "file": "{corpus} arrays",
        "frame_rate": 50,
    }
    with pytest.raises(EmonasError, match=r"here: 3 features, 25 frames a second; there: .* 50 fr"):
        check_listings(Plan(check_settings(document)))
