"""Features of emonas's own extractors, in whichever environment this runs."""

from pathlib import Path
from typing import Any

from inputs import Arrays

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.kinds import kind_module, kind_options
from emonas.learning.options import RuntimeOptions


def extracted(name: str, checkpoint: Path | None, waveforms: Arrays, **options: Any) -> Arrays:
    """Features of all waveforms, extracted as one batch, by `{name} {layer}/{waveform}`."""
    if checkpoint is not None:
        options["checkpoint"] = "random"
    weights = None if checkpoint is None else Checkpoint("random", checkpoint, "")
    resources = Resources(RuntimeOptions(device="cpu"), weights)
    extractor: Extractor = kind_module("extractor", options["extractor"]).build(
        kind_options("extractor", options), resources
    )
    speeches = [Speech(key, waveform) for key, waveform in waveforms.items()]
    features = {}
    for speech, frames in zip(speeches, extractor.extract(speeches), strict=True):
        if extractor.layers:
            for layer, values in zip(extractor.layers, frames, strict=True):
                features[f"{name} {layer}/{speech.name}"] = values
        else:
            features[f"{name}/{speech.name}"] = frames
    return features
