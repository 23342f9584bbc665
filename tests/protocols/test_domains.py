"""Several corpora pooled, each utterance in a domain, such as its language."""

from collections import Counter
from itertools import pairwise

import pytest
from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.statement import statement

LANGUAGES = {"rede": "de", "talk": "en"}


@pytest.fixture
def pooled(utterance):
    """Ten German speakers and 24 English ones, half women; English alone has someone calm."""
    emotions = {"rede": ("angry", "bored", "sad"), "talk": ("angry", "calm", "sad")}
    return [
        utterance(
            f"{corpus}{number:02d}{emotion}{take}",
            f"{number:02d}",
            emotion,
            corpus=corpus,
            language=LANGUAGES[corpus],
            gender=("female", "male")[number % 2],
        )
        for corpus, count in (("rede", 10), ("talk", 24))
        for number in range(count)
        for emotion in emotions[corpus]
        for take in range(2)
    ]


def keys(rows):
    return Counter(zip(rows["corpus"], rows["label"], rows["domain"], strict=True))


def test_a_random_split_takes_its_share_of_every_class_of_every_language(pooled, folds_of):
    folds = folds_of(pooled, test="random", domain="language", repeats=3)
    sizes = Counter((row.corpus, row.emotion, LANGUAGES[row.corpus]) for row in pooled)
    assert len(sizes) == 6
    for fold in folds.values():
        tested, validated, trained = (
            keys(fold.parts[part]) for part in ("test", "validation", "train")
        )
        assert tested + validated + trained == sizes
        for key, size in sizes.items():
            assert abs(tested[key] - 0.2 * size) <= 1
            assert abs(validated[key] - 0.16 * size) <= 1


def test_what_is_drawn_does_not_depend_on_whether_corpora_are_called_languages(pooled, folds_of):
    drawn = [
        {
            (name, part): list(rows["utterance"])
            for name, fold in folds_of(pooled, test="random", domain=domain).items()
            for part, rows in fold.parts.items()
        }
        for domain in ("none", "corpus", "language")
    ]
    assert drawn[0] == drawn[1] == drawn[2]


def test_languages_within_a_corpus_have_each_its_share(utterance, folds_of):
    rows = [
        utterance(f"{language}{emotion}{take:02d}", "s", emotion, language=language)
        for language, takes in (("de", 40), ("en", 10))
        for emotion in ("angry", "sad")
        for take in range(takes)
    ]
    for fold in folds_of(rows, test="random", domain="language", repeats=8).values():
        tested = Counter(fold.parts["test"]["domain"])
        assert tested == {"de": 16, "en": 4}


@pytest.mark.parametrize("validate", ["random", "none"])
def test_the_only_utterance_of_a_class_in_a_domain_stays_in_training(
    pooled, utterance, folds_of, validate
):
    rare = utterance("rare", "03", "fear", corpus="rede", language="de")
    # Its class is common elsewhere, and so is its corpus.
    common = [
        utterance(f"fear{number:02d}", f"{number:02d}", "fear", corpus="talk", language="en")
        for number in range(20)
    ]
    alone = utterance("alone", "03", "angry", corpus="rede", language="nl")
    rows = [*pooled, *common, rare, alone]
    folds = folds_of(rows, test="random", validate=validate, domain="language", repeats=12)
    for fold in folds.values():
        assert {"rare", "alone"} <= set(fold.parts["train"]["utterance"])
        assert set(fold.parts["test"]["domain"]) == {"de", "en"}
        assert bool(len(fold.parts["validation"])) == (validate == "random")


def test_groups_hold_speakers_of_both_corpora_and_as_many_women_as_men(pooled, folds_of):
    folds = folds_of(pooled, test="groups", groups=5, domain="language")
    genders = {f"{row.corpus}:{row.speaker}": row.gender for row in pooled}
    tested = [set(fold.parts["test"]["speaker"]) for fold in folds.values()]
    assert set.union(*tested) == set(genders)
    assert sum(map(len, tested)) == len(genders)
    for corpus, each in (("rede", {2}), ("talk", {4, 5, 6})):
        for gender in ("female", "male"):
            counts = [
                sum(name.startswith(corpus) and genders[name] == gender for name in group)
                for group in tested
            ]
            assert max(counts) - min(counts) <= 1
        assert {sum(name.startswith(corpus) for name in group) for group in tested} <= each
    women = [sum(genders[name] == "female" for name in group) for group in tested]
    assert max(women) - min(women) <= 1
    assert max(map(len, tested)) - min(map(len, tested)) <= 1
    for fold in folds.values():
        for part in fold.parts.values():
            assert set(part["domain"]) == {"de", "en"}
        speakers = [set(part["speaker"]) for part in fold.parts.values()]
        assert not any(one & other for one, other in pairwise([*speakers, speakers[0]]))


def test_an_utterance_without_a_language_has_no_domain(pooled, utterance, folds_of):
    rows = [*pooled, utterance("mute", "03", "angry", corpus="rede", language="")]
    with pytest.raises(EmonasError) as error:
        folds_of(rows, test="random", domain="language")
    assert str(error.value) == (
        "protocols.p.domain: 1 utterances have no language, the first is mute of rede; give the "
        "corpus its language, or choose domain: corpus"
    )
    assert folds_of(rows, test="random", domain="corpus")


@pytest.mark.parametrize("validate", ["random", "none"])
def test_a_later_split_is_the_one_of_its_number(pooled, folds_of, validate):
    given = {"test": "random", "validate": validate, "domain": "language", "seed": 3}
    always = folds_of(pooled, **given, repeats=10)
    later = folds_of(pooled, **given, first=5, repeats=4)
    assert list(later) == ["run5", "run6", "run7", "run8"]
    for name, fold in later.items():
        assert fold.held_out == always[name].held_out == f"run {name[3:]}"
        for part, rows in fold.parts.items():
            assert list(rows["utterance"]) == list(always[name].parts[part]["utterance"])
    assert list(folds_of(pooled, **given)) == [f"run{run}" for run in range(5)]


def test_a_first_split_is_of_random_ones_alone():
    with pytest.raises(ValidationError, match="first needs test: random"):
        ProtocolOptions(corpora="talk", test="groups", groups=2, first=1)
    options = ProtocolOptions(corpora="talk", test="random", first=5, repeats=5)
    assert options.speaker_dependent
    assert "5 random splits (numbers 5 to 9), each testing 20%" in statement(options)
    assert "numbers" not in statement(ProtocolOptions(corpora="talk", test="random"))
