"""Searches that end in genotypes with nothing to learn in them."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emonas.learning.options import RuntimeOptions
from emonas.search.job import SearchFiles, SearchJob, SearchOutputs, search_architecture
from emonas.search.methods import darts
from emonas.search.named_recipes import CELL_NAMES, named_recipe
from emonas.storage.degenerate import degenerate
from emonas.storage.features import FeatureFacts, write_features
from emonas.storage.folds import write_part
from emonas.storage.genotype import CellsGenotype, Edge, RecipeNode, RecurrentGenotype
from emonas.systems.kinds.cells import Options as CellsOptions

NODE = RecipeNode
SKIPPING = darts.Options(
    channels=2,
    cells=3,
    nodes=1,
    epochs=2,
    batch=8,
    learning_rate=1e-6,
    final_learning_rate=0,
    alpha_learning_rate=3.0,
)
"""Weights that learn nothing, and alphas whose first large steps decide for an operation."""


def job(folder: Path, seed: int) -> SearchJob:
    """Images of noise, one class with stripes in them."""
    generator = np.random.default_rng(seed)
    labels = np.arange(60) % 2
    names = [f"u{row:02d}" for row in range(60)]
    with write_features(folder / "f.h5", FeatureFacts("spectrogram", {}, 0.0)) as writer:
        for name, label in zip(names, labels, strict=True):
            image = 0.3 * generator.standard_normal((10, 8)).astype(np.float32)
            image[:, ::2] += 2 * label
            writer.append(name, image)
    table = pd.DataFrame({"utterance": names, "corpus": "toy", "domain": ""})
    table["label"] = [("angry", "sad")[label] for label in labels]
    write_part(folder / "train.csv", table[:40])
    write_part(folder / "validation.csv", table[40:])
    return SearchJob(
        name=f"demo/cnn/seed{seed}/fold0",
        system=CellsOptions(inputs=("f",)),
        search=SKIPPING,
        seed=seed,
        files=SearchFiles(
            {"f": {"toy": folder / "f.h5"}}, folder / "train.csv", folder / "validation.csv"
        ),
        runtime=RuntimeOptions(device="cpu"),
        resume=folder / "resume",
        code="",
    )


@pytest.mark.fault
def test_a_search_that_ends_in_skips_writes_its_genotype_and_says_so(tmp_path, caplog, tally):
    caplog.set_level(logging.INFO, logger="emonas")
    only_skips = 0
    for seed in range(6):
        folder = tmp_path / str(seed)
        names = ("genotype.json", "history.csv", "cost.csv", "weights.safetensors")
        caplog.clear()
        search_architecture(job(folder, seed), SearchOutputs(*(folder / name for name in names)))
        found = json.loads((folder / "genotype.json").read_text())
        for cell in ("normal", "reduction"):
            skips = {edge["operation"] for edge in found[cell]} == {"skip_connect"}
            only_skips += skips
            line = f"degenerate genotype: the {cell} cell has only skip connections"
            assert (line in caplog.text) == skips
            tally("a search by DARTS whose cell is all skip connections", int(skips))
    assert only_skips


def cells(normal: tuple[str, str], reduction: tuple[str, str]) -> CellsGenotype:
    def edges(operations):
        return tuple(
            Edge(node=0, source=source, operation=name) for source, name in enumerate(operations)
        )

    return CellsGenotype(
        method="darts",
        channels=2,
        cells=3,
        nodes=1,
        normal=edges(normal),
        reduction=edges(reduction),
    )


def test_what_is_degenerate_in_cells():
    skips, pools = ("skip_connect",) * 2, ("skip_connect", "max_pool_3x3")
    sound = ("skip_connect", "sep_conv_3x3")
    assert degenerate(cells(sound, sound)) == []
    assert degenerate(cells(skips, pools)) == [
        "the normal cell has only skip connections",
        "no convolution in the reduction cell, only skips and pooling",
    ]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"h_new_0": NODE(op="activation_tanh", input=("h_prev_0",))}, ["no frame", "is zero"]),
        ({"h_new_0": NODE(op="linear", input=("x",))}, ["no old state"]),
        ({"h_new_0": NODE(op="elementwise_prod", input=("x", "h_prev_0"))}, ["is zero"]),
        ({"h_new_0": NODE(op="linear", input=("x", "h_prev_0"))}, []),
    ],
)
def test_what_is_degenerate_in_recurrent_cells(recipe, said):
    found = degenerate(RecurrentGenotype(method="cells", name="a", recipe=recipe))
    assert len(found) == len(said)
    assert all(words in clause for words, clause in zip(said, found, strict=True))


def test_the_cells_that_have_names_are_sound():
    for name in CELL_NAMES:
        found = RecurrentGenotype(method="cells", name=name, recipe=named_recipe(name))
        assert degenerate(found) == []
