"""A small tree of results: two protocols, four systems, both kinds of genotype."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emonas.report.job import write_report
from emonas.report.options import RowOptions, TableOptions
from emonas.report.plan import (
    CheckpointCard,
    CorpusCard,
    FeatureCard,
    ProtocolCard,
    ReportPlan,
    RunCard,
    Skipped,
    SystemCard,
    TranscriptCard,
)
from emonas.storage.audit import Audit, Crossing, PartCounts, Shared, write_audit_file
from emonas.storage.comparisons import Comparisons, Difference, Pair, write_comparisons
from emonas.storage.cost import EpochCost, write_epoch_costs
from emonas.storage.folds import write_index
from emonas.storage.genotype import (
    CellsGenotype,
    Edge,
    RecipeNode,
    RecurrentGenotype,
    write_genotype,
)
from emonas.storage.manifest import Problem, write_problems
from emonas.storage.metrics import Figure, FoldScore, Metrics, Parameters, write_metrics
from emonas.storage.recognition import Recognition, write_recognition
from emonas.storage.tables import write_rows

FOLDS = ("s01", "s02", "s03")
SEEDS = (0, 1)
LABELS = ["anger", "happiness", "neutral", "sadness"]
SKIPPED_REASON = "corpora.iemocap has no root; give it one, or set EMONAS_DATA"
UA = {"cnn-c6l3": 0.573, "rnn": 0.662, "emotionnas": 0.691, "linear": 0.601}
NETWORKS = ("cnn-c6l3", "rnn", "linear")
# As long as addresses of weights are, which have no place to break.
ADDRESS = f"https://example.org/a?b&c/{64 * '0'}/{64 * 'f'}.pt"


def cells(degenerate: bool = False) -> CellsGenotype:
    """A genotype of four nodes with two edges each."""
    names = ["skip_connect", "max_pool_3x3"] if degenerate else ["sep_conv_3x3", "dil_conv_5x5"]
    edges = tuple(
        Edge(node=node, source=source, operation=names[place])
        for node in range(4)
        for place, source in enumerate((node, node + 1))
    )
    normal = cells().normal if degenerate else edges
    return CellsGenotype(
        method="darts", channels=6, cells=3, nodes=4, normal=normal, reduction=edges
    )


def recurrent() -> RecurrentGenotype:
    """A cell with two hidden states."""
    recipe = {
        "a": RecipeNode(op="linear", input=("x", "h_prev_0", "h_prev_1")),
        "gate": RecipeNode(op="activation_sigm", input=("a",)),
        "b": RecipeNode(op="elementwise_prod", input=("gate", "h_prev_1")),
        "h_new_0": RecipeNode(op="blend", input=("gate", "a", "h_prev_0")),
        "h_new_1": RecipeNode(op="activation_leaky_relu", input=("b",)),
    }
    return RecurrentGenotype(method="cells", name="model_17", recipe=recipe)


def _metrics(protocol: str, system: str) -> Metrics:
    draw = np.random.default_rng(len(system))
    folds = [
        FoldScore(
            fold=fold,
            seed=seed,
            ua=float(np.clip(UA[system] + draw.normal(0, 0.05), 0, 1)),
            wa=float(np.clip(UA[system] + draw.normal(0.02, 0.05), 0, 1)),
            utterances=40,
            classes=4,
        )
        for fold in FOLDS
        for seed in SEEDS
    ]
    confusion = np.random.default_rng(1).integers(2, 9, (4, 4)) + np.diag([40, 30, 55, 38])
    return Metrics(
        protocol=protocol,
        system=system,
        seeds=len(SEEDS),
        pooled=True,
        ua=Figure(mean=UA[system], std=0.012, folds_mean=0.61, folds_std=0.043),
        wa=Figure(mean=UA[system] + 0.031, std=0.009, folds_mean=0.63, folds_std=0.039),
        folds=folds,
        confusion=confusion.tolist(),
        labels=LABELS,
        parameters=Parameters(
            search=132_300 if system == "cnn-c6l3" else None, derived=98_765 + len(system)
        ),
        macs=1_234_567,
    )


def _audit(protocol: str) -> Audit:
    parts = {"train": (80, 1), "validation": (40, 1), "test": (40, 1)}
    folds = {
        fold: {
            part: PartCounts(
                utterances=total,
                labels=dict.fromkeys(LABELS, total // 4),
                speakers={f"{fold}-{part}": total},
            )
            for part, (total, _) in parts.items()
        }
        for fold in FOLDS
    }
    texts = Shared(name="a_01 & <b>", counts=(4, 2), examples=(("u1",), ("u2",)))
    crossing = Crossing(
        fold="s01", kind="text", parts=("train", "test"), because="allow", shared=(texts,)
    )
    return Audit(
        protocol=protocol,
        statement="One speaker is tested in turn. Another speaker validates.",
        options={"test": "speaker"},
        labels=tuple(LABELS),
        speaker_dependent=False,
        speaker_dependent_validation=False,
        pooled=True,
        folds=folds,
        crossings=(crossing,),
        warnings=("s02: the test part has no sadness.",),
        problems=(),
    )


def recognition(without_text: int = 0) -> Recognition:
    """Rates whose words sum up."""
    return Recognition(
        wer=0.1643,
        cer=0.0625,
        substitutions=800,
        deletions=500,
        insertions=343,
        words=10_000,
        characters=50_000,
        utterances=535,
        without_text=without_text,
        normalisation="case folded & <plain>",
    )


def _write_search(folder: Path, system: str, fold: str) -> None:
    draw = np.random.default_rng(3)
    if system == "cnn-c6l3":
        write_genotype(folder / "genotype.json", cells(degenerate=fold == "s03"))
        rows = [
            {
                "epoch": epoch,
                "train_loss": 1.4 - 0.02 * epoch,
                "validation_loss": 1.4 - 0.01 * epoch + draw.normal(0, 0.02),
                "validation_ua": 0.25 + 0.01 * epoch,
                **{
                    f"alpha_{cell}_{edge}_{operation}": weight * epoch / 20
                    for cell in ("normal", "reduction")
                    for edge in (0, 1)
                    for operation, weight in (("skip_connect", 1.0), ("sep_conv_3x3", 0.4))
                },
            }
            for epoch in range(1, 21)
        ]
    else:
        write_genotype(folder / "genotype.json", recurrent())
        rows = [
            {
                "candidate": candidate,
                "status": "diverged" if (candidate, epoch) == ("1000019", 3) else "ok",
                "round": 1,
                "epoch": epoch,
                "train_loss": 1.2,
                "validation_loss": 1.4 - 0.03 * epoch * number,
                "validation_ua": 0.3 + 0.02 * epoch * number,
            }
            for number, candidate in enumerate(("1000017", "1000018", "1000019"), 1)
            for epoch in (1, 2, 3)
        ]
    write_rows(folder / "history.csv", rows)
    costs = [EpochCost(epoch, 2.5, 812.0, 1) for epoch in range(1, 21)]
    write_epoch_costs(folder / "cost.csv", costs)


def _write_training(folder: Path) -> None:
    draw = np.random.default_rng(5)
    rows = [
        {
            "epoch": epoch,
            "train_loss": 1.3 / epoch,
            "validation_loss": 0.9 + 0.4 / epoch + draw.normal(0, 0.02),
            "validation_ua": 0.7 - 0.4 / epoch,
            "validation_wa": 0.7 - 0.3 / epoch,
            "learning_rate": 0.001,
        }
        for epoch in range(1, 31)
    ]
    write_rows(folder / "history.csv", rows)
    write_epoch_costs(folder / "cost.csv", [EpochCost(epoch, 0.8, 640.0) for epoch in range(30)])


def _comparisons(protocol: str) -> Comparisons:
    """Two pairs: in one the systems differ; emotionnas is in none."""

    def pair(first: str, second: str, p: float) -> Pair:
        ua, wa = (Difference(difference=UA[first] - UA[second], p=p / 2, adjusted=p) for _ in "uw")
        return Pair(first=first, second=second, ua=ua, wa=wa, speakers=3)

    return Comparisons(
        protocol=protocol,
        pairs=[pair("cnn-c6l3", "linear", 0.25), pair("linear", "rnn", 0.0312)],
        left_out={"emotionnas": "its test utterances are others"},
    )


def _write_results(results: Path, protocol: str) -> None:
    index = [
        {"fold": fold, "held_out": fold, "train": 80, "validation": 40, "test": 40}
        for fold in FOLDS
    ]
    write_index(results / "protocols" / protocol / "folds.csv", pd.DataFrame(index))
    write_audit_file(results / "protocols" / protocol / "audit.json", _audit(protocol))
    compared = results / "evaluate" / protocol / "comparisons.json"
    write_comparisons(compared, _comparisons(protocol))
    for system in UA:
        path = results / "evaluate" / protocol / system / "metrics.json"
        write_metrics(path, _metrics(protocol, system))
        stage = "train" if system in NETWORKS else "fuse"
        for seed in SEEDS:
            for fold in FOLDS:
                key = Path(protocol) / system / f"seed{seed}" / fold
                _write_training(results / stage / key)
                # The search of rnn is shared: it stands in the first fold.
                if system == "cnn-c6l3" or (system == "rnn" and fold == FOLDS[0]):
                    _write_search(results / "search" / key, system, fold)


def _plan() -> ReportPlan:
    published = {"ua": 0.662, "wa": "not in our copy", "parameters": 730_000}
    tables = {
        "table4": TableOptions(
            title="Importance of each branch",
            source="EmotionNAS v2, table 4",
            columns=("ua", "wa", "parameters"),
            rows={
                "wav2vec branch": RowOptions(system="rnn", published=published),
                "100% & more_": RowOptions(system="cnn-c6l3", protocol="toy", published=published),
                "PCNSE-SADRN-CTC": RowOptions(published={"ua": 0.663, "wa": 0.731}),
                "IEMOCAP": RowOptions(system="rnn", protocol="iem", published=published),
            },
            protocol="emodb-loso",
            notes=("The published counts are those of the search network.",),
        )
    }
    card = ProtocolCard(
        corpora=["emodb"],
        test="speaker",
        validation="speaker",
        allow=["text"],
        options={"limit": 9},
    )
    return ReportPlan(
        title="A first look <at> speech emotion",
        settings_file="workflow/examples/first look.yaml",
        command="snakemake --cores 2 --configfile 'workflow/examples/first look.yaml'",
        corpora={
            "emodb": CorpusCard(reader="emodb"),
            "toy": CorpusCard(reader="synthetic", synthetic=True),
        },
        protocols={
            "emodb-loso": card,
            "toy": card.model_copy(update={"corpora": ["toy"], "speaker_dependent": True}),
        },
        systems={
            "cnn-c6l3": SystemCard(network="cells", inputs=["spectrogram"], search="darts"),
            "rnn": SystemCard(
                network="recurrent", inputs=["wav2vec"], search="cells", shared_search=True
            ),
            "emotionnas": SystemCard(
                kind="fusion", streams=["cnn-c6l3", "rnn"], options={"method": "ism"}
            ),
            "linear": SystemCard(network="linear", inputs=["spectrogram", "wav2vec"]),
        },
        runs=[
            RunCard(protocol="emodb-loso", systems=list(UA), seeds=list(SEEDS)),
            RunCard(protocol="toy", systems=list(UA), seeds=list(SEEDS)),
        ],
        skipped=[Skipped(protocol="iem", systems=["cnn-c6l3", "rnn"], reason=SKIPPED_REASON)],
        tables=tables,
        checkpoints={
            "wav2vec-large": CheckpointCard(
                licence="MIT", source=ADDRESS, pretrained_on=["EMO-DB", "Libri"]
            ),
            "whisper-tiny": CheckpointCard(licence="MIT"),
            "heard-by-none": CheckpointCard(pretrained_on=["emodb"]),
        },
        features={
            "spectrogram": FeatureCard(extractor="spectrogram"),
            "wav2vec": FeatureCard(extractor="wav2vec", checkpoint="wav2vec-large"),
        },
        transcripts={"heard": TranscriptCard(recogniser="whisper", checkpoint="whisper-tiny")},
        recognition=[("emodb", "heard"), ("toy", "heard")],
    )


@pytest.fixture(scope="session")
def report_folder(plan: ReportPlan, results: Path) -> Path:
    """The whole report of them."""
    folder = results.with_name("written report")
    write_report(plan, results, folder)
    return folder


@pytest.fixture(scope="session")
def plan() -> ReportPlan:
    return _plan()


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a run") / "results"
    for protocol in ("emodb-loso", "toy"):
        _write_results(folder, protocol)
    write_problems(folder / "corpora" / "emodb" / "problems.csv", [])
    for number, corpus in enumerate(("emodb", "toy")):
        path = folder / "recognition" / corpus / "heard.json"
        write_recognition(path, recognition(number))
    problem = Problem("wav/<script>alert('x')</script> & ä.wav", 'no "RIFF" header | <b>')
    write_problems(folder / "corpora" / "toy" / "problems.csv", [problem])
    return folder
