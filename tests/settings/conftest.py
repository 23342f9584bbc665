"""A small whole settings document, for a test to change."""

import copy

import pytest

DOCUMENT = {
    "corpora": {"spoken": {"reader": "synthetic"}, "own": {"reader": "folders"}},
    "protocols": {
        "loso": {"corpora": ["spoken"], "test": "speaker", "allow": ["text"]},
        "own": {"corpora": ["own"], "test": "speaker"},
    },
    "features": {
        "image": {"extractor": "spectrogram", "frames": 16, "bins": 16},
        "fbank": {"extractor": "fbank"},
    },
    "systems": {
        "linear": {"network": "linear", "inputs": ["fbank"]},
        "cnn": {
            "network": "cells",
            "inputs": ["image"],
            "search": {"method": "darts", "channels": 4},
        },
        "rnn": {"network": "recurrent", "inputs": ["fbank"], "search": {"method": "cells"}},
        "gru": {"network": "recurrent", "inputs": ["fbank"], "cell": "gru"},
        "both": {"fuse": ["cnn", "rnn"], "method": "ism", "dominant": "rnn"},
    },
    "runs": [
        {"protocol": "loso", "systems": ["linear", "cnn", "rnn", "gru", "both"]},
        {"protocol": "own", "systems": ["linear"], "seeds": 2},
    ],
}


@pytest.fixture
def document():
    return copy.deepcopy(DOCUMENT)


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch):
    monkeypatch.delenv("EMONAS_DATA", raising=False)
