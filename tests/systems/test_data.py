import numpy as np
import pandas as pd
import pytest

import emonas.systems.data
from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.record import write_record
from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.storage.features import FeatureFacts, FeatureFile, write_features
from emonas.storage.folds import write_part
from emonas.systems.data import load_examples, load_fold, load_whole_fold
from emonas.systems.material import Material, feature_paths

BOTH = ("fbank", {"feature": "deep", "layers": ["12", "2"]})


def options(*inputs, **more):
    return kind_options("network", {"network": "resnet", "inputs": list(inputs), **more})


def load(fold, chosen):
    return load_fold(chosen, Material(fold.features), fold.parts["train"], fold.parts["validation"])


def relabel(fold, part, **labels):
    table = fold.table(part)
    for utterance, label in labels.items():
        table.loc[table["utterance"] == utterance, "label"] = label
    write_part(fold.parts[part], table)


def test_streams_labels_and_order_are_those_of_the_part(fold):
    data = load(fold, options(*BOTH, normalise="none"))
    assert data.classes == ("angry", "neutral", "sad")
    assert data.shape.widths == (4, 4, 4)
    for part, examples in (("train", data.train), ("validation", data.validation)):
        table = fold.table(part)
        assert [data.classes[label] for label in examples.labels] == table["label"].tolist()
        for row, (corpus, name) in enumerate(zip(table["corpus"], table["utterance"], strict=True)):
            plain, last, second = (stream[row] for stream in examples.streams)
            np.testing.assert_array_equal(plain, fold.frames["fbank", corpus, name])
            np.testing.assert_array_equal(last, fold.frames["deep", corpus, name][1])
            np.testing.assert_array_equal(second, fold.frames["deep", corpus, name][0])


def test_the_statistics_are_those_of_the_training_frames(fold):
    data = load(fold, options(*BOTH))
    table = fold.table("train")
    names = list(zip(table["corpus"], table["utterance"], strict=True))
    for number, (feature, layer) in enumerate([("fbank", None), ("deep", 1), ("deep", 0)]):
        frames = np.concatenate(
            [
                fold.frames[feature, *name] if layer is None else fold.frames[feature, *name][layer]
                for name in names
            ]
        )
        standardiser = data.normaliser.standardisers[number]
        np.testing.assert_allclose(standardiser.mean, frames.mean(axis=0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(standardiser.deviation, frames.std(axis=0), rtol=1e-4)
        standardised = np.concatenate(data.train.streams[number])
        wanted = (frames - frames.mean(axis=0)) / frames.std(axis=0)
        np.testing.assert_allclose(standardised, wanted, rtol=1e-3, atol=1e-5)
    row = fold.table("validation").iloc[5]
    own = fold.frames["fbank", row["corpus"], row["utterance"]]
    np.testing.assert_array_equal(
        data.validation.streams[0][5], data.normaliser.standardisers[0](own)
    )


def test_no_utterance_of_another_part_changes_a_statistic(fold):
    before = load(fold, options("fbank"))
    write_part(fold.parts["validation"], fold.table("test")[:3])
    after = load(fold, options("fbank"))
    one, other = before.normaliser.standardisers[0], after.normaliser.standardisers[0]
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.deviation, other.deviation)


def whitened():
    return options({"feature": "fbank", "statistics": True, "normalise": "whiten"}, "fbank")


def test_no_utterance_of_another_part_changes_what_is_whitened(fold):
    before = load(fold, whitened())
    write_part(fold.parts["validation"], fold.table("test")[:3])
    write_part(fold.parts["test"], fold.table("test")[3:])
    after = load(fold, whitened())
    for name, values in vars(before.normaliser.whitening).items():
        np.testing.assert_array_equal(values, vars(after.normaliser.whitening)[name])
    relabel(fold, "train", u0="sad", u1="angry")
    other = load(fold, whitened()).normaliser.whitening
    assert not np.allclose(other.gains, before.normaliser.whitening.gains, rtol=1e-3)


def test_both_parts_have_a_say_in_a_whole_fold(fold):
    """Against the whitening of the two parts written as one."""
    both = load_whole_fold(
        whitened(), Material(fold.features), fold.parts["train"], fold.parts["validation"]
    )
    table = pd.concat([fold.table("train"), fold.table("validation")])
    write_part(fold.parts["train"], table)
    write_part(fold.parts["validation"], table[:0])
    one = load(fold, whitened())
    for found, wanted in (
        (both.normaliser.whitening.gains, one.normaliser.whitening.gains),
        (both.normaliser.standardisers[0].mean, one.normaliser.standardisers[0].mean),
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)
    assert len(both.train) == len(one.train) == len(table)


def test_only_the_utterances_of_the_given_parts_are_read(fold, monkeypatch):
    reads = []

    class Recording(FeatureFile):
        def read_many(self, utterances, layer=None):
            reads.extend((self.path.parent.name, utterance) for utterance in utterances)
            return super().read_many(utterances, layer)

    monkeypatch.setattr(emonas.systems.data, "FeatureFile", Recording)
    load(fold, options(*BOTH))
    given = [fold.table(part) for part in ("train", "validation")]
    allowed = {pair for t in given for pair in zip(t["corpus"], t["utterance"], strict=True)}
    tested = fold.table("test")
    assert set(reads) == allowed
    assert allowed.isdisjoint(zip(tested["corpus"], tested["utterance"], strict=True))


def test_an_unknown_class_in_validation_is_left_out(fold):
    relabel(fold, "validation", u12="bored")
    data = load(fold, options("fbank"))
    assert data.classes == ("angry", "neutral", "sad")
    assert len(data.validation) == 14
    assert (data.validation.labels >= 0).all()


def test_classes_that_validation_lacks_keep_their_numbers(fold):
    write_part(fold.parts["validation"], fold.table("validation").query("label != 'angry'"))
    assert set(load(fold, options("fbank")).validation.labels) == {1, 2}


def test_no_validation_is_none(fold):
    write_part(fold.parts["validation"], fold.table("validation")[:0])
    assert load(fold, options("fbank")).validation is None


def test_an_unknown_class_has_number_minus_1(fold):
    relabel(fold, "test", u20="bored")
    table = fold.table("test")
    examples = load_examples(
        table, ("angry", "neutral", "sad"), options("fbank").inputs, fold.features
    )
    assert (examples.labels == -1).tolist() == (table["label"] == "bored").tolist()


def test_one_class_only_is_told(fold):
    write_part(fold.parts["train"], fold.table("train").query("label == 'sad'"))
    with pytest.raises(
        EmonasError, match=r"train\.csv: there is one class only, sad; .*two classes"
    ):
        load(fold, options("fbank"))


def test_one_class_only_is_told_of_a_whole_fold(fold):
    for part in ("train", "validation"):
        write_part(fold.parts[part], fold.table(part).query("label == 'sad'"))
    parts = fold.parts["train"], fold.parts["validation"]
    with pytest.raises(EmonasError, match=r"train\.csv: there is one class only, sad"):
        load_whole_fold(options("fbank"), Material(fold.features), *parts)


def test_one_class_only_of_a_domain_is_told(fold):
    table = fold.table("train")
    table["domain"] = np.where(table["corpus"] == "one", "de", "en")
    write_part(fold.parts["train"], table.query("domain == 'de' or label == 'sad'"))
    chosen = kind_options("network", {"network": "shared-bottom", "inputs": ["fbank"]})
    with pytest.raises(EmonasError, match=r"train\.csv: of domain en there is one class only, sad"):
        load(fold, chosen)


@pytest.mark.parametrize(("frames", "vector"), [(1, True), (3, False)])
def test_a_rate_that_nobody_knows_is_no_vector(fold, frames, vector):
    """The user's own frames may come without a rate."""
    paths = {}
    for corpus in ("one", "two"):
        paths[corpus] = fold.folder / corpus / "own.h5"
        with write_features(paths[corpus], FeatureFacts("precomputed", {}, 0.0)) as writer:
            for number in range(30):
                values = np.random.default_rng(number).normal(size=(frames, 4))
                writer.append(f"u{number}", values.astype(np.float32))
    fold.features["own"] = paths
    assert load(fold, options("own")).shape.vectors == (vector,)
    told = options({"feature": "own", "statistics": True})
    data = load(fold, told)
    assert (data.shape.widths, data.shape.vectors) == ((8,), (True,))
    assert data.train.streams[0][0].shape == (1, 8)
    zero = options({"feature": "own", "normalise": "utterance"})
    if vector:
        with pytest.raises(EmonasError, match="would make zero; leave normalise out"):
            load(fold, zero)
    else:
        assert load(fold, zero).train.streams[0][0].any()


def test_an_empty_training_part_is_told(fold):
    write_part(fold.parts["train"], fold.table("train")[:0])
    with pytest.raises(EmonasError, match=r"train\.csv: .*two classes"):
        load(fold, options("fbank"))


def test_without_layers_an_input_is_all_of_them(fold):
    examples = load(fold, options("deep", normalise="none")).train
    table = fold.table("train")
    assert len(examples.streams) == 2
    for layer, stream in enumerate(examples.streams):
        for frames, corpus, name in zip(stream, table["corpus"], table["utterance"], strict=True):
            np.testing.assert_array_equal(frames, fold.frames["deep", corpus, name][layer])


def test_an_input_s_frames_are_averaged(fold):
    chosen = options({"feature": "fbank", "pool": 3}, normalise="none")
    table = fold.table("train")
    stream = load(fold, chosen).train.streams[0]
    for frames, corpus, name in zip(stream, table["corpus"], table["utterance"], strict=True):
        whole = fold.frames["fbank", corpus, name]
        expected = [whole[start : start + 3].mean(axis=0) for start in range(0, len(whole), 3)]
        np.testing.assert_allclose(frames, expected, rtol=1e-6)


def test_an_input_s_utterances_are_standardised_by_themselves(fold):
    chosen = options({"feature": "fbank", "pool": 2, "normalise": "utterance"}, normalise="none")
    table = fold.table("train")
    stream = load(fold, chosen).train.streams[0]
    for frames, corpus, name in zip(stream, table["corpus"], table["utterance"], strict=True):
        whole = fold.frames["fbank", corpus, name].astype(np.float64)
        halves = np.stack([whole[at : at + 2].mean(axis=0) for at in range(0, len(whole), 2)])
        deviation = np.maximum(halves.std(axis=0), 1e-3)
        np.testing.assert_allclose(frames, (halves - halves.mean(axis=0)) / deviation, atol=1e-4)


@pytest.mark.parametrize("normalise", ["feature", "none"])
@pytest.mark.parametrize("pool", [1, 3])
def test_half_precision_is_kept_as_stored_and_computed_with_as_single(
    fold, tmp_path, normalise, pool
):
    chosen = options({"feature": "deep", "pool": pool}, normalise=normalise)
    found = {}
    for store in ("float16", "float32"):
        for corpus in ("one", "two"):
            path = fold.features["deep"][corpus] = tmp_path / store / f"{corpus}.h5"
            facts = FeatureFacts("deep", {}, 100.0, layers=("2", "12"), store=store)
            with write_features(path, facts) as writer:
                for (feature, owner, name), values in fold.frames.items():
                    if (feature, owner) == ("deep", corpus):
                        writer.append(name, values.astype(np.float16).astype(np.float32))
        found[store] = load(fold, chosen)
    as_stored = pool == 1 and normalise == "none"
    for stream in found["float16"].train.streams:
        assert {a.dtype.name for a in stream} == {"float16" if as_stored else "float32"}
    halves, singles = (found[store].train.batch() for store in ("float16", "float32"))
    for half, single in zip(halves.streams, singles.streams, strict=True):
        assert half.frames.numpy().dtype == np.float32
        assert half.frames.numpy().tobytes() == single.frames.numpy().tobytes()


def test_a_file_of_other_options_is_refused(tmp_path):
    path = tmp_path / "f.h5"
    with write_features(path, FeatureFacts("e", {}, 50.0, digest="abc")) as writer:
        writer.append("u", np.zeros((1, 1), np.float32))
    given = {"f": {"digest": "abc", "checkpoint": "", "corpora": {"c": str(path)}}}
    assert feature_paths(given) == {"f": {"c": path}}
    given["f"]["digest"] = "abd"
    with pytest.raises(EmonasError, match=r"f\.h5: was made with other options") as caught:
        feature_paths(given)
    assert f"the settings name; make it again: snakemake --cores all --force {path}," in str(
        caught.value
    )
    given["g"] = given["f"]
    with pytest.raises(EmonasError, match="name, like 1 more; make them again") as caught:
        feature_paths(given)
    assert f"--force {path} {path}," in str(caught.value)


def test_a_file_of_other_weights_is_refused(tmp_path):
    path, record, weights = (tmp_path / name for name in ("f.h5", "w.json", "w.pt"))
    weights.touch()
    with write_features(path, FeatureFacts("e", {}, 50.0, checkpoint="a" * 64)) as writer:
        writer.append("u", np.zeros((1, 1), np.float32))
    given = {"f": {"digest": "", "checkpoint": str(record), "corpora": {"c": str(path)}}}
    with pytest.raises(EmonasError, match=r"w\.json: no record of a checkpoint"):
        feature_paths(given)
    write_record(record, Checkpoint("w", weights, "a" * 64))
    assert feature_paths(given) == {"f": {"c": path}}
    write_record(record, Checkpoint("w", weights, "b" * 64))
    with pytest.raises(EmonasError, match=r"f\.h5: was made with other weights than .*w\.json"):
        feature_paths(given)
    given["f"]["checkpoint"] = ""
    with pytest.raises(EmonasError, match=r"f\.h5: was made with other weights"):
        feature_paths(given)


@pytest.mark.parametrize(
    ("facts", "frames", "told"),
    [
        (FeatureFacts("e", {}, 25.0), np.zeros((2, 3)), "there: 0 layers, 25 frames a second"),
        (FeatureFacts("e", {}, 50.0), np.zeros((2, 4)), "frames a second, 4 features"),
        (FeatureFacts("e", {}, 50.0, ("1", "2")), np.zeros((2, 2, 3)), "there: 2 layers"),
        (FeatureFacts("e", {}, 0.0), np.zeros((1, 3)), "there: 0 layers, one vector an utterance"),
    ],
)
def test_features_that_differ_between_corpora_are_refused(tmp_path, facts, frames, told):
    paths = {corpus: tmp_path / f"{corpus}.h5" for corpus in ("here", "there")}
    for path, made, values in (
        (paths["here"], FeatureFacts("e", {}, 50.0), np.zeros((5, 3))),
        (paths["there"], facts, frames),
    ):
        with write_features(path, made) as writer:
            writer.append("u", values.astype(np.float32))
    given = {"f": {"digest": "", "checkpoint": "", "corpora": paths}}
    with pytest.raises(EmonasError, match=r"features\.f: differs between the corpora") as caught:
        feature_paths(given)
    assert told in str(caught.value)
