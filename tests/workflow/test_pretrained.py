"""Pretrained encoders end to end: fetched once, verified, heard, read, and reported."""

import functools
import hashlib
import http.server
import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from exported import apart, export

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.export.model import Model
from emonas.features.extraction import Resources, Speech
from emonas.features.extractors import bert
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFile

whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

SETTINGS = Path(__file__).with_name("pretrained.yaml")
DIMS = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 8,
    "n_audio_head": 2,
    "n_audio_layer": 3,
    "n_vocab": 51864,
    "n_text_ctx": 16,
    "n_text_state": 8,
    "n_text_head": 2,
    "n_text_layer": 1,
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{x}" for x in LETTERS))
FEATURES = "results/features/spoken"


@dataclass(frozen=True)
class Run:
    """A finished run, what it said, and the server's side of it."""

    checkout: object
    said: str
    served: Path
    asked: list[str]

    @property
    def folder(self) -> Path:
        return self.checkout.folder

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.served.read_bytes()).hexdigest()


def write_whisper(path: Path) -> None:
    """Random weights, whose seed is one that hears something else in most utterances."""
    generator = torch.Generator().manual_seed(3)
    network = whisper.model.Whisper(whisper.model.ModelDimensions(**DIMS))
    parameters = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in network.state_dict().items()
    }
    path.parent.mkdir(parents=True)
    torch.save({"dims": DIMS, "model_state_dict": parameters}, path)


def write_bert(folder: Path) -> None:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    transformers.BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")


@pytest.fixture(scope="module")
def run(fresh, tmp_path_factory):
    """The settings run to their end."""
    folder = tmp_path_factory.mktemp("pretrained") / "my run"
    checkout = fresh.copy(folder)
    served = tmp_path_factory.mktemp("served") / "weights" / "random.pt"
    write_whisper(served)
    write_bert(folder / "small bert")
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *_told):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(served.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    entry = settings["checkpoints"]["heard"]
    entry["address"] = f"http://127.0.0.1:{server.server_port}/random.pt"
    entry["sha256"] = hashlib.sha256(served.read_bytes()).hexdigest()
    (folder / "tiny.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMONAS_CHECKPOINTS", str(folder / "my weights"))
        # From nothing, as on the login node of a cluster; the corpus is not read yet.
        checkout.snakemake("--cores", "2", "--", "fetch")
        records = (folder / "results/checkpoints").iterdir()
        assert sorted(path.stem for path in records) == ["heard", "read"]
        checkout.snakemake("--cores", "2", "results/corpora/spoken/manifest.csv")
        write_vectors(folder)
        said = checkout.snakemake("--cores", "2")
        yield Run(checkout, said, served, asked)
    server.shutdown()


def write_vectors(folder: Path) -> None:
    names = pd.read_csv(folder / "results/corpora/spoken/manifest.csv")["utterance"]
    (folder / "own vectors").mkdir()
    generator = np.random.default_rng(0)
    vectors = {name: generator.standard_normal(5).astype(np.float32) for name in names}
    np.savez(folder / "own vectors/spoken.npz", **vectors)


@pytest.fixture
def changed(run, tmp_path):
    """A copy of the run, for a test to change."""
    return run.checkout.copy(tmp_path / "a changed run")


def test_weights_are_fetched_once_and_kept_where_the_user_says(run):
    assert run.asked == ["/random.pt"]
    kept = run.folder / "my weights" / "random.pt"
    assert kept.read_bytes() == run.served.read_bytes()
    record = json.loads((run.folder / "results/checkpoints/heard.json").read_text())
    assert record["digest"] == run.digest


def test_only_the_layers_that_systems_ask_for_are_stored(run):
    with FeatureFile(run.folder / FEATURES / "blocks.h5") as file:
        assert file.facts.layers == ("1", "3")
        assert file.facts.frame_rate == 5
        assert file.facts.store == "float16"
        assert file.facts.checkpoint == run.digest
        assert file.width == 8


def test_a_user_s_vectors_are_taken_as_they_are(run):
    given = np.load(run.folder / "own vectors/spoken.npz")
    with FeatureFile(run.folder / FEATURES / "own.h5") as file:
        assert sorted(file.utterances) == sorted(given.files)
        for name in given.files:
            np.testing.assert_array_equal(file.read(name), given[name][None])


def test_words_are_those_that_were_heard(run):
    heard = pd.read_csv(run.folder / FEATURES / "heard.csv", keep_default_na=False)
    assert heard["text"].nunique() > 3
    weights = Checkpoint("read", run.folder / "small bert", "")
    resources = Resources(RuntimeOptions(device="cpu"), weights)
    extractor = bert.build(bert.Options(checkpoint="read"), resources)
    silence = np.zeros(0, np.float32)
    with FeatureFile(run.folder / FEATURES / "words.h5") as file:
        for name, text in zip(heard["utterance"], heard["text"], strict=True):
            (expected,) = extractor.extract([Speech(name, silence, text)])
            assert file.length(name) == max(1, len(text.split()))
            np.testing.assert_allclose(file.read(name), expected, atol=2e-3)


@pytest.mark.parametrize("system", ["blocks", "words", "gru"])
def test_an_exported_system_says_what_its_training_said(run, tmp_path, monkeypatch, system):
    monkeypatch.chdir(run.folder)
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(run.folder / "my weights"))
    assert apart("tiny.yaml", "train", "half", system, tmp_path / "model") < 1e-5


def test_an_exported_system_refers_to_its_weights(run, tmp_path, monkeypatch):
    monkeypatch.chdir(run.folder)
    model = tmp_path / "model"
    export("tiny.yaml", "half", "words", model)
    told = json.loads((model / "model.json").read_text())
    assert told["checkpoints"]["heard"]["digest"] == run.digest
    assert run.digest in (model / "README.md").read_text()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(run.folder / "my weights"))
    with pytest.raises(EmonasError, match=r"small bert: .*--checkpoint read=PATH"):
        Model(model)
    assert Model(model, checkpoints={"read": run.folder / "small bert"}).classes == ("happy", "sad")
    with pytest.raises(EmonasError, match="refers to none of this name"):
        Model(model, checkpoints={"red": run.folder / "small bert"})
    others = tmp_path / "others.pt"
    others.write_bytes(run.served.read_bytes()[:-1])
    with pytest.raises(EmonasError, match="the SHA-256 is"):
        Model(model, checkpoints={"read": run.folder / "small bert", "heard": others})


def test_what_comes_from_a_user_s_files_is_not_exported(run, tmp_path, monkeypatch):
    monkeypatch.chdir(run.folder)
    with pytest.raises(EmonasError, match=r"features\.own: comes from files of your own"):
        export("tiny.yaml", "half", "all", tmp_path / "model")


def test_the_report_has_error_rates_and_the_warning(run):
    page = (run.folder / "results/report/index.html").read_text(encoding="utf-8")
    rates = json.loads((run.folder / "results/recognition/spoken/heard.json").read_text())
    table = pd.read_csv(run.folder / "results/report/tables/recognition.csv")
    assert f"{100 * rates['wer']:.1f}" in page
    assert len(table) == 1
    warning = "<strong>heard was pretrained on spoken:</strong> scores here are inflated, those of"
    assert warning in page
    assert "checkpoints.nowhere: none of path, address, hub and file is given" in run.said
    reason = "checkpoints.gone.path: there is no file gone.pt; correct it, or put the file there"
    assert f"emonas: skipped error rates of unheard on spoken: {reason}" in run.said
    assert reason in page


def test_nothing_is_to_be_done_then(run):
    assert run.checkout.reruns() == set()


def test_a_file_that_changes_in_a_folder_of_weights_is_read_again(changed):
    weights = changed.folder / "small bert" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"0")
    jobs = changed.reruns()
    assert {"checkpoint read", "features spoken/words"} <= jobs
    assert not {"checkpoint heard", "transcripts spoken/heard", "features spoken/blocks"} & jobs


def test_all_weights_that_runs_need_can_be_fetched_beforehand(changed):
    assert changed.reruns("--forceall", "--", "fetch") - {"fetch"} == {
        "checkpoint heard",
        "checkpoint read",
    }


def test_another_layer_extracts_again_and_no_weights_are_fetched(changed):
    changed.rewrite(lambda settings: settings["systems"]["gru"]["inputs"][0].update(layers=[2]))
    jobs = changed.reruns()
    assert "features spoken/blocks" in jobs
    assert not {job for job in jobs if job.startswith(("checkpoint", "transcripts"))}
    assert "features spoken/own" not in jobs


def test_a_digest_that_is_left_out_or_written_down_verifies_and_extracts_nothing(changed):
    changed.rewrite(lambda settings: settings["checkpoints"]["heard"].pop("sha256"))
    assert changed.reruns() == set()


def test_features_of_other_weights_are_refused(changed):
    record = changed.folder / "results/checkpoints/heard.json"
    value = json.loads(record.read_text())
    record.write_text(json.dumps(value | {"digest": "0" * 64}))
    target = "results/train/half/blocks/seed0/group1/predictions.h5"
    (changed.folder / target).unlink()
    said = changed.snakemake("--cores", "1", "--allowed-rules", "train", "--", target, fails=True)
    assert f"{FEATURES}/blocks.h5: was made with other weights than those of" in said


def test_features_of_other_options_are_refused(changed):
    changed.rewrite(lambda settings: settings["features"]["blocks"].update(pool=5))
    target = "results/train/half/blocks/seed0/group1/predictions.h5"
    (changed.folder / target).unlink()
    # As after a change by someone who tells Snakemake to look at times alone.
    only = ["--rerun-triggers", "mtime", "--allowed-rules", "train"]
    said = changed.snakemake("--cores", "1", *only, "--", target, fails=True)
    assert f"{FEATURES}/blocks.h5: was made with other options, weights or code" in said


def test_a_wrong_digest_stops_with_both(run, changed):
    changed.rewrite(lambda settings: settings["checkpoints"]["heard"].update(sha256="0" * 64))
    record = "results/checkpoints/heard.json"
    said = changed.snakemake("--cores", "1", record, fails=True)
    assert "0" * 64 in said
    assert run.digest in said
    assert not (changed.folder / record).exists()
