"""What is understood of sinfo's lines, which differ from cluster to cluster."""

import json

import pytest

from emonas.settings.partitions import KEPT, Partition, ask_partition, read_sinfo


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Partition()),
        (["(null)|infinite|64000"], Partition(False, None, 64000)),
        (["gpu:2|2-00:00:00|191000+"], Partition(True, 2880, 191000)),
        (["gpu:a100:4(S:0-1),lscratch:1|12:30:00|500000"], Partition(True, 750, 500000)),
        (["(null)|30:00|1000", "gpu:1|30:00|8000"], Partition(True, 30, 8000)),
        (["(null)|1-00:00:00|1000", "(null)|30:00|8000"], Partition(False, 30, 8000)),
        (["gpumem:40G|45:00|1000"], Partition(False, 45, 1000)),
    ],
)
def test_lines_of_sinfo(lines, expected):
    assert read_sinfo(lines) == expected


def fake_sinfo(folder, monkeypatch, lines):
    """A program of that name that prints lines, and notes that it was asked."""
    program = folder / "sinfo"
    said = "\n".join(lines)
    program.write_text(f"#!/bin/sh\necho \"$@\" >> '{folder}/asked'\ncat <<'EOT'\n{said}\nEOT\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "asked"


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    # Set first, so that what is written there is taken back.
    monkeypatch.setenv(KEPT, "{}")


def test_each_partition_is_asked_once_and_jobs_are_told(tmp_path, monkeypatch):
    asked = fake_sinfo(tmp_path, monkeypatch, ["cards|gpu:2|1:00:00|9000"])
    expected = Partition(True, 60, 9000)
    assert [ask_partition("cards") for _ in range(3)] == [expected] * 3
    assert asked.read_text().count("--partition=cards") == 1
    import os

    assert json.loads(os.environ[KEPT])["cards"]["minutes"] == 60


def test_without_a_name_the_default_partition_counts(tmp_path, monkeypatch):
    fake_sinfo(tmp_path, monkeypatch, ["cards|gpu:2|1:00:00|9000", "work*|(null)|2-00:00:00|5000"])
    assert ask_partition("") == Partition(False, 2880, 5000)


def test_without_slurm_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_partition("work") == Partition()
