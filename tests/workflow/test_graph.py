"""What a search can see: never whom it will be tested on."""

import pytest

BY_CHANCE = ("shared", "chance")
"""Systems whose search draws an architecture: no utterance has a say."""


@pytest.fixture(scope="module")
def made(finished):
    """Each file's job, from what the run announced."""
    return {path: job for job in finished.announced(finished.said) for path in job.outputs}


def searches(made):
    return {job.name: job for job in made.values() if job.name.startswith("search ")}


def ancestors(path, made, gates):
    """Every file that a file was made from, without going through gates."""
    found, waiting = set(), [path]
    while waiting:
        job = made.get(waiting.pop())
        new = (job.inputs - found - gates) if job else set()
        found |= new
        waiting += new
    return found


def test_a_search_gets_the_training_and_validation_list_of_its_fold(made):
    found = searches(made)
    assert len(found) == 7
    for name, job in found.items():
        protocol, system, _, fold = name.removeprefix("search ").split("/")
        read = {path for path in job.inputs if path.endswith((".csv", ".h5"))}
        lists = {path for path in read if path.endswith(".csv")}
        folder = f"results/protocols/{protocol}/{fold}"
        if system in BY_CHANCE:
            assert not read
        else:
            assert lists == {f"{folder}/train.csv", f"{folder}/validation.csv"}
            assert read - lists


def test_a_test_list_reaches_a_search_through_the_audit_alone(made):
    audits = {path for path in made if path.endswith("audit.json")}
    assert len(audits) == 3
    for job in searches(made).values():
        behind = {path for file in job.inputs - audits for path in ancestors(file, made, audits)}
        assert not [path for path in (behind | job.inputs) if path.endswith("test.csv")]
        assert job.inputs & audits


def test_the_audit_sees_every_part(made):
    job = made["results/protocols/tiny/audit.json"]
    for fold in ("group1", "group2"):
        for part in ("train", "validation", "test"):
            assert f"results/protocols/tiny/{fold}/{part}.csv" in job.inputs


def test_everything_that_learns_waits_for_the_audit(made):
    for job in made.values():
        if job.name.startswith(("search ", "train ")):
            protocol = job.name.split()[1].split("/")[0]
            assert f"results/protocols/{protocol}/audit.json" in job.inputs


def test_training_gets_the_genotype_of_its_own_fold(made):
    for job in made.values():
        genotypes = {path for path in job.inputs if path.endswith("genotype.json")}
        if job.name.startswith("train tiny/shared"):
            assert genotypes == {"results/search/tiny/shared/seed0/group1/genotype.json"}
        elif job.name.startswith(("train tiny/cnn", "train tiny/rnn")):
            _, system, seed, fold = job.name.removeprefix("train ").split("/")
            assert genotypes == {f"results/search/tiny/{system}/seed{seed}/{fold}/genotype.json"}
