"""The profiles: what a cluster is asked for, what of it runs jobs again, and cards of their own."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "workflow/profiles"
RULES = {
    name
    for path in (ROOT / "workflow/rules").glob("*.smk")
    for name in re.findall(r"^(?:rule|checkpoint) (\w+):", path.read_text(), re.MULTILINE)
}
SLURM = ("--profile", "workflow/profiles/slurm")
plugin = pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
    reason="snakemake-executor-plugin-slurm is not installed",
)


def profile(name):
    return yaml.safe_load((PROFILES / name / "config.yaml").read_text())


def test_only_partition_and_account_are_left_to_the_user():
    text = (PROFILES / "slurm/config.yaml").read_text()
    assert re.findall(r"^ +# (\w+): [A-Z]+$", text, re.MULTILINE) == [
        "slurm_partition",
        "slurm_account",
    ]
    assert profile("slurm")["executor"] == "slurm"
    assert profile("slurm")["retries"] >= 2


def test_groups_are_of_rules_that_are_there():
    grouped = {entry.split("=")[0] for entry in profile("slurm")["group-components"]}
    in_groups = {
        name
        for path in (ROOT / "workflow/rules").glob("*.smk")
        for name in re.findall(r'group_of\("(\w+)"', path.read_text())
    }
    assert grouped == in_groups
    assert grouped <= RULES


def test_every_rule_asks_for_memory_and_time():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for part in re.split(r"(?m)^(?=(?:rule|checkpoint) \w+:)", path.read_text())[1:]:
            (name,) = re.findall(r"^(?:rule|checkpoint) (\w+):", part)
            assert f'mem_mb=megabytes("{name}")' in part, name
            assert f'runtime=minutes("{name}")' in part, name


def asked(said, rule):
    """What the jobs of a rule ask for, as Snakemake announces it."""
    blocks = re.findall(rf"^ *(?:rule|checkpoint) {rule}:\n((?: +\S.*\n)*)", said, re.MULTILINE)
    return [dict(re.findall(r"(\w+)=([^,\n]+)", block.split("resources:")[1])) for block in blocks]


@plugin
def test_a_dry_run_with_the_profile_asks_for_a_rules_resources(changed):
    """Nothing of SLURM is needed for it, and before anything is read it is possible too."""
    said = changed.snakemake("-n", *SLURM, "--forcerun", "corpora", "train")
    for rule in ("corpora", "protocols", "evaluate", "report"):
        for job in asked(said, rule):
            assert int(job["mem_mb"]) >= 1000
            assert int(job["runtime"]) >= 10
    assert asked(said, "corpora")


@plugin
def test_a_dry_run_of_nothing_read_yet(fresh):
    said = fresh.snakemake("-n", *SLURM)
    assert asked(said, "corpora")
    assert not (fresh.folder / "results").exists()


@plugin
def test_small_jobs_are_grouped_by_rule(changed):
    said = changed.snakemake("-n", *SLURM, "--forcerun", "fold", "train", "evaluate")
    groups = re.findall(r"^.*[Gg]roup job ([\w+-]+) \(jobs", said, re.MULTILINE)
    jobs = len(re.findall(r"^ *rule train:$", said, re.MULTILINE))
    assert jobs > 5
    assert 1 <= len([name for name in groups if name.startswith("train+")]) < jobs
    assert len(groups) == len(set(groups))
    assert {"fold+tiny", "train+tiny+linear+1"} <= set(groups)


def test_without_the_profile_nothing_is_grouped(changed):
    said = changed.snakemake("-n", "--forcerun", "train")
    assert "roup job" not in said


def test_other_resources_run_nothing_again(changed):
    source = changed.folder / "src/emonas/settings/needs.py"
    text = source.read_text()
    source.write_text(re.sub(r"^(PYTHON|START) = (\d+)$", r"\1 = 9\2", text, flags=re.MULTILINE))
    assert source.read_text() != text
    assert changed.reruns() == set()
    assert changed.reruns("--set-resources", "train:mem_mb=90000", "search:runtime=9") == set()


def test_each_job_that_learns_has_a_card_of_its_own(changed):
    """On two cards that are pretended: nvidia-smi names them, and torch finds none."""
    folder = changed.folder / "programs"
    folder.mkdir()
    (folder / "nvidia-smi").write_text("#!/bin/sh\necho 0\necho 1\n")
    (folder / "nvidia-smi").chmod(0o755)
    command = changed.start(
        *("--cores", "3", "--resources", "gpu=2"),
        *("--forcerun", "train", "--until", "train"),
    )
    changed.run(["env", f"PATH={folder}:{Path('/usr/bin')}:/bin", *command])
    logs = (changed.folder / "results/logs/train").rglob("*.log")
    said = {
        path.stem: re.findall(r" on card (\d)$", path.read_text(), re.MULTILINE) for path in logs
    }
    assert {name for name, cards in said.items() if not cards} == {
        name for name in said if "linear" in name
    }
    assert {card for cards in said.values() for card in cards} == {"0", "1"}
