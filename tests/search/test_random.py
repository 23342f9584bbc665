from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.learning.options import RuntimeOptions
from emonas.learning.resume import ResumePoint
from emonas.networks.derived_cells import DerivedNetwork
from emonas.search.job import SearchJob, SearchOutputs, search_architecture
from emonas.search.methods import random
from emonas.search.outcome import SearchTask
from emonas.storage.genotype import CellsGenotype, RecurrentGenotype, read_genotype
from emonas.storage.weights import read_weights
from emonas.systems.kinds.cells import Options as CellsOptions
from emonas.systems.kinds.recurrent import Options as RecurrentOptions
from emonas.systems.kinds.resnet import Options as ResNetOptions
from emonas.systems.options import TrainedOptions

CELLS = CellsOptions(inputs=("spectrogram",))


def task(system: TrainedOptions, seed: int = 0, name: str = "demo/fold0") -> SearchTask:
    return SearchTask(system, seed, torch.device("cpu"), ResumePoint(), name)


def draw(seed: int = 0, name: str = "demo/fold0") -> CellsGenotype:
    return random.search(random.Options(), task(CELLS, seed, name)).genotype


def test_the_draw_depends_on_seed_and_name_only() -> None:
    assert draw() == draw()
    assert draw() != draw(seed=1)
    assert draw() != draw(name="demo/fold1")
    outcome = random.search(random.Options(), task(CELLS))
    assert (outcome.weights, outcome.history) == ({}, [])
    assert [(cost.epoch, cost.architectures) for cost in outcome.costs] == [(1, 0)]


def test_cells_are_drawn_uniformly_with_two_sources_a_node() -> None:
    operations: Counter[str] = Counter()
    pairs: Counter[tuple[int, ...]] = Counter()
    for seed in range(300):
        genotype = draw(seed)
        DerivedNetwork(genotype, classes=2)
        for cell in (genotype.normal, genotype.reduction):
            operations.update(edge.operation for edge in cell)
            for node in range(4):
                sources = tuple(edge.source for edge in cell if edge.node == node)
                assert len(set(sources)) == 2
                pairs[node, *sources] += 1
    assert len(operations) == 7
    assert "none" not in operations
    # 4800 draws over 7 operations, 600 over the pairs of a node: five standard deviations.
    assert all(abs(count - 4800 / 7) < 5 * (4800 / 7) ** 0.5 for count in operations.values())
    assert len(pairs) == 1 + 3 + 6 + 10
    assert all(abs(count - 60) < 5 * 60**0.5 for key, count in pairs.items() if key[0] == 3)


def test_recurrent_systems_get_a_recipe_and_others_a_refusal() -> None:
    recurrent = RecurrentOptions(inputs=("wav2vec",))
    drawn = [random.search(random.Options(), task(recurrent, s)).genotype for s in (0, 0, 1)]
    assert all(isinstance(genotype, RecurrentGenotype) for genotype in drawn)
    assert drawn[0] == drawn[1] != drawn[2]
    with pytest.raises(EmonasError, match=r"search\.method: random"):
        random.search(random.Options(), task(ResNetOptions(inputs=("fbank",))))


def test_a_random_architecture_is_always_trained() -> None:
    with pytest.raises(ValidationError, match="leave retrain true"):
        random.Options(retrain=False)


def test_the_job_writes_all_four_files_without_any_utterance(tmp_path: Path) -> None:
    files = ("genotype.json", "history.csv", "cost.csv", "weights.safetensors")
    job = SearchJob(
        name="demo/random/seed0/fold0",
        system=CELLS,
        search=random.Options(),
        seed=0,
        files=None,
        runtime=RuntimeOptions(device="cpu"),
        resume=tmp_path / "resume",
        code="abc",
    )
    search_architecture(job, SearchOutputs(*(tmp_path / "out" / file for file in files)))
    assert read_genotype(tmp_path / "out" / files[0]) == draw(name=job.name)
    assert list(pd.read_csv(tmp_path / "out" / files[1]).columns) == ["epoch"]
    assert len(pd.read_csv(tmp_path / "out" / files[2])) == 1
    assert read_weights(tmp_path / "out" / files[3]) == {}
