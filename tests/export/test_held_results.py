"""Files of a bundle that the bundle of such a run would not have."""

import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.export.held import Verified
from emonas.export.held_results import results_held
from emonas.export.mishaps import AGAIN, STRIPPED, computed, guarded
from emonas.report.plan import ProtocolCard, ReportPlan, RunCard, SystemCard
from emonas.storage.folds import PARTS, write_index, write_part

PLAN = ReportPlan(
    title="",
    settings_file="",
    command="",
    corpora={},
    protocols={
        name: ProtocolCard(corpora=["talk"], test="speaker", validation="speaker")
        for name in ("one", "other")
    },
    systems={"linear": SystemCard(network="linear")},
    runs=[RunCard(protocol=name, systems=["linear"], seeds=[0]) for name in ("one", "other")],
)
COST = "train/one/linear/seed0/a/cost.csv"
COLUMNS = "epoch,seconds,memory,architectures,macs\n"


@pytest.fixture
def bundle(tmp_path):
    """An unpacked bundle of two protocols of one fold."""
    results = tmp_path / "bundle" / "results"
    index = {"fold": ["a"], "held_out": "s", **dict.fromkeys(PARTS, 1)}
    rows = pd.DataFrame({"utterance": ["u"], "corpus": "talk", "label": "sad", "domain": ""})
    for protocol in ("one", "other"):
        write_index(results / "protocols" / protocol / "folds.csv", pd.DataFrame(index))
        for part in PARTS:
            write_part(results / "protocols" / protocol / "a" / f"{part}.csv", rows)
    (results / COST).parent.mkdir(parents=True)
    (results / COST).write_text(f"{COLUMNS}1,2,3,4,5\n")
    return tmp_path / "bundle"


def wrong(bundle):
    return [sentence for found in results_held(PLAN, bundle) for sentence in found.wrong]


def test_what_a_run_left_is_of_its_bundle(bundle):
    assert wrong(bundle) == []


def test_files_are_named_whatever_else_a_forger_adds(bundle):
    """A folder like the one in which results are stripped hides nothing; a digest stands only where
    one is written.
    """
    (bundle / STRIPPED).mkdir()
    for name in (f"{STRIPPED}/speech.wav", "results/speech.wav", f"results/{COST}.sha256"):
        (bundle / name).write_text("a secret sentence")
    assert wrong(bundle) == [
        "results/speech.wav: is of no bundle",
        f"results/{COST}.sha256: is of no bundle",
    ]


def test_a_damaged_file_hides_no_other(bundle):
    """Of the protocol whose folds can't be read nothing is told; all others are."""
    folds = "results/protocols/other/folds.csv"
    (bundle / folds).write_text("none")
    (bundle / "results/protocols/one/a/test.csv.sha256").write_text("none")
    (bundle / "results" / COST).write_text(f"{COLUMNS}1,2,3,4,secret\n")
    (bundle / "results/train/other").mkdir()
    (bundle / "results/train/other/x").write_text("")
    damaged, *rest = wrong(bundle)
    assert damaged.startswith(f"{folds}: its bytes are not those that were written")
    assert rest[0].startswith("results/protocols/one/a/test.csv: its bytes are not those")
    assert rest[1:] == [f"results/{COST}: holds what is left out of a bundle"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EmonasError("{folder}/results/a.csv: no such file"), "results/a.csv: no such file"),
        (EmonasError("{again}/evaluate/a: is none"), "results/evaluate/a: is none"),
        (KeyError("label_x"), "report: can't be held (KeyError: 'label_x')"),
        (
            OSError("{folder}/plan.json is none"),
            "report: can't be held (OSError: plan.json is none)",
        ),
        (ZeroDivisionError("by zero"), "report: can't be held (ZeroDivisionError: by zero)"),
    ],
)
def test_what_stops_one_part_is_told_beside_what_it_found(tmp_path, error, said):
    places = {"folder": tmp_path / "bundle", "again": computed(tmp_path / "bundle", AGAIN)}

    def held():
        yield Verified(3, ["a"])
        raise type(error)(str(error.args[0]).format(**places))

    found = Verified(0, [])
    for each in guarded(held(), tmp_path / "bundle", "report"):
        found = found.joined(each)
    assert found == Verified(3, ["a", said])
