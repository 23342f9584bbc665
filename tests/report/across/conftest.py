"""Results of two corpora, each protocol tested on the other's corpus, and of a synthetic one."""

from pathlib import Path

import pandas as pd
import pytest

from emonas.report.gather import gather
from emonas.report.options import FigureOptions, TableOptions
from emonas.report.own import OwnFigures
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
    Unrecognised,
    Untransferred,
)
from emonas.report.recognition import read_rates
from emonas.storage.audit import Audit, PartCounts, TransferAudit, write_audit_file
from emonas.storage.comparisons import Comparisons, write_comparisons
from emonas.storage.folds import write_index
from emonas.storage.metrics import (
    Figure,
    FoldScore,
    Metrics,
    Parameters,
    Transferred,
    write_metrics,
)
from emonas.storage.recognition import Recognition, write_recognition

LABELS = ["angry", "happy", "sad"]
FOLDS = ("s1", "s2")
UA = {"fb": 0.512, "e2": 0.634, "e6": 0.713, "e12": 0.688, "at": 0.655}
SHIFT = {"iem": 0.0, "msp": -0.05, "toy": 0.2}
TRANSFER = {"iem": ["msp", "toy"], "msp": ["iemocap"], "toy": []}
CORPUS = {"iem": "iemocap", "msp": "msp", "toy": "toy"}
SKIPPED = "no room for e12"
UNTRANSFERRED = "corpora.iemocap has no root here"
UNRECOGNISED = "nobody wrote down what msp says"
MAP = TransferAudit(
    utterances=90,
    speakers=12,
    labels={"angry": 20, "happy": 70},
    map={"angry": "angry", "excited": "happy", "happy": "happy"},
    left_out={"disgust": 11, "fear": 4},
)

TABLE = {
    "title": "Embeddings of blocks",
    "source": "CTA-RNN, table 2",
    "columns": {
        "IEM": {"protocol": "iem"},
        "MSP": {"protocol": "msp"},
        "MSP2IEM": {"protocol": "msp", "transfer": "iemocap"},
        "IEM2MSP": {"protocol": "iem", "transfer": "msp"},
        "weights": {"protocol": "iem", "metric": "parameters"},
    },
    "rows": {
        "E(2)": {"system": "e2", "published": {"IEM": 0.662, "MSP2IEM": 0.48, "weights": 900_000}},
        "E(12)": {"system": "e12", "published": {"MSP": 0.575}},
        "Feng": {"published": {"IEM": 0.697}},
    },
}
RECOGNISERS = {
    "columns": {
        f"{corpus} {metric.upper()}": {"corpus": corpus, "metric": metric}
        for corpus in ("iemocap", "msp", "toy")
        for metric in ("wer", "cer")
    },
    "rows": {
        "Librispeech": {
            "transcript": "heard",
            "published": {"iemocap WER": 0.3188, "msp CER": 0.2724, "toy WER": 0.1},
        }
    },
}
FIGURE = {
    "title": "UAR by block",
    "source": "CTA-RNN, figure 2",
    "axis": "block",
    "lines": {"IEM": {"protocol": "iem"}, "MSP2IEM": {"protocol": "msp", "transfer": "iemocap"}},
    "panels": {
        "Librispeech": {
            "points": {12: "e12", 0: "fb", 2: "e2", 6: "e6"},
            "baselines": {"A + T": "at"},
            "published": {"IEM": {2: 0.662, 8: 0.7}, "MSP2IEM": {6: "not in our copy"}},
        },
        "Gigaspeech": {"points": {0: "fb", 6: "e12"}},
    },
    "notes": ["The figure was a picture."],
}


def _figure(mean: float, interval: bool = True) -> Figure:
    bounds = (mean - 0.03, mean + 0.02) if interval else None
    return Figure(mean=mean, std=0.01, folds_mean=mean, folds_std=0.044, interval=bounds)


def _folds(ua: float) -> list[FoldScore]:
    return [
        FoldScore(fold=fold, seed=seed, ua=ua, wa=ua, utterances=9, classes=3)
        for fold in FOLDS
        for seed in (0, 1)
    ]


def _metrics(protocol: str, system: str) -> Metrics:
    ua = UA[system] + SHIFT[protocol]
    there = {
        corpus: Transferred(
            ua=_figure(ua - 0.1 * place),
            wa=_figure(ua - 0.1 * place + 0.015),
            folds=_folds(ua - 0.1 * place),
            # Two classes alone are there, the first a quarter of it.
            confusion=[[5, 5, 0], [10, 15, 5], [0, 0, 0]],
            labels=LABELS,
        )
        for place, corpus in enumerate(TRANSFER[protocol], 1)
    }
    return Metrics(
        protocol=protocol,
        system=system,
        seeds=2,
        pooled=True,
        ua=_figure(ua, interval=protocol != "toy"),
        wa=_figure(ua + 0.01, interval=protocol != "toy"),
        folds=_folds(ua),
        confusion=[[8, 1, 1], [2, 7, 1], [0, 2, 18]],
        labels=LABELS,
        parameters=Parameters(derived=750_000),
        transfer=there,
    )


def _audit(protocol: str) -> Audit:
    part = PartCounts(utterances=9, labels=dict.fromkeys(LABELS, 3), speakers={"s": 9})
    return Audit(
        protocol=protocol,
        statement="One speaker is tested in turn.",
        options={},
        labels=tuple(LABELS),
        speaker_dependent=False,
        speaker_dependent_validation=False,
        pooled=True,
        folds={fold: {"train": part, "test": part} for fold in FOLDS},
        transfer=dict.fromkeys(TRANSFER[protocol], MAP),
        crossings=(),
        warnings=(),
        problems=(),
    )


@pytest.fixture(scope="session")
def cross_plan() -> ReportPlan:
    runs = {"iem": list(UA), "msp": [name for name in UA if name != "e12"], "toy": ["e6"]}
    deep = SystemCard(network="rnn-mhsa", inputs=["deep"])
    return ReportPlan(
        title="Across",
        settings_file="across.yaml",
        command="snakemake",
        corpora={
            "iemocap": CorpusCard(reader="iemocap"),
            "msp": CorpusCard(reader="msp-improv"),
            "toy": CorpusCard(reader="synthetic", synthetic=True),
        },
        protocols={
            name: ProtocolCard(
                corpora=[CORPUS[name]], test="speaker", validation="speaker", transfer=transfer
            )
            for name, transfer in TRANSFER.items()
        },
        systems={name: deep if name != "fb" else SystemCard(network="rnn-mhsa") for name in UA},
        runs=[
            RunCard(protocol=name, systems=systems, seeds=[0, 1]) for name, systems in runs.items()
        ],
        skipped=[Skipped(protocol="msp", systems=["e12"], reason=SKIPPED)],
        untransferred=[Untransferred(protocol="toy", corpus="iemocap", reason=UNTRANSFERRED)],
        tables={"t1": TableOptions(**RECOGNISERS), "t2": TableOptions(**TABLE)},
        figures={"figure2": FigureOptions(**FIGURE)},
        features={"deep": FeatureCard(extractor="conformer", checkpoint="wenet")},
        checkpoints={"wenet": CheckpointCard(pretrained_on=["MSP"])},
        transcripts={"heard": TranscriptCard(recogniser="conformer", checkpoint="wenet")},
        recognition=[("iemocap", "heard"), ("toy", "heard")],
        unrecognised=[Unrecognised(corpus="msp", transcript="heard", reason=UNRECOGNISED)],
    )


@pytest.fixture(scope="session")
def cross_results(cross_plan: ReportPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("across") / "results"
    for protocol in cross_plan.run_protocols():
        folder = results / "protocols" / protocol
        index = [{"fold": f, "held_out": f, "train": 9, "validation": 9, "test": 9} for f in FOLDS]
        write_index(folder / "folds.csv", pd.DataFrame(index))
        write_audit_file(folder / "audit.json", _audit(protocol))
        compared = results / "evaluate" / protocol / "comparisons.json"
        write_comparisons(compared, Comparisons(protocol=protocol, pairs=[]))
        for system in cross_plan.run_systems(protocol):
            path = results / "evaluate" / protocol / system / "metrics.json"
            write_metrics(path, _metrics(protocol, system))
    counts = dict.fromkeys(("substitutions", "deletions", "insertions", "words", "characters"), 1)
    rates = Recognition(
        wer=0.2575, cer=0.2, utterances=9, without_text=0, normalisation="case folded", **counts
    )
    for corpus in ("iemocap", "toy"):
        write_recognition(results / "recognition" / corpus / "heard.json", rates)
    return results


@pytest.fixture(scope="session")
def own(cross_plan: ReportPlan, cross_results: Path) -> OwnFigures:
    rates = read_rates(cross_plan, cross_results)
    return OwnFigures(cross_plan, gather(cross_plan, cross_results), rates)
