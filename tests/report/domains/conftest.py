"""Results over three languages: a searched network with gates, and systems of one feature."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.gates_options import GatesOptions
from emonas.report.gather import gather
from emonas.report.own import OwnFigures
from emonas.report.plan import (
    CorpusCard,
    ProtocolCard,
    ReportPlan,
    RunCard,
    Skipped,
    SystemCard,
)
from emonas.storage.audit import Audit, PartCounts, write_audit_file
from emonas.storage.comparisons import Comparisons, write_comparisons
from emonas.storage.folds import PARTS, write_index
from emonas.storage.genotype import ConnectionsGenotype, write_genotype
from emonas.storage.metrics import (
    Figure,
    FoldScore,
    Metrics,
    OfDomain,
    Parameters,
    write_metrics,
)
from emonas.storage.predictions import Predictions, write_predictions
from emonas.storage.tables import write_rows

LABELS = ["angry", "happy", "neutral", "sad"]
FOLDS = ("run0", "run1")
DOMAINS = ("en", "de", "fr")
FEATURES = ("mfcc", "wav2vec", "byol")
SKIPPED = "features.byol needs weights that are not here"
UA = {"ours": 0.8, "base": 0.5, "mfcc-alone": 0.42, "wav2vec-alone": 0.71}
SHIFT = {"en": 0.0, "de": 0.1, "fr": 0.05}
GATES = {
    "en": {"mfcc": 0.2, "wav2vec": 0.5, "byol": 0.3},
    "de": {"mfcc": 0.1, "wav2vec": 0.65, "byol": 0.25},
    "fr": {"mfcc": 0.3, "wav2vec": 0.4, "byol": 0.3},
}
TIGHT, LOOSE = 0.25, 1.6
EMBEDDINGS = {
    "kind": "embeddings",
    "title": "With and without the auxiliary loss",
    "source": "Multi-gating NAS, figure 3",
    "panels": {
        "without": {"system": "base", "protocol": "langs", "domain": "de"},
        "with": {"system": "ours", "protocol": "langs", "domain": "de"},
    },
    "notes": ["The caption names alpha 0.1, the text 0.01."],
}
GATES_FIGURE = {
    "kind": "gates",
    "source": "Multi-gating NAS, figure 4",
    "system": "ours",
    "protocol": "langs",
    "single": {"mfcc": "mfcc-alone", "wav2vec": "wav2vec-alone", "byol": "byol-alone"},
    "protocols": {"fr": "french"},
    "published": "not in our copy",
}


def predictions(part: str, spread: float) -> Predictions:
    """Blobs around an axis a class: thirty utterances a domain."""
    draw = np.random.default_rng(len(part))
    count = 30 if part == "test" else 8
    names = [(domain, number) for domain in DOMAINS for number in range(count)]
    labels = [LABELS[number % 4] for _, number in names]
    centres = np.eye(12)[[LABELS.index(label) for label in labels]]
    return Predictions(
        utterances=tuple(f"{part}-{domain}-{number:02d}" for domain, number in names),
        corpora=tuple(f"speech-{domain}" for domain, _ in names),
        labels=tuple(labels),
        classes=tuple(LABELS),
        logits=np.zeros((len(names), 4), dtype=np.float32),
        embedding=(centres + draw.normal(0, spread, centres.shape)).astype(np.float32),
        domains=tuple(domain for domain, _ in names),
    )


def genotype(fold: str) -> ConnectionsGenotype:
    """Some connections for en, none for de; for fr all in the second fold."""
    some = ((True, False, True), (False, False, False), (False, True, True))
    return ConnectionsGenotype(
        method="gates",
        beta=0.9,
        gamma=-0.1,
        delta=2.0,
        features=FEATURES,
        domains={
            "en": some,
            "de": ((False,) * 3,) * 3,
            "fr": ((True,) * 3,) * 3 if fold == "run1" else some,
        },
    )


def _figure(mean: float) -> Figure:
    bounds = (mean - 0.04, mean + 0.03)
    return Figure(mean=mean, std=0.01, folds_mean=mean, folds_std=0.02, interval=bounds)


def metrics(protocol: str, system: str) -> Metrics:
    """UA of a system by language; gates for ours alone."""
    ua = UA[system]
    folds = [
        FoldScore(fold=fold, seed=seed, ua=ua, wa=ua, utterances=90, classes=4)
        for fold in FOLDS
        for seed in (0, 1)
    ]
    counts = {
        "folds": folds,
        "confusion": (np.eye(4, dtype=int) * 20 + 2).tolist(),
        "labels": LABELS,
    }
    domains = {
        name: OfDomain(
            ua=_figure(ua + SHIFT[name]),
            wa=_figure(ua),
            gates=GATES[name] if system == "ours" else {},
            **counts,
        )
        for name in (DOMAINS if protocol == "langs" else ())
    }
    return Metrics(
        protocol=protocol,
        system=system,
        seeds=2,
        pooled=False,
        ua=_figure(ua - 0.2),
        wa=_figure(ua),
        parameters=Parameters(derived=1000),
        domains=domains,
        **counts,
    )


def _audit(protocol: str) -> Audit:
    part = PartCounts(utterances=9, labels=dict.fromkeys(LABELS, 3), speakers={"s": 9})
    return Audit(
        protocol=protocol,
        statement="Random splits.",
        options={},
        labels=tuple(LABELS),
        speaker_dependent=False,
        speaker_dependent_validation=False,
        pooled=False,
        folds={fold: {"train": part, "test": part} for fold in FOLDS},
        crossings=(),
        warnings=(),
        problems=(),
    )


def _write_learning(results: Path, protocol: str, system: str, place: str) -> None:
    draw = np.random.default_rng(len(place))
    folder = results / "train" / protocol / system / place
    spread = TIGHT if system == "ours" else LOOSE
    write_predictions(folder / "predictions.h5", {p: predictions(p, spread) for p in PARTS})
    rows = [
        {
            "epoch": epoch,
            "validation_loss": 1.5 / epoch,
            "validation_ua": 0.8 - 0.4 / epoch,
            **({"contrastive_share": 0.4 + 0.02 * epoch} if system == "ours" else {}),
        }
        for epoch in range(1, 11)
    ]
    write_rows(folder / "history.csv", rows)
    if system == "ours":
        found = results / "search" / protocol / system / place
        write_genotype(found / "genotype.json", genotype(place.split("/")[1]))
        opened = [
            {
                f"open_{name}": 9 - number * epoch / 5 + draw.normal(0, 0.2)
                for number, name in enumerate(DOMAINS, 1)
            }
            for epoch in range(1, 11)
        ]
        write_rows(
            found / "history.csv", [row | more for row, more in zip(rows, opened, strict=True)]
        )


@pytest.fixture(scope="session")
def domain_plan() -> ReportPlan:
    card = ProtocolCard(corpora=["speech"], test="random", validation="random")
    alone = {f"{name}-alone": SystemCard(network="gated", inputs=[name]) for name in FEATURES}
    return ReportPlan(
        title="Languages",
        settings_file="languages.yaml",
        command="snakemake",
        corpora={"speech": CorpusCard(reader="folders")},
        protocols={"langs": card, "french": card},
        systems={
            "ours": SystemCard(network="multi-gating", inputs=list(FEATURES), search="gates"),
            "base": SystemCard(network="gated", inputs=list(FEATURES)),
            **alone,
        },
        runs=[
            RunCard(protocol="langs", systems=list(UA), seeds=[0, 1]),
            RunCard(protocol="french", systems=["mfcc-alone", "wav2vec-alone"], seeds=[0, 1]),
        ],
        skipped=[
            Skipped(protocol=protocol, systems=["byol-alone"], reason=SKIPPED)
            for protocol in ("langs", "french")
        ],
        figures={
            "figure3": EmbeddingsOptions(**EMBEDDINGS),
            "figure4": GatesOptions(**GATES_FIGURE),
        },
    )


@pytest.fixture(scope="session")
def domain_results(domain_plan: ReportPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("over languages") / "results"
    for protocol in domain_plan.run_protocols():
        folder = results / "protocols" / protocol
        index = [{"fold": f, "held_out": f, "train": 9, "validation": 9, "test": 9} for f in FOLDS]
        write_index(folder / "folds.csv", pd.DataFrame(index))
        write_audit_file(folder / "audit.json", _audit(protocol))
        compared = results / "evaluate" / protocol / "comparisons.json"
        write_comparisons(compared, Comparisons(protocol=protocol, pairs=[]))
        for system, seeds in domain_plan.run_systems(protocol).items():
            path = results / "evaluate" / protocol / system / "metrics.json"
            write_metrics(path, metrics(protocol, system))
            for seed in seeds:
                for fold in FOLDS:
                    _write_learning(results, protocol, system, f"seed{seed}/{fold}")
    return results


@pytest.fixture(scope="session")
def domain_own(domain_plan: ReportPlan, domain_results: Path) -> OwnFigures:
    return OwnFigures(domain_plan, gather(domain_plan, domain_results), {})
