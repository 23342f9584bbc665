"""A finished run in one archive, and its numbers computed again."""

import hashlib
import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from emonas.errors import EmonasError
from emonas.export.bundle import read_plan, write_bundle
from emonas.export.held_settings import settings_differ
from emonas.export.unpacking import unpacked
from emonas.export.verify import verify_bundle
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan
from emonas.storage.predictions import read_predictions, write_predictions

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("there is no torch")

sys.meta_path.insert(0, NoTorch())
"""


@pytest.fixture(scope="module")
def bundle(finished, tmp_path_factory):
    output = tmp_path_factory.mktemp("bundled") / "a bundle.zip"
    done = finished.emonas(
        "bundle", "--settings", "tiny.yaml", "--output", output, first=WITHOUT_TORCH
    )
    assert done.returncode == 0, done.stderr
    return output


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
    done = finished.emonas("verify", bundle, first=WITHOUT_TORCH)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    count = int(done.stdout.decode().split(": ")[1].split()[0])
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


def test_a_run_of_settings_in_a_folder_is_bundled_and_agrees(changed, tmp_path):
    (changed.folder / "my settings").mkdir()
    (changed.folder / "tiny.yaml").rename(changed.folder / "my settings/tiny.yaml")
    file, archive = "my settings/tiny.yaml", tmp_path / "a bundle.zip"
    changed.run([sys.executable, "-m", "snakemake", "--configfile", file, "--cores", "2"])
    page = (changed.folder / "results/report/index.html").read_text()
    assert "--configfile &#39;my settings/tiny.yaml&#39;" in page
    done = changed.emonas("bundle", "--settings", file, "--output", archive)
    assert done.returncode == 0, done.stderr
    assert b"agree" in changed.emonas("verify", archive).stdout
    with zipfile.ZipFile(archive) as bundled:
        assert "tiny.yaml" in bundled.namelist()
        assert str(changed.folder).encode() not in bundled.read("plan.json")


def test_a_report_of_nothing_is_bundled_and_agrees(changed, tmp_path):
    def leave_all_out(settings):
        runs = settings["runs"]
        settings["leave_out"] = {
            name: [one for run in runs if run["protocol"] == name for one in run["systems"]]
            for name in {run["protocol"] for run in runs}
        }

    changed.rewrite(leave_all_out)
    changed.snakemake("--cores", "1")
    archive = tmp_path / "nothing.zip"
    done = changed.emonas("bundle", "--settings", "tiny.yaml", "--output", archive)
    assert done.returncode == 0, done.stderr
    assert verify_bundle(archive).wrong == []


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
PAGE = "report/index.html"


def test_every_number_that_does_not_agree_is_named(bundle, tmp_path):
    """By a forger, who writes the digests anew, of all but the page."""
    other = lambda text: text.replace(b"0.", b"0.9", 1)  # noqa: E731
    forged = changed(bundle, tmp_path / "1.zip", METRICS, better)
    forged = changed(forged, tmp_path / "2.zip", TABLE, other)
    forged = changed(forged, tmp_path / "3.zip", DRAWN, other)
    forged = changed(forged, tmp_path / "4.zip", PAGE, another_figure, digest=False)
    said = (
        f"{PAGE}: its bytes are not those that were bundled",
        f"{METRICS}: ua.mean is ",
        f"{TABLE}: line ",
        f"{DRAWN}: line ",
        f"{PAGE}: line ",
    )
    found = verify_bundle(forged).wrong
    assert len(found) == len(said), found
    for beginning in said:
        assert any(sentence.startswith(beginning) for sentence in found), (beginning, found)


def test_a_damaged_file_leaves_out_its_own_protocol_alone(bundle, tmp_path):
    damaged = "results/train/tiny/cnn/seed0/group1/predictions.h5"
    other = "results/evaluate/once/resnet/metrics.json"
    title = lambda text: text.replace(b'"A tiny run"', b'"A huge run"', 1)  # noqa: E731
    forged = changed(bundle, tmp_path / "1.zip", damaged, lambda b: b[:-200] + bytes(200))
    forged = changed(forged, tmp_path / "2.zip", other, better)
    forged = changed(forged, tmp_path / "3.zip", "plan.json", title)
    forged = changed(forged, tmp_path / "4.zip", MANIFEST, with_texts)
    found = verify_bundle(forged)
    said = (
        "plan.json: title is 'A huge run'",
        f"{damaged}: no whole",
        f"{other}: ua.mean is ",
        f"{MANIFEST}: holds what is left out of a bundle",
    )
    assert len(found.wrong) == len(said), found.wrong
    for beginning in said:
        assert any(sentence.startswith(beginning) for sentence in found.wrong), found.wrong
    assert found.numbers > 0


MANIFEST = "results/corpora/spoken/manifest.csv"


def with_texts(table):
    """A manifest or a part in which every utterance says something."""
    told = pd.read_csv(io.BytesIO(table), dtype=str, keep_default_na=False)
    return told.assign(text="a secret sentence").to_csv(index=False, lineterminator="\n").encode()


def with_another_part(content):
    """Predictions of a part more."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "predictions.h5")
        path.write_bytes(content)
        test = read_predictions(path, "test")
        write_predictions(path, {"test": test, "train": test})
        return path.read_bytes()


def test_what_is_left_out_of_a_bundle_is_named_where_it_was_put_back(bundle, tmp_path):
    part = "results/protocols/tiny/group1/test.csv"
    predictions = "results/train/tiny/rnn/seed0/group1/predictions.h5"
    changes = {MANIFEST: with_texts, part: with_texts, predictions: with_another_part}
    forged = bundle
    for number, (name, change) in enumerate(changes.items()):
        forged = changed(forged, tmp_path / f"{number}.zip", name, change)
    forged = changed(forged, tmp_path / "page.zip", PAGE, lambda text: text + b"\xff")
    *put_back, page = verify_bundle(forged).wrong
    assert put_back == [f"{name}: holds what is left out of a bundle" for name in changes]
    assert page.startswith(f"{PAGE}: is no text in UTF-8 (")


def test_without_locks_there_is_no_bundle(finished, bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    plan = Plan(load_settings(Path("tiny.yaml")))
    with pytest.raises(EmonasError, match=r"has no lock\*\.txt, which says which versions ran"):
        write_bundle(plan, Path("tiny.yaml"), Path("results"), tmp_path, tmp_path / "b.zip")
    without = tmp_path / "without.zip"
    with zipfile.ZipFile(bundle) as archive, zipfile.ZipFile(without, "w") as rest:
        for name in archive.namelist():
            if not name.startswith(("lock", MANIFEST)):
                rest.writestr(name, archive.read(name))
    # The scores are another test's: this one need not wait for them.
    name = "results/protocols/tiny/folds.csv"
    stopped = changed(without, tmp_path / "stopped.zip", name, lambda _: b"none", digest=False)
    found = verify_bundle(stopped).wrong
    assert "lock*.txt: none is in the bundle" in found
    assert f"{MANIFEST}: no such file" in found
    assert len(found) == len(set(found))


def test_predictions_that_were_changed_are_found(finished, bundle, tmp_path):
    name = "results/train/tiny/cnn/seed0/group1/predictions.h5"
    forged = changed(bundle, tmp_path / "forged.zip", name, lambda b: b[:-200] + bytes(200))
    done = finished.emonas("verify", forged, first=WITHOUT_TORCH)
    assert done.returncode == 1
    assert f"{name}: no whole predictions of the part test" in done.stdout.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("plan.json", lambda _: b"{}"),
        ("plan.json", lambda text: text.replace(b'"tiny"', b'"../tiny"')),
        ("plan.json", lambda _: b"[" * 200_000),
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
    """Also where a forger's list of contents knows it."""
    added = tmp_path / "more.zip"
    added.write_bytes(bundle.read_bytes())
    with zipfile.ZipFile(added, "a") as archive:
        for name in (UNLISTED, *MORE):
            archive.writestr(name, CONTENT)
    forged = changed(added, tmp_path / "listed.zip", "bundle.json", with_more, False)
    wrong = [f"{name}: is {what}" for name, what in MORE.items()]
    strange = [f"{UNLISTED}: was not bundled", f"{UNLISTED}: is of no bundle"]
    assert verify_bundle(forged).wrong == [*strange, *wrong]


UNLISTED = "notes.txt"
MORE = {
    "stripped/speech.wav": "of no bundle",
    "whole/x": "of no bundle",
    "results/corpora/spoken/texts.csv": "of no bundle",
    "results/speech.wav": "of no bundle",
    "report/tables/best.csv": "not of this report",
}
"""Files that nobody bundled, and what each is."""
CONTENT = b"system,ua\nmine,1.0\n"


def with_more(contents):
    """A list of contents that knows them."""
    told = json.loads(contents)
    told["files"] |= dict.fromkeys(MORE, hashlib.sha256(CONTENT).hexdigest())
    return json.dumps(told).encode()


CHART = "report/figures/tiny-systems"
"""The scores of the protocol's systems."""


def other_bar(drawing):
    """A drawing in which one number of one path is another."""
    before, mark, after = drawing.partition(b'<path d="M ')
    number, rest = after.split(b" ", 1)
    return before + mark + str(float(number) + 5).encode() + b" " + rest


def other_image(picture):
    """A PNG of the same size in which a corner is dark."""
    with Image.open(io.BytesIO(picture)) as image:
        image.paste((0, 0, 0), (5, 5, 20, 20))
        file = io.BytesIO()
        image.save(file, "PNG")
    return file.getvalue()


def other_shown(page):
    """A page in which a picture is another, whose file is as it was."""
    before, mark, after = page.partition(b'<img src="')
    return before + mark + after.replace(b"%23d5dae0", b"%23000000", 1)


def test_every_picture_that_was_replaced_is_named(bundle, tmp_path):
    """By a forger, who writes the digests anew."""
    files = {
        f"{CHART}.svg": other_bar,
        f"{CHART}.png": other_image,
        "report/figures/once-systems.png": lambda _: b"none",
        PAGE: other_shown,
    }
    forged = bundle
    for number, (name, change) in enumerate(files.items()):
        forged = changed(forged, tmp_path / f"{number}.zip", name, change)
    found = verify_bundle(forged)
    drawings = [name for name in files if name != PAGE]
    said = [f"{name}: is not the picture that the numbers give" for name in drawings]
    # The page's first picture is another, and the chart's file is not what the page shows.
    said += [f"{PAGE}: shows another picture than figures/overview.svg"]
    said += [f"{PAGE}: shows another picture than {CHART.removeprefix('report/')}.svg"]
    assert sorted(found.wrong) == sorted(said)
    assert not found.unheld


def test_pictures_of_other_versions_are_not_compared_and_that_is_said(finished, bundle, tmp_path):
    forged = changed(bundle, tmp_path / "forged.zip", f"{CHART}.png", other_image)
    older = changed(forged, tmp_path / "older.zip", "bundle.json", drawn_by_another, False)
    done = finished.emonas("verify", older, first=WITHOUT_TORCH)
    assert done.returncode == 0
    assert (
        b"the pictures were not compared: they were drawn by matplotlib 1.0, and here"
        in done.stderr
    )
    assert b"tables and page with these" in done.stdout


def drawn_by_another(contents):
    told = json.loads(contents)
    told["drawn_by"] = {"matplotlib": "1.0"}
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "tiny.yaml",
            b"[0.1, 1.0]",
            b"[0.2, 1.0]",
            "plan.json: systems.linear.options.strengths[0] is 0.1, and 0.2 by tiny.yaml",
        ),
        ("tiny.yaml", b"seeds: 2", b"seeds: 3", "plan.json: runs[0].seeds[2] is missing, and 2 by"),
        ("tiny.yaml", b"groups: 2", b"groups: nine", "tiny.yaml: can't be held against plan.json"),
        (
            "plan.json",
            b'"title": "A tiny run"',
            b'"title": "A huge run"',
            "plan.json: title is 'A huge run', and 'A tiny run' by tiny.yaml",
        ),
        (
            "scoring/tiny.json",
            b'"pooled": false',
            b'"pooled": true',
            "scoring/tiny.json: pooled is True, and False by tiny.yaml",
        ),
        ("plan.json", b'"tiny.yaml"', b'"../a.yaml"', "plan.json: settings_file is '../a.yaml'"),
    ],
    ids=["option", "seeds", "no settings", "title", "scoring", "file"],
)
def test_the_settings_are_held_against_the_report(bundle, tmp_path, name, old, new, said):
    change = lambda text: text.replace(old, new, 1)  # noqa: E731
    with unpacked(changed(bundle, tmp_path / "forged.zip", name, change)) as folder:
        wrong = settings_differ(folder, read_plan(folder))
    assert any(sentence.startswith(said) for sentence in wrong), wrong


def test_settings_that_hold_differ_in_nothing(bundle):
    with unpacked(bundle) as folder:
        assert settings_differ(folder, read_plan(folder)) == []


def test_predictions_of_other_utterances_than_the_fold_s_are_named(bundle, tmp_path):
    """A forger who takes a row from the list of what is tested, or from the predictions."""
    name = "results/protocols/tiny/group1/test.csv"
    without_last = lambda text: b"".join(text.splitlines(keepends=True)[:-1])  # noqa: E731
    forged = changed(bundle, tmp_path / "forged.zip", name, without_last)
    wrong = verify_bundle(forged).wrong
    own = "results/train/tiny/linear/seed0/group1/predictions.h5"
    assert f"{own}: its utterances and labels are not those that its fold tests" in wrong
