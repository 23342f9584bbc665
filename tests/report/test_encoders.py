"""Pretrained encoders and recognisers in the report."""

import csv
from pathlib import Path

import pytest

from emonas.errors import EmonasError
from emonas.report.encoders import encoders_table, heard_checkpoints, overlaps
from emonas.report.job import write_report
from emonas.report.names import report_tables
from emonas.report.plan import CheckpointCard, FeatureCard, ReportPlan, SystemCard, TranscriptCard
from emonas.report.recognition import read_rates, recognition_table

WARNING = (
    "wav2vec-large was pretrained on emodb: scores here are inflated, those of rnn, emotionnas and "
    "linear."
)


@pytest.fixture(scope="module")
def report(plan: ReportPlan, results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("encoders") / "report"
    write_report(plan, results, output)
    return output


def test_every_way_to_hear_weights_counts():
    plan = ReportPlan(
        title="",
        settings_file="",
        command="",
        corpora={},
        protocols={},
        systems={
            "layers": SystemCard(inputs=["hubert 3, 9", "fbank"]),
            "words": SystemCard(inputs=["bert"]),
            "inner": SystemCard(kind="fusion", streams=["layers"]),
            "outer": SystemCard(kind="fusion", streams=["words", "inner"]),
            "none": SystemCard(inputs=["fbank", "unknown"]),
        },
        runs=[],
        features={
            "hubert": FeatureCard(extractor="hubert", checkpoint="hubert-base"),
            "bert": FeatureCard(extractor="bert", checkpoint="minilm", transcript="heard"),
            "fbank": FeatureCard(extractor="fbank"),
        },
        transcripts={"heard": TranscriptCard(recogniser="whisper", checkpoint="tiny")},
    )
    assert heard_checkpoints(plan, "layers") == {"hubert-base"}
    assert heard_checkpoints(plan, "words") == {"minilm", "tiny"}
    assert heard_checkpoints(plan, "outer") == {"hubert-base", "minilm", "tiny"}
    assert heard_checkpoints(plan, "none") == set()


@pytest.mark.parametrize(
    ("written", "found"),
    [("EMO-DB", True), ("emo_db", True), ("MyCorpus", True), ("emodb2", False), ("", False)],
)
def test_a_corpus_is_known_by_its_name_or_its_readers(plan, written, found):
    card = plan.corpora["emodb"]
    changed = plan.model_copy(
        update={
            "corpora": {**plan.corpora, "my-corpus": card},
            "protocols": {
                "p": plan.protocols["emodb-loso"].model_copy(update={"corpora": ["my-corpus"]})
            },
            "runs": [plan.runs[0].model_copy(update={"protocol": "p"})],
            "checkpoints": {"wav2vec-large": CheckpointCard(pretrained_on=[written])},
        }
    )
    assert [overlap.corpus for overlap in overlaps(changed, "p")] == ["my-corpus"] * found


def test_a_run_that_hears_nothing_of_the_weights_gets_no_warning(plan):
    runs = [run.model_copy(update={"systems": ["cnn-c6l3"]}) for run in plan.runs]
    changed = plan.model_copy(update={"runs": runs, "recognition": []})
    assert overlaps(changed, "emodb-loso") == ()
    assert encoders_table(changed) is None


def test_the_encoders_of_the_runs_are_shown(plan):
    rows = {row["checkpoint"]: row for row in encoders_table(plan).rows}
    assert list(rows) == ["wav2vec-large", "whisper-tiny"]
    assert rows["wav2vec-large"]["systems"] == "rnn, emotionnas, linear"
    assert rows["wav2vec-large"]["pretrained_on"] == "EMO-DB, Libri"
    assert rows["wav2vec-large"]["uses"] == "wav2vec (wav2vec)"
    assert rows["whisper-tiny"]["uses"] == "transcript heard (whisper)"
    assert rows["whisper-tiny"]["pretrained_on"] == "not said"


def test_inflated_scores_stand_under_a_warning(report):
    for stem in ("emodb-loso-systems", "emodb-loso-folds", "table4"):
        assert WARNING in (report / f"tables/{stem}.md").read_text(encoding="utf-8")
        assert WARNING in (report / f"tables/{stem}.tex").read_text(encoding="utf-8")
    assert WARNING not in (report / "tables/toy-systems.md").read_text(encoding="utf-8")
    html = (report / "index.html").read_text(encoding="utf-8")
    start, end = "wav2vec-large was pretrained on emodb:", WARNING.partition(":")[2]
    assert html.count(f"<strong>{start}</strong>{end}") == 2
    assert html.count("It hears wav2vec-large, which was pretrained on emodb: its scores") == 3
    assert "https://example.org/a?b&amp;c" in html


def test_error_rates_stand_in_a_table_of_their_own(plan, report):
    assert "tables/recognition.csv" in report_tables(plan)
    with (report / "tables/recognition.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["corpus"], row["transcript"]) for row in rows] == plan.recognition
    assert [float(rows[0]["wer"]), float(rows[0]["cer"])] == [0.1643, 0.0625]
    assert (rows[0]["words"], rows[0]["checkpoint"]) == ("10000", "whisper-tiny")
    text = (report / "tables/recognition.md").read_text(encoding="utf-8")
    assert "| emodb | heard | whisper | whisper-tiny | 16.4 | 6.2 | 800 |" in text
    assert "toy: 1 of 536 utterances have no text" in text
    assert "emodb: 0 of" not in text
    assert "toy is synthetic speech." in text
    html = (report / "index.html").read_text(encoding="utf-8")
    assert "case folded &amp; &lt;plain&gt;" in html


def test_a_recogniser_that_was_trained_on_the_corpus_is_named(plan, results):
    cards = {"whisper-tiny": CheckpointCard(pretrained_on=["Emo-DB"])}
    changed = plan.model_copy(update={"checkpoints": cards})
    table = recognition_table(changed, read_rates(plan, results))
    assert "whisper-tiny was pretrained on emodb: its rates here are too low." in table.notes


def test_without_pairs_there_is_no_table_of_error_rates(plan, results):
    changed = plan.model_copy(update={"recognition": []})
    assert recognition_table(changed, read_rates(changed, results)) is None
    assert not [name for name in report_tables(changed) if "recognition" in name]


def test_missing_error_rates_are_named(plan, tmp_path):
    with pytest.raises(EmonasError, match=r"heard\.json"):
        read_rates(plan, tmp_path)
