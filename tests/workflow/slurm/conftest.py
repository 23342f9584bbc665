"""One SLURM for all tests, and checkouts whose jobs run in it through the profile."""

import importlib.util
from collections.abc import Iterator

import pytest
from slurm_cluster import Cluster, running_cluster
from slurm_requirements import missing
from submitting import Submitting


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM of two nodes; where none can be started the test is skipped, with the reason."""
    reasons = list(missing())
    if reasons:
        pytest.skip("; ".join(reasons))
    # It is in the lock: an environment without it is broken.
    assert importlib.util.find_spec("snakemake_executor_plugin_slurm") is not None
    with running_cluster(tmp_path_factory.mktemp("slurm") / "cluster") as started:
        yield started


@pytest.fixture
def submitting(fresh, cluster, tmp_path) -> Submitting:
    """The tiny settings, of which nothing has run."""
    return Submitting(fresh.copy(tmp_path / "on a cluster"), cluster)
