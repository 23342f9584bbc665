import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from emonas.checkpoints.record import read_checkpoint

COMMIT = "c0ffee" + "0" * 34
# The hub's library reads its environment at import, so each job is a process of its own.
JOB = """
import sys
from pathlib import Path
from emonas.checkpoints.obtain import obtain_checkpoint
from emonas.checkpoints.options import CheckpointOptions
from emonas.jobs import logged_job

root, options = Path(sys.argv[1]), CheckpointOptions.model_validate_json(sys.argv[2])
with logged_job(root / "job.log"):
    obtain_checkpoint("big", options, root / "the cache", root / "r.json")
"""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """As much of the hub as a download needs."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        files, refusal = self.server.files, self.server.refusal
        if refusal:
            return self.reply(b"{}", {"X-Error-Code": refusal}, 403 if "Gated" in refusal else 404)
        if self.path.startswith("/api/models/some/model/revision/main"):
            siblings = [self.entry(name, content) for name, content in files.items()]
            value = {"id": "some/model", "sha": COMMIT, "siblings": siblings}
            headers = {"Content-Type": "application/json"}
            return self.reply(json.dumps(value).encode(), headers)
        match = re.fullmatch(rf"/some/model/resolve/{COMMIT}/(.+)", self.path)
        if match is None:
            return self.reply(b"", {}, 404)
        content = files[match[1]]
        if self.command == "GET":
            self.server.fetched.append(match[1])
            content = self.server.spoilt.get(match[1], content)
        headers = {"ETag": f'"{sha256(content)}"', "X-Repo-Commit": COMMIT}
        return self.reply(content, headers)

    def entry(self, name, content):
        entry = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
        if not name.endswith((".json", ".txt")):
            entry["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 100}
        return entry

    def reply(self, body, headers, status=200):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        serving.files = {
            "config.json": b"{}",
            "vocab.txt": b"a\nb\n",
            "model.safetensors": b"tensors" * 1000,
            "pytorch_model.bin": b"pickle",
            "modeling.py": b"import os",
            "README.md": b"read me",
            "onnx/model.safetensors": b"other",
        }
        serving.fetched, serving.spoilt, serving.refusal = [], {}, ""
        serving.daemon_threads = True
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture
def job(tmp_path):
    """Runs a job in a process, and gives its exit status and what it told the user."""

    def run(environment, **options):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "no_proxy": "*",
            **environment,
        }
        command = [
            sys.executable,
            "-c",
            JOB,
            tmp_path,
            json.dumps({"hub": "some/model", **options}),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        told = [line for line in done.stderr.splitlines() if line.startswith("emonas: ")]
        assert "Traceback" not in done.stderr
        assert len(told) == (done.returncode != 0)
        return done.returncode, "".join(told)

    return run


def at(hub):
    return {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}


def held(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_fetched_once_without_its_code(hub, job, tmp_path):
    assert job(at(hub)) == (0, "")
    found = read_checkpoint(tmp_path / "r.json")
    assert found.path == tmp_path / "the cache" / "some--model"
    assert held(found.path) == ["config.json", "model.safetensors", "vocab.txt"]
    names = ["config.json", "model.safetensors", "vocab.txt"]
    lines = "".join(f"{name} {sha256(hub.files[name])}\n" for name in names)
    assert found.digest == sha256(lines.encode())
    assert hub.fetched == ["config.json", "vocab.txt", "model.safetensors"]
    assert f"main is commit {COMMIT}" in (tmp_path / "job.log").read_text()
    assert job(at(hub), sha256=found.digest) == (0, "")
    assert len(hub.fetched) == 3
    code, told = job(at(hub), sha256="0" * 64)
    assert code == 1
    assert found.digest in told


def test_two_models_of_one_name_do_not_serve_each_other(hub, job, tmp_path):
    assert job(at(hub), file="weights") == (0, "")
    digest = read_checkpoint(tmp_path / "r.json").digest
    assert job(at(hub), file="weights") == (0, "")
    code, told = job(at(hub), hub="other/model", file="weights")
    assert code == 1
    assert "this was fetched from some/model@main, not from other/model@main" in told
    code, told = job(at(hub), revision="older", file="weights")
    assert code == 1
    assert "not from some/model@older" in told
    assert job(at(hub), hub="other/model", file="weights", sha256=digest) == (0, "")


def test_what_was_fetched_of_another_model_is_no_part_of_this_one(hub, job, tmp_path):
    hub.spoilt = {"model.safetensors": b"short"}
    part = tmp_path / "the cache" / "weights.part"
    assert job(at(hub), file="weights")[0] == 1
    assert (part / "vocab.txt").exists()
    source = part.with_name(".weights.source.json")
    source.write_text(json.dumps({"address": "other/model@main"}))
    (part / "merges.txt").write_text("of the other model")
    hub.spoilt = {}
    assert job(at(hub), file="weights") == (0, "")
    names = held(tmp_path / "the cache" / "weights")
    assert names == ["config.json", "model.safetensors", "vocab.txt"]


def test_a_pickle_is_taken_only_where_there_is_nothing_else(hub, job, tmp_path):
    del hub.files["model.safetensors"]
    assert job(at(hub)) == (0, "")
    path = read_checkpoint(tmp_path / "r.json").path
    assert held(path) == ["config.json", "pytorch_model.bin", "vocab.txt"]


def test_a_model_without_weights_is_told(hub, job):
    del hub.files["model.safetensors"], hub.files["pytorch_model.bin"]
    code, told = job(at(hub))
    assert code == 1
    assert "neither .safetensors nor pytorch_model.bin" in told


def test_other_bytes_than_the_hub_knows_are_refused_and_a_new_run_goes_on(hub, job, tmp_path):
    hub.spoilt = {"model.safetensors": b"tensorz" * 1000}
    code, told = job(at(hub))
    assert code == 1
    assert sha256(hub.files["model.safetensors"]) in told
    assert sha256(hub.spoilt["model.safetensors"]) in told
    assert not (tmp_path / "the cache" / "some--model").exists()
    hub.spoilt, hub.fetched = {}, []
    assert job(at(hub)) == (0, "")
    assert hub.fetched == ["model.safetensors"]


def test_a_wrong_digest_leaves_nothing(hub, job, tmp_path):
    code, told = job(at(hub), sha256="0" * 64)
    assert code == 1
    assert "0" * 64 in told
    assert [name for name in held(tmp_path / "the cache") if not name.startswith(".")] == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("GatedRepo", "the model is gated"),
        ("RepoNotFound", "the hub knows no such model"),
        ("RevisionNotFound", "the hub knows no revision main"),
    ],
)
def test_a_refusal_is_one_sentence(hub, job, refusal, words):
    hub.refusal = refusal
    code, told = job(at(hub))
    assert code == 1
    assert words in told


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "because HF_HUB_OFFLINE is set"),
        ({"HF_ENDPOINT": "http://127.0.0.1:1"}, "cannot be fetched ("),
    ],
)
def test_no_network_is_one_sentence_with_the_ways_out(job, environment, words):
    code, told = job(environment)
    assert code == 1
    assert words in told
    assert "run again" in told
    assert "checkpoints.big.path" in told
