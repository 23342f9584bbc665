"""Exporting a system of a finished run, and predicting what the run tested."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from emonas.export.choosing import Chosen
from emonas.export.model import Model
from emonas.export.predict import predict_files
from emonas.export.recordings import Windows
from emonas.export.write import export_system
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan
from emonas.storage.features import FeatureFile
from emonas.storage.manifest import read_manifest
from emonas.storage.predictions import read_predictions


def export(settings, protocol, system, output, folds=(), seed=0, onnx=False):
    """Export from the working folder."""
    plan = Plan(load_settings(Path(settings)))
    chosen = Chosen(protocol, system, seed)
    return export_system(plan, chosen, folds, output, Path(settings), onnx=onnx)


def own_predictions(stage, protocol, system, fold, seed=0):
    """The run's own test predictions: audio, domain and probabilities of each utterance."""
    path = Path("results", stage, protocol, system, f"seed{seed}", fold, "predictions.h5")
    found = read_predictions(path, "test")
    tables = [
        read_manifest(Path("results/corpora", corpus, "manifest.csv"))
        for corpus in sorted(set(found.corpora))
    ]
    audio = pd.concat(tables).set_index(["corpus", "utterance"])["audio"]
    files = [audio[key] for key in zip(found.corpora, found.utterances, strict=True)]
    domains = found.domains or (None,) * len(files)
    return files, domains, found.classes, softmax(found.logits.astype(np.float64), axis=1)


def apart(settings, stage, protocol, system, output):
    """The largest difference between what the run's first fold predicted for its test part and
    what the exported fold says of the same audio files.
    """
    fold = first_fold(protocol)
    model_of = export(settings, protocol, system, output, [fold])
    files, domains, classes, wanted = own_predictions(stage, protocol, system, fold)
    model = Model(output)
    assert model.classes == tuple(sorted(classes)) == model_of.classes
    differences = []
    for domain in dict.fromkeys(domains):
        rows = [row for row, own in enumerate(domains) if own == domain]
        told = domain if any(model_of.domains) else None
        heard = predict_files(model, [files[row] for row in rows], Windows(), told)
        found = np.array([[one.probabilities[label] for label in classes] for one in heard])
        differences.append(np.abs(found - wanted[rows]).max())
    return max(differences)


def apart_by_onnx(settings, stage, protocol, system, output):
    """The largest difference between what the run's first fold predicted for its test part and
    what its graph says of all of it at once, computed by onnxruntime from the feature files alone.
    """
    import onnxruntime

    fold = first_fold(protocol)
    model = export(settings, protocol, system, output, [fold], onnx=True)
    assert model.onnx.left_out is None
    session = onnxruntime.InferenceSession(output / fold / "model.onnx")
    stated = session.get_modelmeta().custom_metadata_map
    told = {name.removeprefix("emonas."): json.loads(text) for name, text in stated.items()}
    path = Path("results", stage, protocol, system, "seed0", fold, "predictions.h5")
    found = read_predictions(path, "test")
    assert tuple(told["classes"]) == found.classes
    inputs = {}
    for name, one in told["inputs"].items():
        arrays = [
            FeatureFile(Path("results/features", corpus, f"{one['feature']}.h5")).read(utterance)
            for corpus, utterance in zip(found.corpora, found.utterances, strict=True)
        ]
        lengths = np.array([len(array) for array in arrays])
        inputs[name] = np.zeros((len(arrays), lengths.max(), arrays[0].shape[1]), np.float32)
        for row, array in zip(inputs[name], arrays, strict=True):
            row[: len(array)] = array
        if one["lengths"]:
            inputs[one["lengths"]] = lengths
    if told["domains"]:
        inputs["domain"] = np.array([told["domains"].index(name) for name in found.domains])
    (logits,) = session.run(["logits"], inputs)
    wanted = softmax(found.logits.astype(np.float64), axis=1)
    return np.abs(softmax(logits.astype(np.float64), axis=1) - wanted).max()


def first_fold(protocol):
    index = Path("results/protocols", protocol, "folds.csv")
    return str(pd.read_csv(index, dtype=str)["fold"].iloc[0])
