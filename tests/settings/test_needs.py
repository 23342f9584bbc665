"""What jobs ask for grows with the corpus, with the work and with every attempt."""

import itertools
from pathlib import Path

import pytest

from emonas.settings.load import check_settings
from emonas.settings.needs import BRIEF, LONGEST, START, Needs
from emonas.settings.partitions import Partition
from emonas.settings.plan import Plan
from emonas.storage.manifest import Utterance, write_manifest

CPU = Partition()
CARDS = Partition(cards=True)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def needs(document, partition=CPU, **runtime):
    document["corpora"]["own"]["root"] = "."
    document["runtime"] = runtime
    return Needs(Plan(check_settings(document)), lambda rule: partition)


def utterances(count, seconds):
    return [
        Utterance(
            f"u{i}", f"u{i}.wav", "spoken", "en", "anna", "", "", "", "", "sad", seconds, 16000, ""
        )
        for i in range(count)
    ]


def read_corpus(count, seconds=4.0):
    path = Path("results/corpora/spoken/manifest.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(path, utterances(count, seconds))


TRAIN = {"protocol": "loso", "system": "gru", "seed": "0", "fold": "a"}
SEARCH = {"protocol": "loso", "system": "cnn", "seed": "0", "fold": "a"}


def test_nothing_needs_to_be_read_yet(document):
    need = needs(document).need("train", **TRAIN)
    assert need.memory > 0
    assert need.minutes > 0
    assert need.cards == 0


def test_every_rule_of_the_workflow_has_its_needs(document):
    counted = needs(document)
    names = {**TRAIN, "corpus": "spoken", "feature": "fbank"}
    for rule, keys in {
        "checkpoint": [],
        "corpora": ["corpus"],
        "protocols": ["protocol"],
        "fold": ["protocol"],
        "transfer": ["protocol", "corpus"],
        "audit": ["protocol"],
        "features": ["corpus", "feature"],
        "train": ["protocol", "system"],
        "train_transfer": ["protocol", "system", "corpus"],
        "evaluate": ["protocol", "system"],
        "compare": ["protocol"],
        "differences": ["protocol"],
        "report": [],
    }.items():
        need = counted.need(rule, **{key: names[key] for key in keys})
        assert need.memory >= 1000, rule
        assert need.minutes >= 10, rule
    for rule in ("fuse", "fuse_transfer"):
        assert counted.need(rule, protocol="loso", system="both", corpus="own").minutes >= 10


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("corpora", {"corpus": "spoken"}),
        ("features", {"corpus": "spoken", "feature": "fbank"}),
        ("train", TRAIN),
        ("search", SEARCH),
        ("search", {**SEARCH, "system": "rnn"}),
        ("fuse", {**SEARCH, "system": "both"}),
        ("audit", {"protocol": "loso"}),
    ],
)
def test_a_larger_corpus_takes_longer(document, rule, names):
    counted = needs(document)
    read_corpus(50)
    small = counted.need(rule, **names)
    read_corpus(20000)
    large = counted.need(rule, **names)
    assert large.minutes > small.minutes
    assert large.memory >= small.memory


def test_longer_utterances_take_longer_and_more_memory(document):
    counted = needs(document)
    read_corpus(2000, seconds=2.0)
    short = counted.need("train", **TRAIN)
    read_corpus(2000, seconds=20.0)
    long = counted.need("train", **TRAIN)
    assert long.minutes > 5 * short.minutes
    assert long.memory > short.memory


def test_more_epochs_cells_and_candidates_take_longer(document):
    read_corpus(2000)
    before = needs(document)
    few = {name: before.need("search", **{**SEARCH, "system": name}) for name in ("cnn", "rnn")}
    document["systems"]["cnn"]["search"] |= {"channels": 8, "batch": 128}
    document["systems"]["rnn"]["search"] |= {"random": 40}
    after = needs(document)
    many = {name: after.need("search", **{**SEARCH, "system": name}) for name in ("cnn", "rnn")}
    assert many["cnn"].minutes > few["cnn"].minutes
    assert many["cnn"].memory > few["cnn"].memory
    assert many["rnn"].minutes > 2 * few["rnn"].minutes


def test_every_attempt_asks_for_twice_as_much(document):
    read_corpus(100)
    counted = needs(document)
    asked = [counted.need("train", attempt, **TRAIN) for attempt in (1, 2, 3)]
    for before, after in itertools.pairwise(asked):
        assert after.memory == pytest.approx(2 * before.memory, abs=1)
        assert after.minutes == pytest.approx(2 * before.minutes, abs=1)


def test_nobody_asks_for_more_than_the_partition_has(document):
    read_corpus(20000)
    counted = needs(document, Partition(minutes=120, memory=3000))
    need = counted.need("search", 4, **SEARCH)
    assert (need.minutes, need.memory) == (120, 3000)
    assert needs(document).need("search", 20, **SEARCH).minutes == LONGEST


def test_cards_are_for_what_they_serve(document):
    read_corpus(2000)
    counted = needs(document, CARDS)
    assert counted.need("train", **TRAIN).cards == 1
    assert counted.need("search", **SEARCH).cards == 1
    assert counted.need("train", protocol="loso", system="linear").cards == 0
    assert counted.need("fuse", protocol="loso", system="both").cards == 0
    assert counted.need("features", corpus="spoken", feature="fbank").cards == 0
    assert counted.need("audit", protocol="loso").cards == 0


def test_a_fusion_that_trains_its_streams_on_has_a_card(document):
    document["systems"]["both"]["joint"] = True
    assert needs(document, CARDS).need("fuse", protocol="loso", system="both").cards == 1


def test_a_search_by_chance_has_no_card(document):
    document["systems"]["cnn"]["search"] = {"method": "random"}
    assert needs(document, CARDS).need("search", **SEARCH).cards == 0


def test_with_cpu_nothing_has_a_card_and_with_cuda_all_that_learns(document):
    linear = {"protocol": "loso", "system": "linear"}
    assert needs(document, CARDS, device="cpu").need("train", **TRAIN).cards == 0
    assert needs(document, CARDS, device="cuda").need("train", **linear).cards == 1


def test_a_card_shortens_what_it_serves(document):
    read_corpus(5000)
    slow, fast = (needs(document, part).need("search", **SEARCH) for part in (CPU, CARDS))
    assert fast.minutes < slow.minutes / 5


def test_small_jobs_are_brief_and_long_ones_are_not(document):
    read_corpus(2000)
    counted = needs(document)
    assert counted.is_brief("train", protocol="loso", system="linear")
    assert counted.is_brief("fold", protocol="loso", fold="a")
    assert not counted.is_brief("train", **TRAIN)
    assert counted.need("train", **TRAIN).minutes > BRIEF


def test_a_search_within_a_budget_asks_for_more_time_than_the_one_that_pays(document):
    rival = {"method": "random-search", "budget": "rnn"}
    document["systems"]["drawn"] = {**document["systems"]["rnn"], "search": rival}
    document["runs"][0]["systems"].append("drawn")
    found = needs(document)
    one, other = (found.need("search", protocol="loso", system=name) for name in ("rnn", "drawn"))
    assert other.memory == one.memory
    assert other.minutes - START == pytest.approx(4 * (one.minutes - START), abs=4)
