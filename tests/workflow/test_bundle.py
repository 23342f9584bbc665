"""A finished run in one archive, and its numbers computed again."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.export.bundle import write_bundle
from emonas.export.verify import verify_bundle
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("there is no torch")

sys.meta_path.insert(0, NoTorch())
from emonas.cli import app

app()
"""


@pytest.fixture(scope="module")
def bundle(finished, tmp_path_factory):
    output = tmp_path_factory.mktemp("bundled") / "a bundle.zip"
    done = command(finished, "bundle", "--settings", "tiny.yaml", "--output", output)
    assert done.returncode == 0, done.stderr
    return output


def command(finished, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, arguments)],
        cwd=finished.folder,
        env=finished.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def changed(bundle, output, name, change, digest=True):
    """A copy of the bundle with one file changed; a forger writes its digests anew, that in the
    bundle and the one that may lie beside the file.
    """
    with zipfile.ZipFile(bundle) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    assert change(files[name]) != files[name]
    before = hashlib.sha256(files[name]).hexdigest().encode()
    files[name] = change(files[name])
    after = hashlib.sha256(files[name]).hexdigest().encode()
    if digest:
        contents = json.loads(files["bundle.json"])
        contents["files"][name] = after.decode()
        if (beside := f"{name}.sha256") in files:
            files[beside] = files[beside].replace(before, after)
            contents["files"][beside] = hashlib.sha256(files[beside]).hexdigest()
        files["bundle.json"] = json.dumps(contents).encode()
    with zipfile.ZipFile(output, "w") as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)
    return output


def test_every_number_is_computed_again_without_torch(finished, bundle):
    done = command(finished, "verify", bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    count = int(done.stdout.split(": ")[1].split()[0])
    found = Path(finished.folder / "results/evaluate").glob("*/*/metrics.json")
    figures = sum(len(json.loads(path.read_text())["folds"]) for path in found)
    # UA, WA, utterances and classes of every fold and seed at least.
    assert count > 4 * figures


def test_a_bundle_holds_no_audio_no_transcript_and_no_weights(finished, bundle):
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        contents = b"\n".join(archive.read(name) for name in names)
    endings = {Path(name).suffix for name in names}
    assert not endings & {".wav", ".flac", ".safetensors"}
    assert not any("features" in Path(name).parts for name in names)
    manifest = pd.read_csv(finished.folder / "results/corpora/spoken/manifest.csv")
    for text in manifest["text"].unique():
        assert text.encode() not in contents
    assert str(finished.folder).encode() not in contents
    wanted = {"settings": "tiny.yaml", "lock": "lock.txt", "report": "report/index.html"}
    assert set(wanted.values()) <= set(names)


def test_the_same_run_gives_the_same_bytes(finished, bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    plan = Plan(load_settings(Path("tiny.yaml")))
    write_bundle(plan, Path("tiny.yaml"), Path("results"), Path("envs"), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def better(content):
    metrics = json.loads(content)
    metrics["ua"]["mean"] += 0.01
    return json.dumps(metrics).encode()


def another_figure(page):
    """The first number of the page's first table, changed."""
    before, mark, after = page.partition(b'<td class="number">')
    return before + mark + b"77.7" + after[after.index(b"<") :]


METRICS = "results/evaluate/tiny/cnn/metrics.json"
TABLE = "report/tables/tiny-systems.csv"
DRAWN = "report/figures/tiny-systems.csv"


@pytest.mark.parametrize(
    ("name", "change", "said", "digest"),
    [
        (METRICS, better, "metrics.json: ua.mean is", True),
        (TABLE, lambda text: text.replace(b"0.", b"0.9", 1), "tiny-systems.csv: line", True),
        (DRAWN, lambda text: text.replace(b"0.", b"0.9", 1), "tiny-systems.csv: line", True),
        ("report/index.html", another_figure, "index.html: line", False),
    ],
)
def test_a_number_that_does_not_agree_is_named(bundle, tmp_path, name, change, said, digest):
    found = verify_bundle(changed(bundle, tmp_path / "forged.zip", name, change, digest))
    assert any(said in sentence for sentence in found.wrong)
    untouched = [f"{name}: its bytes are not those that were bundled"]
    assert (untouched[0] in found.wrong) != digest


def test_predictions_that_were_changed_are_found(finished, bundle, tmp_path):
    name = "results/train/tiny/cnn/seed0/group1/predictions.h5"
    forged = changed(bundle, tmp_path / "forged.zip", name, lambda b: b[:-200] + bytes(200))
    done = command(finished, "verify", forged)
    assert done.returncode == 1
    assert f"{name}: no whole predictions of the part test" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("plan.json", lambda _: b"{}"),
        ("scoring/tiny.json", lambda text: text.replace(b'"cnn"', b'"another"')),
    ],
)
def test_a_bundle_that_does_not_say_how_it_is_scored_is_refused(bundle, tmp_path, name, change):
    with pytest.raises(EmonasError, match="does not say how it is scored"):
        verify_bundle(changed(bundle, tmp_path / "forged.zip", name, change))


def test_other_results_than_the_report_s_are_not_bundled(changed_run, tmp_path, monkeypatch):
    monkeypatch.chdir(changed_run.folder)
    path = changed_run.folder / METRICS
    path.write_bytes(better(path.read_bytes()))
    plan = Plan(load_settings(Path("tiny.yaml")))
    with pytest.raises(EmonasError, match="is not what the results give; run the workflow"):
        write_bundle(plan, Path("tiny.yaml"), Path("results"), Path("envs"), tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


@pytest.fixture
def changed_run(finished, tmp_path):
    return finished.copy(tmp_path / "a changed run")


@pytest.mark.parametrize(
    ("name", "said"),
    [("../outside", "outside its folder"), ("/outside", "outside its folder"), (None, "no bundle")],
)
def test_a_strange_archive_is_refused(tmp_path, name, said):
    path = tmp_path / "strange.zip"
    if name is None:
        path.write_text("no archive")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "text")
    with pytest.raises(EmonasError, match=said):
        verify_bundle(path)
    assert not (tmp_path.parent / "outside").exists()


def test_a_file_that_nobody_bundled_is_named(bundle, tmp_path):
    forged = tmp_path / "more.zip"
    forged.write_bytes(bundle.read_bytes())
    with zipfile.ZipFile(forged, "a") as archive:
        archive.writestr("report/tables/best.csv", "system,ua\nmine,1.0\n")
    assert verify_bundle(forged).wrong == ["report/tables/best.csv: was not bundled"]


def test_predictions_of_other_utterances_than_the_fold_s_are_named(bundle, tmp_path):
    """A forger who takes a row from the list of what is tested, or from the predictions."""
    name = "results/protocols/tiny/group1/test.csv"
    without_last = lambda text: b"".join(text.splitlines(keepends=True)[:-1])  # noqa: E731
    forged = changed(bundle, tmp_path / "forged.zip", name, without_last)
    wrong = verify_bundle(forged).wrong
    own = "results/train/tiny/linear/seed0/group1/predictions.h5"
    assert f"{own}: its utterances and labels are not those that its fold tests" in wrong
