from collections import Counter

import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import select
from emonas.protocols.statement import statement


def options(**given):
    return ProtocolOptions.model_validate({"corpora": ["talk"], "test": "speaker", **given})


def test_labels_merges_and_filters_leave_what_a_loop_leaves(dyads, table):
    selected = select(
        "iem",
        table(dyads),
        options(
            labels=["neutral", "happy", "sad", "angry"],
            merge={"excited": "happy"},
            style="improvised",
        ),
    )
    expected = {}
    for row in dyads:
        emotion = "happy" if row.emotion == "excited" else row.emotion
        if row.style == "improvised" and emotion in ("neutral", "happy", "sad", "angry"):
            expected[row.utterance] = emotion
    assert dict(zip(selected["utterance"], selected["label"], strict=True)) == expected
    assert set(selected["domain"]) == {""}


def test_without_labels_all_emotions_but_the_empty_one_take_part(utterance, table):
    rows = [utterance("a", "1", "sad"), utterance("b", "1", ""), utterance("c", "2", "calm")]
    assert list(select("p", table(rows), options())["utterance"]) == ["a", "c"]


def test_single_corpora_can_have_fewer_classes(utterance, table):
    rows = [utterance(name, "1", emotion) for name, emotion in (("a", "sad"), ("b", "calm"))]
    both = pd.concat([table(rows).assign(corpus=corpus) for corpus in ("talk", "play")])
    given = options(corpora=["talk", "play"], labels_of={"play": ["sad"]})
    found = select("p", both.reset_index(drop=True), given)
    kept = list(zip(found["corpus"], found["utterance"], strict=True))
    assert kept == [("play", "a"), ("talk", "a"), ("talk", "b")]
    assert "Of play only sad." in statement(given)
    misspelt = options(corpora=["talk", "play"], labels_of={"play": ["bad"]})
    with pytest.raises(EmonasError, match=r"protocols.p.labels_of.play: no utterance has bad"):
        select("p", both.reset_index(drop=True), misspelt)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"labels_of": {"other": ["sad"]}}, "labels_of names other, which is no corpus"),
        (
            {"labels": ["sad", "calm"], "labels_of": {"talk": ["happy"]}},
            "labels_of.talk names happy, which labels does not name",
        ),
    ],
)
def test_classes_of_a_corpus_that_is_not_there_are_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        options(**given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"labels": ["sad", "joyful"]},
            "protocols.iem.labels: no utterance has joyful; there are angry, excited",
        ),
        ({"merge": {"exited": "happy"}}, "protocols.iem.merge: no utterance has exited"),
        (
            {"style": "improvized"},
            "protocols.iem.style: no utterance has improvized; there are improvised, scripted",
        ),
    ],
)
def test_an_unknown_name_is_a_sentence_with_its_key_and_what_there_is(
    dyads, table, given, sentence
):
    with pytest.raises(EmonasError, match=sentence):
        select("iem", table(dyads), options(**given))


def test_a_corpus_of_which_nothing_is_left_is_refused(utterance, table):
    rows = [
        utterance("a", "1", "sad", style="read"),
        utterance("b", "1", "sad", corpus="other", style="acted"),
    ]
    with pytest.raises(EmonasError, match="leave no utterance of other"):
        select("p", table(rows), options(corpora=["talk", "other"], style="read"))


def test_the_limit_counts_a_class_and_corpus_over_all_speakers_and_repeats(dyads, table):
    first, again, other = (
        select("iem", table(dyads), options(limit=10, seed=seed)) for seed in (0, 0, 1)
    )
    assert set(Counter(first["label"]).values()) == {10}
    # Ten speakers and ten utterances a class: each speaker gives one.
    assert set(Counter(zip(first["label"], first["speaker"], strict=True)).values()) == {1}
    assert first.equals(again)
    assert set(first["utterance"]) != set(other["utterance"])


def test_speakers_of_pooled_corpora_stay_apart_and_domains_are_named(utterance, table):
    rows = [
        utterance("a", "01", "sad", session="1"),
        utterance("b", "01", "sad", corpus="rede", language="german"),
    ]
    both = {"corpora": ["talk", "rede"]}
    selected = select("p", table(rows), options(**both, domain="language")).set_index("utterance")
    assert dict(selected["speaker"]) == {"a": "talk:01", "b": "rede:01"}
    assert dict(selected["session"]) == {"a": "talk:1", "b": ""}
    assert dict(selected["domain"]) == {"a": "english", "b": "german"}
    by_corpus = select("p", table(rows), options(**both, domain="corpus"))
    assert (by_corpus["domain"] == by_corpus["corpus"]).all()
