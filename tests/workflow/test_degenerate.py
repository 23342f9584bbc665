"""A search that ends in skips and pools alone is told, and the run goes on to its end."""

import json
import re

import pytest

CELLS = ("normal", "reduction")


@pytest.mark.fault
@pytest.mark.long
def test_the_report_names_and_counts_degenerate_genotypes(changed, tally):
    def collapse(settings):
        settings["systems"]["cnn"]["search"] |= {
            "nodes": 1,
            "epochs": 1,
            "learning_rate": 1e-6,
            "final_learning_rate": 0,
            "alpha_learning_rate": 3.0,
        }
        settings["runs"] = [{"protocol": "tiny", "systems": ["cnn"], "seeds": 4}]
        settings["tables"] = {}

    changed.rewrite(collapse)
    changed.snakemake("--cores", "2")
    results = changed.folder / "results"
    page = " ".join((results / "report/index.html").read_text().split())
    found = sorted((results / "search/tiny/cnn").glob("seed*/*/genotype.json"))
    assert len(found) == 8
    collapsed = []
    for path in found:
        genotype = json.loads(path.read_text())
        fold, seed = path.parent.name, path.parents[1].name
        operations = [{edge["operation"] for edge in genotype[cell]} for cell in CELLS]
        bad = [cell for cell, names in zip(CELLS, operations, strict=True) if not convolves(names)]
        log = (results / f"logs/search/tiny/cnn-{seed}-{fold}.log").read_text()
        assert ("degenerate genotype" in log) == bool(bad)
        for cell in bad:
            assert f"{cell} cell" in log
            where = f"seed {seed.removeprefix('seed')} fold {fold}"
            assert re.search(rf"Degenerate genotype \([^)]*{where}[^)]*\): [^.]*{cell} cell", page)
        if bad:
            collapsed.append(path)
            tally("a search by DARTS without a convolution in a cell, through Snakemake")
        # Trained and tested all the same.
        assert (results / "train/tiny/cnn" / seed / fold / "predictions.h5").exists()
    assert collapsed
    verb = "is" if len(collapsed) == 1 else "are"
    wanted = f"Degenerate: {len(collapsed)} of 8 genotypes that were found for cnn {verb}."
    assert page.count(wanted) == 1


def convolves(operations):
    return any("conv" in name for name in operations)
