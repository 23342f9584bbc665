import math
from collections import Counter

import pytest

from emonas.errors import EmonasError


def names(rows):
    return set(rows["utterance"])


def check_partition(fold, utterances):
    """Every utterance is in exactly one part."""
    seen = Counter(name for rows in fold.parts.values() for name in rows["utterance"])
    assert seen == Counter(row.utterance for row in utterances)


def check_tested_once(folds, utterances):
    tested = Counter(name for fold in folds.values() for name in fold.parts["test"]["utterance"])
    assert tested == Counter(row.utterance for row in utterances)


def test_each_speaker_is_tested_once_and_the_next_one_validates(dyads, folds_of):
    folds = folds_of(dyads, test="speaker")
    speakers = sorted({row.speaker for row in dyads})
    assert list(folds) == [f"speaker{speaker}" for speaker in speakers]
    check_tested_once(folds, dyads)
    for position, fold in enumerate(folds.values()):
        check_partition(fold, dyads)
        assert set(fold.parts["test"]["speaker"]) == {speakers[position]} == {fold.held_out}
        assert set(fold.parts["validation"]["speaker"]) == {speakers[(position + 1) % 10]}


@pytest.mark.parametrize(("swap", "count"), [(True, 10), (False, 5)])
def test_of_a_session_one_speaker_is_tested_the_partner_validates_and_four_sessions_train(
    dyads, folds_of, swap, count
):
    folds = folds_of(dyads, test="speaker", validate="partner", swap=swap)
    assert len(folds) == count
    for fold in folds.values():
        check_partition(fold, dyads)
        session, woman_or_man = fold.held_out[4], fold.held_out[5]
        partner = fold.held_out[:5] + {"F": "M", "M": "F"}[woman_or_man]
        for row in dyads:
            part = {fold.held_out: "test", partner: "validation"}.get(row.speaker, "train")
            assert row.utterance in names(fold.parts[part])
        assert set(fold.parts["train"]["session"]) == set("12345") - {session}
    if swap:
        check_tested_once(folds, dyads)
    else:
        assert [fold.held_out for fold in folds.values()] == [f"Ses0{n}F" for n in range(1, 6)]


def test_each_session_is_tested_once_and_the_next_one_validates(dyads, folds_of):
    folds = folds_of(dyads, test="session")
    check_tested_once(folds, dyads)
    for number in range(1, 6):
        fold = folds[f"session{number}"]
        check_partition(fold, dyads)
        assert set(fold.parts["test"]["session"]) == {str(number)}
        assert set(fold.parts["validation"]["session"]) == {str(number % 5 + 1)}


def test_a_speaker_that_validates_a_tested_session_is_of_another_one(dyads, folds_of):
    for fold in folds_of(dyads, test="session", validate="speaker").values():
        (speaker,) = set(fold.parts["validation"]["speaker"])
        assert speaker == f"Ses0{int(fold.held_out) % 5 + 1}F"
        check_partition(fold, dyads)


@pytest.mark.parametrize(("women", "men", "count"), [(5, 5, 5), (5, 5, 3), (7, 4, 4), (1, 6, 3)])
def test_groups_are_as_large_and_as_mixed_as_each_other(utterance, folds_of, women, men, count):
    rows = [
        utterance(f"{gender}{number}-{emotion}", f"{gender}{number}", emotion, gender=gender)
        for gender, many in (("female", women), ("male", men))
        for number in range(many)
        for emotion in ("sad", "happy")
    ]
    folds = folds_of(rows, test="groups", groups=count)
    assert list(folds) == [f"group{number}" for number in range(1, count + 1)]
    check_tested_once(folds, rows)
    tested = [set(fold.parts["test"]["speaker"]) for fold in folds.values()]
    for genders in (("female", "male"), ("female",), ("male",)):
        sizes = [sum(speaker.startswith(genders) for speaker in group) for group in tested]
        assert max(sizes) - min(sizes) <= 1
    for position, fold in enumerate(folds.values()):
        check_partition(fold, rows)
        assert set(fold.parts["validation"]["speaker"]) == tested[(position + 1) % count]


def test_a_random_split_tests_its_share_of_every_class_and_repeats_with_its_seed(dyads, folds_of):
    given = {"test": "random", "repeats": 3, "share": 0.25, "validation_share": 0.2}
    folds = folds_of(dyads, **given, seed=4)
    assert list(folds) == ["run0", "run1", "run2"]
    sizes = Counter(row.emotion for row in dyads)
    for fold in folds.values():
        check_partition(fold, dyads)
        tested, validated = (Counter(fold.parts[part]["label"]) for part in ("test", "validation"))
        for emotion, size in sizes.items():
            assert abs(tested[emotion] - 0.25 * size) <= 1
            assert abs(validated[emotion] - 0.2 * (size - tested[emotion])) <= 1
        assert tested.total() == math.ceil(0.25 * len(dyads))
    tests = [names(fold.parts["test"]) for fold in folds.values()]
    assert tests[0] != tests[1] != tests[2]
    again, other = (
        [names(fold.parts["test"]) for fold in folds_of(rows, **given, seed=seed).values()]
        for rows, seed in ((dyads[::-1], 4), (dyads, 5))
    )
    assert not set(map(frozenset, tests)) & set(map(frozenset, other))
    assert again == tests


def test_a_random_validation_leaves_a_class_of_one_utterance_in_training(utterance, folds_of):
    rows = [
        utterance(f"{speaker}-{emotion}-{take}", speaker, emotion)
        for speaker in "abc"
        for emotion in ("sad", "happy")
        for take in range(10)
    ]
    rows.append(utterance("rare", "b", "fear"))
    fold = folds_of(rows, test="speaker", validate="random")["speakera"]
    check_partition(fold, rows)
    assert "rare" in names(fold.parts["train"])
    assert Counter(fold.parts["validation"]["label"]) == {"sad": 4, "happy": 4}


def test_without_validation_everything_else_trains(dyads, folds_of):
    for fold in folds_of(dyads, test="session", validate="none").values():
        assert not len(fold.parts["validation"])
        check_partition(fold, dyads)


def test_speakers_of_two_corpora_with_one_name_are_two_folds(utterance, folds_of):
    rows = [
        utterance(f"{corpus}{speaker}{emotion}", speaker, emotion, corpus=corpus)
        for corpus in ("rede", "talk")
        for speaker in ("01", "02")
        for emotion in ("sad", "happy")
    ]
    folds = folds_of(rows, test="speaker")
    assert list(folds) == [
        f"speaker{corpus}-{speaker}" for corpus in ("rede", "talk") for speaker in ("01", "02")
    ]
    check_tested_once(folds, rows)


def test_fold_names_are_folders_of_their_own(utterance, folds_of):
    speakers = ("a b", "a/b", "A-B", "../x", "speaker 7", "l" * 999, "l" * 998)
    rows = [
        utterance(f"u{number}{emotion}", speaker, emotion)
        for number, speaker in enumerate(speakers)
        for emotion in ("sad", "happy")
    ]
    folds = list(folds_of(rows, test="speaker"))
    assert len({fold.lower() for fold in folds}) == 7
    assert max(map(len, folds)) < 120
    assert all("/" not in fold and " " not in fold for fold in folds)
    assert "speaker-7" in folds


def test_what_cannot_be_split_so_is_a_sentence(utterance, folds_of, dyads):
    alone = [utterance("a", "1", "sad"), utterance("b", "2", "happy")]
    cases = [
        (alone, {"test": "speaker"}, "speaker1 has no utterance in its train part"),
        (alone, {"test": "speaker", "validate": "partner"}, "2 utterances have no session"),
        (alone, {"test": "session"}, "2 utterances have no session, the first is a of talk"),
        (alone, {"test": "groups", "groups": 3}, "2 speakers make no 3 groups"),
        (alone, {"test": "random"}, "too few to draw"),
        ([utterance("a", "", "sad"), *dyads], {"test": "speaker"}, "1 utterances have no speaker"),
        (
            [utterance("a", "unknown", "sad"), *dyads],
            {"test": "groups", "groups": 2},
            "1 utterances have no speaker",
        ),
        (
            [row for row in dyads if row.speaker != "Ses02M"],
            {"test": "speaker", "validate": "partner"},
            "speakerSes02F has no utterance in its validation part",
        ),
    ]
    for rows, given, sentence in cases:
        with pytest.raises(EmonasError, match=sentence):
            folds_of(rows, **given)


def test_emodb_in_five_groups_is_a_man_and_a_woman_each(emodb, folds_of):
    assert len(emodb) == 535
    men = {"03", "10", "11", "12", "15"}
    for fold in folds_of(emodb, test="groups", groups=5).values():
        tested = set(fold.parts["test"]["speaker"])
        assert len(tested) == 2
        assert len(tested & men) == 1
    check_tested_once(folds_of(emodb, test="speaker"), emodb)
