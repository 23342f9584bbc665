"""Training of an encoder: two stages, freezing, an overfit, a kill in the middle of an epoch."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import emonas.learning.supervised
from emonas.errors import EmonasError
from emonas.storage.digests import write_digest
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.predictions import read_predictions
from emonas.storage.tables import read_table

pytest.importorskip("transformers", reason="transformers is not installed")
SMALL = {"layers": 2, "width": 32, "heads": 2, "feed_forward": 32, "channels": 16}
TUNED = {
    "network": "wav2vec2",
    "random": SMALL,
    "training": {"epochs": 3, "batch": 8, "learning_rate": 0.002, "select": "last"},
}
WORDS = ("oh", "no", "we", "go")


@pytest.fixture
def spoken(store, tmp_path):
    """The store's utterances as short waveforms: pitch for gender, loudness for emotion."""
    generator = np.random.default_rng(0)
    rows = []
    for number, name in enumerate(store.frames):
        gender = ("female", "male")[number % 2]
        steps = np.arange(int(generator.integers(1200, 2400)))
        tone = np.sin(2 * np.pi * (220, 110)[number % 2] * steps / 16000)
        loud = 0.1 + 0.3 * (number % 3)
        samples = loud * tone + 0.01 * generator.normal(size=len(steps))
        store.frames[name] = samples.astype(np.float32)[:, None]
        text = " ".join(WORDS[(number + step) % 4] for step in range(1 + number % 2))
        style = ("scripted", "improvised", "")[number % 3]
        rows.append(
            Utterance(name, "", "toy", "", "", gender, "", style, text, "", 0.1, 16000, name)
        )
    path = tmp_path / "corpora" / "toy" / "manifest.csv"
    write_manifest(path, rows)
    store.manifests = {"toy": path}
    return store


def weights(outputs, prefix):
    return {k: v for k, v in load_file(outputs.weights).items() if k.startswith(prefix)}


def test_all_tasks_are_learnt_and_told_beside_emotion(spoken):
    system = {**TUNED, "tasks": ["emotion", "asr", "gender", "style"], "skip": 1}
    outputs = spoken.train(system, manifests=spoken.manifests)
    found = read_predictions(outputs.predictions, "test")
    assert found.classes == ("angry", "neutral", "sad")
    assert set(found.tasks) == {"asr", "gender", "style"}
    truth = {name: ("female", "male")[n % 2] for n, name in enumerate(spoken.frames)}
    assert list(found.tasks["gender"].truth) == [truth[name] for name in found.utterances]
    assert found.tasks["gender"].answers == ("female", "male")
    assert found.tasks["asr"].answers == tuple(sorted(set(" ".join(WORDS))))
    assert "" in found.tasks["style"].truth
    history = read_table(outputs.history)
    pairs = ("emotion_asr", "emotion_gender", "emotion_style", "asr_gender", "gender_style")
    for pair in pairs:
        values = history[f"cosine_{pair}"].astype(float)
        assert values.between(-1, 1).all()
    assert json.loads(outputs.cost.read_text())["macs"] > 0


def test_a_first_stage_learns_no_emotion_and_the_second_starts_from_it(spoken):
    first = {**TUNED, "tasks": ["asr", "gender"], "skip": 1}
    one = spoken.train(first, "one", manifests=spoken.manifests)
    stage = read_predictions(one.predictions, "test")
    assert (stage.classes, stage.logits.shape) == ((), (len(stage.utterances), 0))
    assert "train_ua" not in read_table(one.history).columns
    second = {**TUNED, "tasks": ["emotion", "gender"], "freeze": 1}
    two = spoken.train(second, "two", manifests=spoken.manifests, start=one.weights)
    before, after = weights(one, "network.encoder."), weights(two, "network.encoder.")
    frozen = [name for name in before if "layers.0." in name or "feature_" in name]
    assert frozen
    for name in frozen:
        assert torch.equal(before[name], after[name]), name
    learnt = [name for name in before if "layers.1." in name]
    assert not all(torch.equal(before[name], after[name]) for name in learnt)
    # Started elsewhere, it ends elsewhere.
    anew = spoken.train(second, "anew", manifests=spoken.manifests)
    other = weights(anew, "network.encoder.")
    assert not torch.equal(other[frozen[0]], after[frozen[0]])


def test_heads_of_tasks_that_both_stages_have_go_on_where_they_were(spoken):
    """Trained on at a rate of next to nothing, the second says of gender what the first did."""
    first = {**TUNED, "tasks": ["asr", "gender"]}
    one = spoken.train(first, "one", manifests=spoken.manifests)
    still = {**TUNED["training"], "learning_rate": 1e-12, "epochs": 1}
    second = {**TUNED, "tasks": ["emotion", "gender", "asr"], "training": still}
    two = spoken.train(second, "two", manifests=spoken.manifests, start=one.weights)
    was, now = (read_predictions(found.predictions, "test").tasks for found in (one, two))
    np.testing.assert_allclose(now["gender"].logits, was["gender"].logits, atol=1e-5)
    assert now["asr"].said == was["asr"].said


def test_another_encoder_is_nothing_to_start_from(spoken):
    one = spoken.train({**TUNED, "tasks": ["gender"]}, "one", manifests=spoken.manifests)
    other = {**TUNED, "random": {**SMALL, "layers": 3}}
    with pytest.raises(EmonasError, match=r"weights\.safetensors: its encoder is not that"):
        spoken.train(other, "two", start=one.weights)


def test_a_head_that_sees_something_else_begins_anew(spoken, caplog):
    """With the skip connection gender is told from twice as many features."""
    one = spoken.train({**TUNED, "tasks": ["gender"]}, "one", manifests=spoken.manifests)
    second = {**TUNED, "tasks": ["emotion", "gender"]}
    for changes, heads in (({}, "the encoder, gender"), ({"skip": 1}, "the encoder")):
        caplog.clear()
        with caplog.at_level("INFO", logger="emonas"):
            system = {**second, **changes}
            spoken.train(system, f"two{heads}", manifests=spoken.manifests, start=one.weights)
        assert f"starts from {one.weights}: {heads}" in [r.getMessage() for r in caplog.records]


def test_a_refit_leaves_out_and_counts_the_long_ones_of_both_parts(spoken):
    longest = {"longest_seconds": 1800 / 16000, "too_long": "skip", "refit": True}
    found = json.loads(spoken.train({**TUNED, **longest}).cost.read_text())
    long = {
        part: sum(len(spoken.frames[name]) > 1800 for name in names)
        for part, names in spoken.parts.items()
    }
    assert found["left_out"] == long["train"] + long["validation"]
    assert found["shortened"] == long["test"]


def test_a_first_stage_is_not_chosen_by_answers_that_nobody_knows(spoken):
    rows = read_table(spoken.manifests["toy"])
    rows.loc[rows["utterance"].isin(spoken.parts["validation"]), "text"] = "[LAUGHTER]"
    rows.to_csv(spoken.manifests["toy"], index=False)
    write_digest(spoken.manifests["toy"])
    with pytest.raises(EmonasError, match=r"validation\.csv: of no utterance the answer to.*asr"):
        spoken.train({**TUNED, "tasks": ["asr"]}, manifests=spoken.manifests)


class KilledError(Exception):
    """A kill."""


def test_killed_in_the_middle_of_an_epoch_it_goes_on_to_the_same_predictions(spoken, monkeypatch):
    system = {**TUNED, "tasks": ["emotion", "asr", "gender"], "dropout": 0.3}
    whole = spoken.train(system, "whole", manifests=spoken.manifests)
    learner = emonas.learning.supervised.SupervisedLearner
    plain, batches = learner.train_batch, []

    def killed(self, batch):
        batches.append(len(batch.labels))
        # 24 utterances are three batches an epoch: the second of the second epoch.
        if len(batches) == 5:
            raise KilledError
        return plain(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(learner, "train_batch", killed)
        with pytest.raises(KilledError):
            spoken.train(system, "killed", manifests=spoken.manifests)
    again = spoken.train(system, "killed", manifests=spoken.manifests)
    assert again.predictions.read_bytes() == whole.predictions.read_bytes()
    assert again.weights.read_bytes() == whole.weights.read_bytes()


def test_utterances_that_are_too_long_are_cut_or_left_out_and_counted(spoken):
    longest = 1800 / 16000
    lengths = {name: len(samples) for name, samples in spoken.frames.items()}
    long = {
        part: sum(lengths[name] > 1800 for name in names) for part, names in spoken.parts.items()
    }
    assert 0 < long["train"] < len(spoken.parts["train"])
    cut = spoken.train({**TUNED, "longest_seconds": longest}, "cut")
    cost = json.loads(cut.cost.read_text())
    assert (cost["shortened"], cost["left_out"]) == (sum(long.values()), 0)
    skipped = spoken.train({**TUNED, "longest_seconds": longest, "too_long": "skip"}, "skipped")
    cost = json.loads(skipped.cost.read_text())
    assert cost["left_out"] == long["train"]
    assert cost["shortened"] == long["validation"] + long["test"]
    # Every utterance is predicted all the same.
    for part, names in spoken.parts.items():
        assert set(read_predictions(skipped.predictions, part).utterances) == set(names)
    # What is cut off is not heard: with nothing behind the cut the same is learnt.
    spoken.frames = {name: samples[:1800] for name, samples in spoken.frames.items()}
    short = spoken.train({**TUNED, "longest_seconds": longest}, "short")
    one, other = (read_predictions(found.predictions, "test") for found in (cut, short))
    np.testing.assert_array_equal(one.logits, other.logits)


def test_of_an_utterance_that_is_cut_no_word_is_learnt_or_scored(spoken):
    longest = 1800 / 16000
    system = {**TUNED, "tasks": ["emotion", "asr"], "longest_seconds": longest}
    found = spoken.train(system, "cut", manifests=spoken.manifests)
    test = read_predictions(found.predictions, "test")
    long = [len(spoken.frames[name]) > 1800 for name in test.utterances]
    assert 0 < sum(long) < len(long)
    assert [not text for text in test.tasks["asr"].truth] == long
    spoken.frames = {name: np.zeros((2000, 1), np.float32) for name in spoken.frames}
    with pytest.raises(EmonasError, match=r"asr learns, no utterance.*cut to longest_seconds"):
        spoken.train(system, "none", manifests=spoken.manifests)


def test_characters_of_validation_that_nobody_learnt_are_told(spoken, caplog):
    rows = read_table(spoken.manifests["toy"])
    own = rows["utterance"].isin(spoken.parts["validation"])
    rows.loc[own, "text"] = rows.loc[own, "text"] + "ß"
    rows.to_csv(spoken.manifests["toy"], index=False)
    write_digest(spoken.manifests["toy"])
    with caplog.at_level("INFO", logger="emonas"):
        spoken.train({**TUNED, "tasks": ["emotion", "asr"]}, manifests=spoken.manifests)
    told = [r.getMessage() for r in caplog.records if "characters that no text" in r.getMessage()]
    assert told
    assert "texts that validate" in told[0]


def test_with_nothing_short_enough_there_is_nothing_to_learn(spoken):
    spoken.frames = {name: np.zeros((2000, 1), np.float32) for name in spoken.frames}
    with pytest.raises(EmonasError, match=r"every utterance is longer than.*too_long: cut"):
        spoken.train({**TUNED, "longest_seconds": 0.1, "too_long": "skip"})


def test_more_memory_saved_is_the_same_learning(spoken):
    """By length, in pieces and recomputed, the losses are those of the plain training, nearly."""
    plain = {**TUNED, "dropout": 0.0, "training": {**TUNED["training"], "by_length": True}}
    saving = {
        **plain,
        "recompute": True,
        "training": {**plain["training"], "pieces": 2, "precision": "mixed"},
    }
    found = [
        read_table(spoken.train(system, name).history)["train_loss"].astype(float)
        for system, name in ((plain, "plain"), (saving, "saving"))
    ]
    # The encoder's own dropout draws other numbers in pieces.
    np.testing.assert_allclose(found[0], found[1], rtol=0.1)
