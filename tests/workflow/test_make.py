"""The targets of the Makefile."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
ROOT = Path(__file__).parents[2]


def test_help_lists_every_target(fresh):
    said = fresh.run(["make", "help"])
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"help", "run", "test", "lint", "docs", "clean"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target} +\w", said, re.MULTILINE), target
    assert "clean-STAGE" in said


def test_run_would_make_the_environment_and_start_snakemake(fresh):
    said = fresh.run(["make", "-n", "run", "CONFIG=tiny.yaml", "CORES=2"])
    assert "-m venv .venv" in said
    assert 'snakemake --cores 2 --rerun-incomplete --keep-going --configfile "$CONFIG"' in said
    # Snakemake would run the text of a file that asks for it; the check refuses it.
    assert said.index('emonas check "$CONFIG"') < said.index("snakemake --cores")
    assert not (fresh.folder / ".venv").exists()


@pytest.mark.parametrize("there", [False, True])
def test_the_name_of_a_settings_file_is_no_command(changed, there):
    name = "a `touch one` $(touch two) $(shell touch three) '; touch four; \".yaml"
    called = changed.folder / "stub"
    called.mkdir()
    for program in ("emonas", "snakemake"):
        (called / program).write_text('#!/bin/sh\nprintf "%s\\n" "$@" >> called\n')
        (called / program).chmod(0o755)
    if there:
        (changed.folder / name).touch()
    said = changed.run(
        ["make", "-o", ".venv/.ready", "run", "BIN=stub", f"CONFIG={name}"], fails=not there
    )
    assert not {"one", "two", "three", "four"} & {path.name for path in changed.folder.iterdir()}
    if there:
        assert (changed.folder / "called").read_text().splitlines().count(name) == 2
    else:
        assert f"there is no settings file {name}" in said


@pytest.mark.parametrize("fails", ["", "run", "test", "test-slurm"])
@pytest.mark.parametrize("cluster", [0, 3, 1])
def test_what_lands_is_checked_by_all_targets(fresh, tmp_path, fails, cluster):
    """`cluster` is how the question ends whether a SLURM can be started."""
    make = f'echo "asked for $1"\n[ "$1" != "{fails}" ]'
    stubs = {"make": make, "asked": f"exit {cluster}"}
    for name, text in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": str(tmp_path / "asked"),
    }
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=fresh.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    asked = re.findall(r"asked for (\S+)", done.stdout)
    wanted = ["run"]
    if fails != "run" and cluster != 1:
        wanted += ["test", *(["test-slurm"] if cluster == 0 else [])]
    assert asked == wanted
    broken = fails in asked or (fails != "run" and cluster == 1)
    assert done.returncode == (1 if broken else 0)
    left_out = fails != "run" and cluster == 3
    assert ("make test-slurm was left out." in done.stdout) == left_out


@pytest.mark.parametrize(
    ("stage", "stays"),
    [
        ("report", {"corpora", "features", "protocols", "search", "train", "fuse", "evaluate"}),
        ("fuse", {"corpora", "features", "protocols", "search", "train"}),
    ],
)
def test_cleaning_a_stage_makes_it_and_what_follows_anew(changed, stage, stays):
    changed.run(["make", f"clean-{stage}"])
    results = changed.folder / "results"
    assert {path.name for path in results.iterdir()} - {"logs", "resume"} == stays
    names = changed.reruns()
    assert "report" in names
    fused = {name for name in names if name.startswith("fuse ")}
    assert len(fused) == (8 if stage == "fuse" else 0)
    assert not {name for name in names if name.startswith(("train ", "search ", "features "))}


def test_clean_removes_all_results_and_nothing_else(changed):
    changed.run(["make", "clean"])
    assert not (changed.folder / "results").exists()
    assert (changed.folder / "own speech").is_dir()
    changed.run(["make", "clean"])
