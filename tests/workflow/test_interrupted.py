"""A search that is killed goes on where it stopped, and finds the same."""

import time

FOLDER = "results/search/tiny/cnn/seed0/group1"
PATIENCE = 60


def test_a_killed_search_gives_the_same_bytes(finished, changed):
    undisturbed = (finished.folder / FOLDER / "genotype.json").read_bytes()
    for file in (changed.folder / FOLDER).iterdir():
        file.unlink()
    target = f"{FOLDER}/genotype.json"
    process = changed.begin("--cores", "1", target)
    begun = time.monotonic()
    while not list((changed.folder / "results/resume/search").glob("*/state.pt")):
        assert process.poll() is None, "the search ended before it was killed"
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.005)
    changed.kill(process)
    assert not (changed.folder / target).exists()

    changed.snakemake("--unlock")
    changed.snakemake("--cores", "1", "--rerun-incomplete", target)
    assert (changed.folder / target).read_bytes() == undisturbed
    log = (changed.folder / "results/logs/search/tiny/cnn-seed0-group1.log").read_text()
    assert "1 of 6" not in log, "it went on, and did not begin anew"
    assert "6 of 6" in log
    assert list((changed.folder / "results/resume/search").iterdir()) == []
