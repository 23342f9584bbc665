"""What names and label files tell to be wrong is said before the first job."""

import csv

import pytest

from emonas.corpora.readers import folders as folders_reader
from emonas.errors import EmonasError
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan


@pytest.fixture
def table(tmp_path):
    """Writes a table of utterances: emotion, text, style each."""

    def write(name, rows):
        path = tmp_path / f"{name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["audio", "speaker", "emotion", "text", "style"])
            writer.writerows([f"{name}{i}.wav", f"s{i}", *row] for i, row in enumerate(rows, 1))
        return {"reader": "csv", "table": str(path)}

    return write


@pytest.fixture
def folders(tmp_path):
    """Makes a corpus of a folder a class."""

    def make(name, classes):
        for emotion in classes:
            (tmp_path / name / emotion).mkdir(parents=True)
            (tmp_path / name / emotion / "1.wav").touch()
        return {"reader": "folders", "root": str(tmp_path / name)}

    return make


ROWS = [
    ("happy", "Yes.", "improvised"),
    ("excited", "Yes!", "improvised"),
    ("sad", "No.", "scripted"),
    ("neutral", "Well.", "scripted"),
]


@pytest.fixture
def document(document, table, folders):
    """A protocol with a transfer, and a system that reads beside one that hears."""
    document["corpora"] = {
        "iem": table("iem", ROWS),
        "msp": table("msp", ROWS),
        "calls": folders("calls", ["cheerful", "sad", "neutral"]),
        "spoken": {"reader": "synthetic"},
    }
    document["protocols"] = {
        "iem": {
            "corpora": ["iem"],
            "test": "speaker",
            "merge": {"excited": "happy"},
            "transfer": {"msp": {"map": {"excited": "happy"}}},
        }
    }
    document["checkpoints"] = {"weights": {"address": "https://example.org/w.pt"}}
    document["features"]["words"] = {"extractor": "bert", "checkpoint": "weights"}
    document["systems"]["reading"] = {"network": "linear", "inputs": ["words"]}
    document["runs"] = [{"protocol": "iem", "systems": ["linear"]}]
    return document


def refused(document):
    settings = check_settings(document)
    with pytest.raises(EmonasError) as error:
        check_listings(Plan(settings))
    return str(error.value)


def passes(document):
    check_listings(Plan(check_settings(document)))
    return True


def test_what_fits_passes(document):
    assert passes(document)
    document["runs"][0]["systems"] = ["linear", "reading"]
    assert passes(document)


def test_a_table_without_emotions_is_told_before_the_run(document, table):
    document["corpora"]["iem"] = table("unlabelled", [("", "Yes.", ""), ("", "No.", "")])
    del document["protocols"]["iem"]["transfer"], document["protocols"]["iem"]["merge"]
    said = refused(document)
    assert said.endswith(
        "unlabelled.csv: no row names an emotion; fill the column emotion, a word a row"
    )


def test_a_table_without_rows_is_told_before_the_run(document, table):
    document["corpora"]["iem"] = table("empty", [])
    del document["protocols"]["iem"]["transfer"], document["protocols"]["iem"]["merge"]
    said = refused(document)
    assert said.startswith("corpora.iem: no utterance can be used: ")
    assert said.endswith("empty.csv: it has no rows")


def test_a_table_that_leads_out_of_its_folder_is_told_before_the_run(document, tmp_path):
    path = tmp_path / "iem.csv"
    path.write_text("audio,speaker,emotion\n../a.wav,s1,happy\n../b.wav,s2,sad\n")
    document["corpora"]["iem"] = {"reader": "csv", "table": str(path)}
    del document["protocols"]["iem"]["transfer"], document["protocols"]["iem"]["merge"]
    said = refused(document)
    assert said.startswith("corpora.iem: no utterance can be used: ")
    assert "line 2 of" in said
    assert said.endswith("move the file into it, or set outside: true")


def test_what_no_protocol_hears_need_not_be_complete(document, table):
    document["corpora"]["later"] = table("unlabelled", [("", "Yes.", "")])
    assert passes(document)


def transfer(document, corpus, **options):
    document["protocols"]["iem"]["transfer"] = {corpus: options}
    return document


@pytest.mark.parametrize(
    ("corpus", "emotion", "there"),
    [
        ("msp", "exited", "excited, happy, neutral, sad"),
        ("calls", "joyful", "cheerful, neutral, sad"),
        ("spoken", "bored", "angry, happy, neutral, sad"),
    ],
)
def test_a_map_names_emotions_that_are_there(document, corpus, emotion, there):
    assert refused(transfer(document, corpus, map={emotion: "sad"})) == (
        f"protocols.iem.transfer.{corpus}.map: no utterance has {emotion}; there are {there}"
    )
    assert passes(transfer(document, "calls", map={"cheerful": "happy"}))
    assert passes(transfer(document, "spoken", map={"angry": "sad"}))


def test_a_map_names_classes_of_the_protocol(document):
    told = (
        "protocols.iem.transfer.msp.map: turns happy into {}, which is no class; "
        "the classes are happy, neutral, sad"
    )
    assert refused(transfer(document, "msp", map={"happy": "joy"})) == told.format("joy")
    # excited is merged, and a filter of the protocol takes a class away
    assert refused(transfer(document, "msp", map={"happy": "excited"})) == told.format("excited")
    document["protocols"]["iem"]["style"] = "scripted"
    assert refused(transfer(document, "msp", map={"sad": "happy"})) == (
        "protocols.iem.transfer.msp.map: turns sad into happy, which is no class; "
        "the classes are neutral, sad"
    )


def test_classes_of_a_synthetic_corpus_are_its_emotions(document):
    document["corpora"]["spoken"]["emotions"] = ["bored", "fearful"]
    document["protocols"]["iem"] |= {"corpora": ["spoken"], "merge": {"fearful": "afraid"}}
    assert refused(transfer(document, "msp", map={"sad": "fearful"})) == (
        "protocols.iem.transfer.msp.map: turns sad into fearful, which is no class; "
        "the classes are afraid, bored"
    )
    assert passes(transfer(document, "msp", map={"sad": "bored"}))


def test_a_transfer_has_a_class_in_common(document, folders):
    document["corpora"]["french"] = folders("french", ["joie", "tristesse"])
    assert refused(transfer(document, "french")) == (
        "protocols.iem.transfer.french: no label is common; the corpus has joie, tristesse, the "
        "classes are happy, neutral, sad; say in `map` which emotion counts as which class"
    )
    assert passes(transfer(document, "french", map={"joie": "happy"}))


def test_a_transfer_has_utterances_of_a_class_after_its_filters(document):
    protocol = document["protocols"]["iem"]
    protocol["labels"] = ["happy", "sad"]
    assert passes(transfer(document, "msp", style="improvised"))
    told = (
        "protocols.iem.transfer.msp: labels and filters leave no utterance of msp; widen them or "
        "leave the corpus out"
    )
    assert refused(transfer(document, "msp", language="fr")) == told
    protocol |= {"labels": ["sad", "neutral"], "merge": {}}
    assert refused(transfer(document, "msp", style="improvised")) == told
    assert passes(transfer(document, "msp", style="improvised", map={"excited": "sad"}))


def test_labels_that_are_given_need_no_listing_of_the_own_corpora(document, folders, monkeypatch):
    """But tables are read, which takes no walk through folders."""
    read, seen = folders_reader.read, []
    monkeypatch.setattr(
        folders_reader,
        "read",
        lambda options, folder: (seen.append(folder.name), read(options, folder))[1],
    )
    document["corpora"] |= {name: folders(name, ["happy", "sad"]) for name in ("own", "other")}
    transfer = {"other": {"map": {"happy": "happy"}}}
    document["protocols"] = {
        "plain": {"corpora": ["own"], "test": "speaker"},
        "across": {"corpora": ["own"], "test": "speaker", "transfer": transfer},
    }
    document["runs"] = [{"protocol": "plain", "systems": ["linear"]}]
    assert passes(document)
    assert seen == []
    document["runs"] = [{"protocol": "across", "systems": ["linear"]}]
    assert passes(document)
    assert sorted(seen) == ["other", "own"]
    seen.clear()
    document["protocols"]["across"]["labels"] = ["happy", "sad"]
    assert passes(document)
    assert seen == ["other"]


def without_text(table, name, silent):
    rows = [
        (emotion, "" if i in silent else text, style)
        for i, (emotion, text, style) in enumerate(ROWS, 1)
    ]
    return table(name, rows)


@pytest.mark.parametrize("corpus", ["iem", "msp"])
def test_what_is_read_has_a_text(document, table, corpus):
    document["corpora"][corpus] = without_text(table, corpus, [3])
    assert passes(document)
    document["runs"].append({"protocol": "iem", "systems": ["reading"]})
    told = (
        f"corpora.{corpus}: utterance {corpus}3 has no text, and features.words of system reading "
        "reads the corpus's own; fill the text, or name a transcript under "
        "features.words.transcript"
    )
    assert refused(document) == told
    document["corpora"][corpus] = without_text(table, corpus, [2, 3, 4])
    assert refused(document) == told.replace(
        f"{corpus}3 has no text,", f"{corpus}2 has no text (the first of 3),"
    )
    document["transcripts"] = {"heard": {"recogniser": "whisper", "checkpoint": "weights"}}
    document["features"]["words"]["transcript"] = "heard"
    assert passes(document)


def test_blanks_are_no_text_and_folders_have_none(document, table):
    document["runs"][0]["systems"] = ["reading"]
    told = refused(transfer(document, "calls"))
    assert told.startswith("corpora.calls: utterance neutral_1 has no text (the first of 2), and")
    document["corpora"]["msp"] = table("msp", [("sad", " \t ", "")])
    assert "corpora.msp: utterance msp1" in refused(transfer(document, "msp"))


def test_what_takes_no_part_needs_no_text(document, table):
    document["runs"][0]["systems"] = ["reading"]
    document["corpora"]["iem"] = without_text(table, "iem", [2, 3])
    document["corpora"]["msp"] = without_text(table, "msp", [1, 4])
    protocol = document["protocols"]["iem"]
    protocol |= {"labels": ["happy", "neutral"], "merge": {"excited": "happy"}}
    assert "utterance iem2 has no text, and" in refused(document)
    protocol |= {"merge": {}}
    assert "utterance msp1 has no text (the first of 2)" in refused(document)
    protocol["transfer"]["msp"]["map"] = {"happy": "neutral"}
    protocol["transfer"]["msp"]["style"] = "scripted"
    assert "utterance msp4 has no text, and" in refused(document)
    protocol["transfer"]["msp"] = {"style": "improvised", "map": {"excited": "happy"}}
    assert "utterance msp1 has no text, and" in refused(document)
    document["corpora"]["msp"] = without_text(table, "msp", [3, 4])
    assert passes(document)
    protocol |= {"merge": {"excited": "happy"}, "style": "scripted"}
    assert passes(document)


def test_a_stream_of_a_fusion_reads_too(document, table):
    document["corpora"]["msp"] = without_text(table, "msp", [1])
    document["systems"]["both"] = {"fuse": ["reading", "linear"], "method": "concat"}
    document["runs"][0]["systems"] = ["linear", "reading", "both"]
    assert "features.words of system reading" in refused(document)


def test_texts_of_a_synthetic_corpus_are_always_there(document):
    document["protocols"]["iem"]["corpora"] = ["spoken"]
    document["protocols"]["iem"]["merge"] = {}
    document["protocols"]["iem"]["labels"] = ["happy", "sad"]
    document["runs"][0]["systems"] = ["reading"]
    assert passes(document)


@pytest.mark.parametrize("absent", ["iem", "msp"])
@pytest.mark.parametrize("entry", [{"reader": "emodb"}, {"reader": "csv", "table": "none.csv"}])
def test_a_corpus_that_is_not_here_is_skipped(document, absent, entry):
    document["corpora"][absent] = {**entry, **({"texts": {"a01": "x"}} if len(entry) == 1 else {})}
    document["protocols"]["iem"]["transfer"] = {"msp": {"map": {"joyful": "joy"}}}
    document["runs"][0]["systems"] = ["linear", "reading"]
    assert passes(document)


def test_an_emodb_tree_by_its_names(document, tmp_path):
    for name in ("03a01Fa", "03a01Wa"):
        (tmp_path / "emodb" / "wav").mkdir(parents=True, exist_ok=True)
        (tmp_path / "emodb" / "wav" / f"{name}.wav").touch()
    document["corpora"]["emodb"] = {"reader": "emodb", "root": str(tmp_path / "emodb")}
    assert refused(transfer(document, "emodb", map={"sad": "sad"})) == (
        "protocols.iem.transfer.emodb.map: no utterance has sad; there are angry, happy"
    )
    assert passes(transfer(document, "emodb"))


def test_an_empty_corpus_is_told_of_by_its_own_job(document, tmp_path):
    (tmp_path / "empty").mkdir()
    document["corpora"]["calls"]["root"] = str(tmp_path / "empty")
    assert passes(transfer(document, "calls", map={"cheerful": "happy"}))
    document["corpora"]["iem"] = {"reader": "folders", "root": str(tmp_path / "empty")}
    assert passes(transfer(document, "msp", map={"excited": "joy"}))
