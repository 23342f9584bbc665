"""Every settings file that comes with the workflow expands to a dry run."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from emonas.packages import ORIGINALS

ROOT = Path(__file__).parents[2]
GIVEN = sorted((ROOT / "workflow").glob("papers/*.yaml")) + sorted(
    (ROOT / "workflow").glob("examples/*.yaml")
)
AUDIO_SIZE = 20000


def command(*arguments):
    return [sys.executable, "-m", "snakemake", *arguments]


def settings_of(path):
    return yaml.safe_load(path.read_text())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with a root for every corpus that some settings file names."""
    folder = tmp_path_factory.mktemp("data") / "all my corpora"
    for path in GIVEN:
        for name in settings_of(path)["corpora"]:
            (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def test_the_demonstration(fresh):
    said = fresh.run(command("-n"))
    wanted = {"corpora english", "corpora german", "protocols demo", "transfer demo/german"}
    assert wanted | {"report"} <= names(fresh, said)
    (report,) = (job for job in fresh.announced(said) if job.name == "report")
    for table in ("demo-systems", "demo-transfer-german"):
        assert f"results/report/tables/{table}.csv" in report.outputs


def names(checkout, said):
    return {job.name for job in checkout.announced(said)}


@pytest.mark.parametrize("path", GIVEN, ids=lambda path: path.stem)
def test_papers_and_examples(fresh, data, path):
    settings = settings_of(path)
    roots = yaml.safe_dump(
        {
            name: str(data / name)
            for name, corpus in settings["corpora"].items()
            if corpus["reader"] not in ("synthetic", "csv")
        },
        default_flow_style=True,
        width=100000,
    ).strip()
    file = str(path.relative_to(ROOT))
    said = fresh.run(command("-n", "--configfile", file, "--config", f"roots={roots}"))
    assert "report" in names(fresh, said)
    for corpus in settings["corpora"]:
        used = [p for p in settings["protocols"].values() if corpus in p["corpora"]]
        if used and settings["corpora"][corpus]["reader"] not in ("csv",):
            assert f"corpora {corpus}" in names(fresh, said) or "skipped" in said


def test_names_of_protocols_and_systems_are_unique_over_all_files():
    """They share `results/`."""
    seen = {}
    for path in [ROOT / "config.yaml", *GIVEN]:
        for kind in ("protocols", "systems"):
            for name, options in settings_of(path)[kind].items():
                former = seen.setdefault((kind, name), (path, options))
                assert former[0] == path or former[1] == options, (
                    f"{kind}.{name} is another in {path.name} than in {former[0].name}"
                )


def test_nothing_of_the_demonstration_leaks_into_another_file(fresh):
    assert "demo" not in {
        part for name in names(fresh, fresh.snakemake("-n")) for part in split(name)
    }


def split(name):
    return name.replace("/", " ").split()


def test_single_values_are_set_over_the_demonstration(fresh):
    said = fresh.run(command("-n", "--config", "title=Another"))
    assert "corpora english" in names(fresh, said)


def test_it_runs_from_another_folder(fresh, tmp_path):
    """The checkout elsewhere, results here; a root is relative to here."""
    (tmp_path / "own speech").symlink_to(fresh.folder / "own speech")
    where = ["-s", str(fresh.folder / "Snakefile"), "--directory", str(tmp_path)]
    settings = ["--configfile", str(fresh.folder / "tiny.yaml")]
    said = fresh.run(command("-n", *where, *settings), folder=tmp_path)
    assert "corpora own" in names(fresh, said)
    assert not (fresh.folder / "results").exists()


def test_the_profile_is_one(fresh):
    said = fresh.snakemake("-n", "--profile", "workflow/profiles/workstation")
    assert "corpora spoken" in names(fresh, said)


def test_every_rule_names_an_environment_that_is_there():
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        text = path.read_text()
        scripts = re.findall(r'    script:\n +"(.*)"', text)
        environments = re.findall(r'    conda:\n +"(.*)"', text)
        if "PLAN.feature_environment" in text:
            backends = ("emonas", *ORIGINALS)
            environments += [f"../../envs/{backend}.yaml" for backend in backends]
        assert len(scripts) <= len(environments), path
        assert [name for name in scripts + environments if not (path.parent / name).is_file()] == []
