"""A disk that is full in a run: a clear sentence, whole files, and a run that goes on."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SETTINGS = Path(__file__).with_name("kills.yaml")
SIZES = ("64k", "192k", "320k", "640k", "1m", "2m")
# Times, memory, logs and the page with times in it differ from run to run.
OF_THE_MOMENT = ("cost.csv", ".log", ".damaged")
pytestmark = [pytest.mark.fault, pytest.mark.long]


@pytest.fixture
def small_disk(tmp_path):
    """Mounts folders as disks of a size; gives the function."""
    mounted = []

    def mount(folder, size):
        again = folder in mounted
        options = f"remount,size={size}" if again else f"size={size}"
        kind = [] if again else ["-t", "tmpfs", "tmpfs"]
        done = subprocess.run(["mount", *kind, "-o", options, folder], check=False)
        if done.returncode:
            pytest.skip("only root can make a small disk, and not everywhere")
        if not again:
            mounted.append(folder)

    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def results(checkout):
    folder = checkout.folder / "results"
    return {
        path.relative_to(folder).as_posix(): path
        for stage in ("corpora", "protocols", "features", "search", "train", "evaluate")
        for path in (folder / stage).rglob("*")
        if path.is_file() and not path.name.endswith(OF_THE_MOMENT)
    }


def test_a_run_on_a_disk_that_is_full_ends_with_a_sentence_and_goes_on(
    fresh, tmp_path, small_disk, tally
):
    wanted = fresh.copy(tmp_path / "with room")
    shutil.copy2(SETTINGS, wanted.folder / "tiny.yaml")
    wanted.snakemake("--cores", "2")
    whole = {name: path.read_bytes() for name, path in results(wanted).items()}

    checkout = fresh.copy(tmp_path / "without room")
    shutil.copy2(SETTINGS, checkout.folder / "tiny.yaml")
    disk = checkout.folder / "results"
    disk.mkdir()
    for size in SIZES:
        small_disk(disk, size)
        said = checkout.snakemake("--cores", "2", "--rerun-incomplete", fails=True)
        assert "can't be written (No space left on device); make room and run again" in said
        assert "Traceback" not in said
        for name, path in results(checkout).items():
            assert not path.name.startswith("."), "a temporary file was left behind"
            assert path.read_bytes() == whole[name], name
        tally("a disk that is full in a run")
    small_disk(disk, "256m")
    checkout.snakemake("--cores", "2", "--rerun-incomplete")
    assert {name: path.read_bytes() for name, path in results(checkout).items()} == whole
