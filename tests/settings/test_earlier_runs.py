"""Jobs of a killed run are found by their folder, among all that a user has in SLURM."""

from emonas.settings.earlier_runs import earlier_runs


def pretend_squeue(folder, monkeypatch, lines):
    program = folder / "squeue"
    said = "\n".join(lines)
    program.write_text(f"#!/bin/sh\ncat <<'EOT'\n{said}\nEOT\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_runs_of_this_folder_only_and_each_once(tmp_path, monkeypatch):
    here = tmp_path / "my run"
    lines = [
        f"first|rule_train_wildcards_a|{here}",
        f"first|rule_fold_fold|{here}",
        f"second|rule_search|{here}",
        f"elsewhere|rule_train|{tmp_path}/another",
        f"by hand|(null)|{here}",
    ]
    pretend_squeue(tmp_path, monkeypatch, lines)
    assert earlier_runs(here) == ["first", "second"]


def test_without_slurm_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert earlier_runs(tmp_path) == []
