from collections import Counter
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.protocols.audit import audit
from emonas.protocols.audit_job import write_audit
from emonas.protocols.crossings import normalised
from emonas.protocols.job import write_fold, write_index
from emonas.protocols.options import ProtocolOptions
from emonas.storage.audit import read_audit_file
from emonas.storage.folds import PARTS, read_index, read_part
from emonas.storage.manifest import UNKNOWN_SPEAKER as UNKNOWN
from emonas.storage.manifest import write_manifest


@pytest.fixture
def run(tmp_path):
    """Run the stage's jobs on utterances of one corpus, and give the path of the audit."""

    def make(utterances, **given) -> Path:
        options = ProtocolOptions.model_validate({"corpora": ["talk"], **given})
        root = tmp_path / "a protocol"
        manifests = {"talk": tmp_path / "manifest.csv"}
        write_manifest(manifests["talk"], utterances)
        write_index("p", options, manifests, root / "folds.csv")
        index = read_index(root / "folds.csv")
        folds = {
            fold: {part: root / fold / f"{part}.csv" for part in PARTS} for fold in index["fold"]
        }
        for fold, outputs in folds.items():
            write_fold("p", options, manifests, fold, outputs)
            counts = index.set_index("fold").loc[fold]
            assert all(len(read_part(outputs[part])) == counts[part] for part in PARTS)
        write_audit("p", options, manifests, folds, {}, root / "audit.json")
        return root / "audit.json"

    return make


def crossing(audit, kind, fold=None):
    return [c for c in audit.crossings if c.kind == kind and fold in (None, c.fold)]


def test_a_shared_speaker_stops_the_run_and_the_pairs_are_named(tmp_path, utterance, run):
    rows = [utterance(f"{speaker}{take}", speaker, "sad") for speaker in "abc" for take in "12"]
    listing = tmp_path / "list.csv"
    listing.write_text(
        "utterance,fold,part\na1,one,train\na2,one,test\nb1,one,train\nc1,one,validation\n"
        "c2,one,test\n",
        encoding="utf-8",
    )
    with pytest.raises(EmonasError) as caught:
        run(rows, test="list", list=listing)
    message = str(caught.value)
    assert "in fold one train and test share speaker a: a1 in train and a2 in test" in message
    assert "1 more such problems" in message
    assert "add to protocols.p.allow: speaker" in message
    root = tmp_path / "a protocol"
    assert not (root / "audit.json").exists()
    failed = read_audit_file(root / "audit.failed.json")
    assert [(c.kind, c.parts, [s.name for s in c.shared]) for c in failed.crossings] == [
        ("speaker", ("train", "test"), ["a"]),
        ("speaker", ("validation", "test"), ["c"]),
    ]

    allowed = read_audit_file(run(rows, test="list", list=listing, allow=["speaker"]))
    assert {c.because for c in allowed.crossings} == {"allow"}
    assert not (root / "audit.failed.json").exists()


def test_it_asks_whether_speakers_spelled_apart_are_one(tmp_path, utterance, run):
    speakers = ("Anna", "anna", "Bert", "Carl", "carl")
    rows = [utterance(name, name, "sad", text="") for name in speakers]

    def asked(**given):
        warnings = read_audit_file(run(rows, **given)).warnings
        return [warning.split(" count as different speakers")[0] for warning in warnings]

    assert asked(test="speaker") == ["Anna and anna", "Carl and carl"]
    listing = tmp_path / "list.csv"
    listing.write_text(
        "utterance,fold,part\nAnna,one,train\nanna,one,validation\nCarl,one,test\ncarl,one,test\n",
        encoding="utf-8",
    )
    assert asked(test="list", list=listing) == ["Anna and anna"]
    assert asked(test="list", list=listing, allow=["speaker"]) == []


def test_unknown_speakers_are_counted_apart_and_never_cross(tmp_path, utterance, run):
    speakers = {"a1": "a", "a2": "a", "b1": "b", **dict.fromkeys(("u1", "u2", "u3"), UNKNOWN)}
    rows = [utterance(name, speaker, "sad") for name, speaker in speakers.items()]
    listing = tmp_path / "list.csv"
    given = (
        "a1,one,train\na2,one,train\nu1,one,train\nb1,one,validation\nu2,one,test\nu3,one,test\n"
    )
    listing.write_text(f"utterance,fold,part\n{given}", encoding="utf-8")
    with pytest.raises(EmonasError) as caught:
        run(rows, test="list", list=listing)
    assert "add to protocols.p.allow: speaker" in str(caught.value)
    failed = read_audit_file(tmp_path / "a protocol" / "audit.failed.json")
    told = [text.partition(", so")[0].partition("unknown of ")[2] for text in failed.problems]
    assert told == [
        "1 utterance of train",
        "1 utterance of train and 2 utterances of test",
        "2 utterances of test",
    ]

    audit = read_audit_file(run(rows, test="list", list=listing, allow=["speaker"]))
    assert not audit.crossings
    counted = {part: (c.speakers, c.unknown_speakers) for part, c in audit.folds["one"].items()}
    assert counted == {"train": ({"a": 2}, 1), "validation": ({"b": 1}, 0), "test": ({}, 2)}
    random = read_audit_file(run(rows, test="random", repeats=3))
    assert UNKNOWN not in {shared.name for c in random.crossings for shared in c.shared}


@pytest.mark.parametrize(("unknown", "other"), [("train", "test"), ("test", "train")])
def test_unknown_speakers_on_one_side_may_be_those_of_the_other(
    tmp_path, utterance, run, unknown, other
):
    rows = [utterance(name, name[0], "sad") for name in ("a1", "b1")]
    rows += [utterance(name, UNKNOWN, "sad") for name in ("u1", "u2")]
    listing = tmp_path / "list.csv"
    given = f"a1,one,{other}\nb1,one,{other}\nu1,one,{unknown}\nu2,one,{unknown}\n"
    listing.write_text(f"utterance,fold,part\n{given}", encoding="utf-8")
    # The validation part is empty: nobody of it could be among the unknown ones.
    with pytest.raises(EmonasError):
        run(rows, test="list", list=listing)
    failed = read_audit_file(tmp_path / "a protocol" / "audit.failed.json")
    assert failed.problems == (
        f"in fold one the speaker is unknown of 2 utterances of {unknown}, so that nobody can tell "
        "whether speakers cross between train and test; name them, or, if it is meant, add to "
        "protocols.p.allow: speaker",
    )
    allowed = read_audit_file(run(rows, test="list", list=listing, allow=["speaker"]))
    assert (allowed.problems, allowed.crossings) == ((), ())


@pytest.mark.parametrize("corpus", ["talk", "radio"])
def test_an_unknown_speaker_of_one_corpus_is_nobody_of_another(utterance, table, corpus):
    manifest = table(
        [utterance("a1", "a", "sad"), utterance("u1", UNKNOWN, "sad", corpus=corpus, text="other")]
    )
    parts = {
        part: pd.DataFrame(rows, columns=["utterance", "corpus", "label", "domain"])
        for part, rows in {
            "train": [("a1", "talk", "sad", "")],
            "validation": [],
            "test": [("u1", corpus, "sad", "")],
        }.items()
    }
    options = ProtocolOptions(corpora=("talk", "radio"), test="list", list="list.csv")
    problems = audit("p", options, manifest, {"one": parts}).problems
    told = [problem for problem in problems if "unknown of 1 utterance of test" in problem]
    assert len(told) == (corpus == "talk")


def test_a_session_of_unknown_speakers_may_hold_those_of_every_other(tmp_path, utterance, run):
    speakers = {"1": "a", "2": "b", "3": UNKNOWN}
    rows = [
        utterance(f"{session}{take}", speaker, "sad", session=session)
        for session, speaker in speakers.items()
        for take in "xy"
    ]
    with pytest.raises(EmonasError, match=r"2 utterances of train, .*allow: speaker"):
        run(rows, test="session")
    failed = read_audit_file(tmp_path / "a protocol" / "audit.failed.json")
    # A fold's parts are a session each: that of the unknown ones stands in two of three pairs.
    where = {"session1": "train", "session2": "validation", "session3": "test"}
    assert len(failed.problems) == 6
    for fold, part in where.items():
        for other in set(PARTS) - {part}:
            pair = " and ".join(name for name in PARTS if name in (part, other))
            said = f"in fold {fold} the speaker is unknown of 2 utterances of {part}, "
            ending = f"cross between {pair}; "
            assert sum(p.startswith(said) and ending in p for p in failed.problems) == 1
    assert not read_audit_file(run(rows, test="session", allow=["speaker"])).problems
    # A random validation declares its speakers, but not those of the tested session.
    with pytest.raises(EmonasError):
        run(rows, test="session", validate="random", validation_share=0.5)
    failed = read_audit_file(tmp_path / "a protocol" / "audit.failed.json")
    assert not any("between train and validation" in p for p in failed.problems)
    assert not read_audit_file(run(rows, test="random", repeats=2)).problems


def test_the_audit_finds_what_a_loop_over_sets_finds(dyads, run):
    path = run(dyads, test="speaker", allow=["session"])
    audit = read_audit_file(path)
    rows = {row.utterance: row for row in dyads}
    expected = Counter()
    for folder in path.parent.iterdir():
        if folder.is_dir():
            parts = {part: read_part(folder / f"{part}.csv")["utterance"] for part in PARTS}
            for first, second in combinations(PARTS, 2):
                ours, theirs = ({rows[u].session for u in parts[part]} for part in (first, second))
                for session in ours & theirs:
                    expected[folder.name, first, second, session] += 1
    found = Counter((c.fold, *c.parts, shared.name) for c in audit.crossings for shared in c.shared)
    assert found == expected
    assert {c.kind for c in audit.crossings} == {"session"}
    with pytest.raises(EmonasError, match=r"share session 1: .*allow: session$"):
        run(dyads, test="speaker")


def test_the_partner_shares_the_session_by_declaration_and_nothing_else_crosses(dyads, run):
    audit = read_audit_file(run(dyads, test="speaker", validate="partner"))
    assert len(audit.crossings) == 10
    for found in audit.crossings:
        assert (found.kind, found.parts, found.because) == (
            "session",
            ("validation", "test"),
            "declaration",
        )
    assert not read_audit_file(run(dyads, test="session")).crossings


def test_a_random_split_declares_its_speakers_but_not_the_same_recording_twice(
    dyads, utterance, run
):
    audit = read_audit_file(run(dyads, test="random", repeats=2))
    assert audit.speaker_dependent
    assert "Speaker-dependent" in audit.statement
    assert {c.because for c in crossing(audit, "speaker")} == {"declaration"}
    assert len(crossing(audit, "speaker", "run0")) == 3
    twins = [
        utterance(f"{row.utterance}_copy", row.speaker, row.emotion, digest=row.digest)
        for row in dyads
    ]
    with pytest.raises(EmonasError, match="share audio digest-"):
        run([*dyads, *twins], test="random", repeats=1)


def test_a_random_validation_shares_speakers_with_training_only(dyads, run):
    audit = read_audit_file(run(dyads, test="session", validate="random"))
    assert audit.speaker_dependent_validation
    assert not audit.speaker_dependent
    assert {c.parts for c in audit.crossings} == {("train", "validation")}


def test_a_recording_under_two_names_is_found_by_its_digest(utterance, run):
    rows = [
        utterance(f"{speaker}-{emotion}", speaker, emotion)
        for speaker in "abcd"
        for emotion in ("sad", "happy")
    ]
    rows[2] = utterance("b-sad", "b", "sad", digest="digest-a-sad")
    with pytest.raises(EmonasError, match=r"share audio digest-a-sad: .*allow: audio"):
        run(rows, test="speaker")
    audit = read_audit_file(run(rows, test="speaker", allow=["audio"]))
    (found,) = crossing(audit, "audio", "speakera")
    assert found.parts == ("validation", "test")
    assert found.shared[0].examples == (("b-sad",), ("a-sad",))


def test_texts_cross_whatever_their_case_and_punctuation(utterance, run):
    rows = [
        utterance(f"{speaker}-{emotion}", speaker, emotion, text="")
        for speaker in "abc"
        for emotion in ("sad", "happy")
    ]
    run(rows, test="speaker")
    rows[0] = utterance("a-sad", "a", "sad", text="Well, I  don't know!")
    rows[2] = utterance("b-sad", "b", "sad", text="well i dont know")
    with pytest.raises(EmonasError, match=r"share text well i dont know: .*allow: text"):
        run(rows, test="speaker")
    audit = read_audit_file(run(rows, test="speaker", allow=["text"]))
    assert {c.because for c in audit.crossings} == {"allow"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Schöne  Grüße!", "schöne grüsse"), ("a\tb\nc", "a b c"), ("?!", ""), ("का है।", "का है")],
)
def test_normalised_texts(text, plain):
    assert normalised(text) == plain


def test_a_fold_without_a_class_and_a_class_without_training_go_on_with_a_warning(utterance, run):
    rows = [
        utterance(f"{speaker}-{emotion}", speaker, emotion)
        for speaker in "abc"
        for emotion in ("sad", "happy")
    ]
    rows.append(utterance("a-fear", "a", "fear"))
    warnings = read_audit_file(run(rows, test="speaker")).warnings
    assert "the train part of fold speakera has no fear" in warnings
    assert "the test part of fold speakerb has no fear" in warnings
    assert len(warnings) == 6


def test_a_part_that_is_empty_on_disk_and_a_stranger_stop_the_audit(tmp_path, dyads):
    options = ProtocolOptions(corpora=("talk",), test="session")
    manifests = {"talk": tmp_path / "manifest.csv"}
    write_manifest(manifests["talk"], dyads)
    parts = {part: tmp_path / f"{part}.csv" for part in PARTS}
    write_fold("p", options, manifests, "session1", parts)
    whole = parts["validation"].read_text(encoding="utf-8")
    # Who changes a part takes its digest away.
    parts["validation"].with_name("validation.csv.sha256").unlink()
    parts["validation"].write_text(whole.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(EmonasError, match="the validation part of fold session1 is empty"):
        write_audit("p", options, manifests, {"session1": parts}, {}, tmp_path / "audit.json")
    parts["validation"].write_text(whole + "stranger,talk,sad,\n", encoding="utf-8")
    with pytest.raises(EmonasError, match="names stranger, which no manifest has"):
        write_audit("p", options, manifests, {"session1": parts}, {}, tmp_path / "audit.json")
    with pytest.raises(EmonasError, match="there is no fold session9; there are session1"):
        write_fold("p", options, manifests, "session9", parts)


def test_a_listed_utterance_that_no_manifest_has_is_a_warning(tmp_path, utterance, run):
    listing = tmp_path / "list.csv"
    listing.write_text(
        "utterance,fold,part\na,one,train\nb,one,test\nbroken,one,test\n", encoding="utf-8"
    )
    audit = read_audit_file(
        run([utterance("a", "1", "sad"), utterance("b", "2", "sad")], test="list", list=listing)
    )
    assert any(
        "names 1 utterance that no manifest has, the first is broken" in w for w in audit.warnings
    )


def test_the_jobs_give_the_same_bytes_again(dyads, run):
    def files(path):
        return {file.name: file.read_bytes() for file in path.parent.rglob("*.*")}

    given = {"test": "random", "repeats": 2, "limit": 12}
    assert files(run(dyads, **given)) == files(run(dyads[::-1], **given))


def test_emodb_by_speaker_has_the_counts_of_its_listing(emodb, run):
    with pytest.raises(EmonasError, match="share text a01"):
        run(emodb, test="speaker")
    path = run(emodb, test="speaker", allow=["text"])
    audit = read_audit_file(path)
    assert len(audit.folds) == 10
    tested = Counter()
    for parts in audit.folds.values():
        assert sum(counts.utterances for counts in parts.values()) == 535
        tested.update(parts["test"].labels)
    assert tested == {
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "sadness": 62,
        "neutral": 79,
    }
    assert "the test part of fold speaker08 has no disgust" in audit.warnings
    assert {c.kind for c in audit.crossings} == {"text"}
    index = pd.read_csv(path.parent / "folds.csv", dtype=str)
    assert list(index["held_out"]) == ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
