"""The model card: what an exported system is, how well it did, and what may be done with it."""

from pathlib import Path

from emonas.export.contract import GRAPH_FILE, ExportedGraphs, ExportedModel
from emonas.report.gather import ProtocolResults, gather
from emonas.report.summary import systems_summary, warnings
from emonas.report.tables import Column, Table, escape_markdown, markdown
from emonas.report.words import describe, listed
from emonas.settings.cards import report_plan
from emonas.settings.plan import Plan
from emonas.storage.atomic import write_text

CARD_FILE = "README.md"
_NOT_SAID = "not said in the settings"


def write_card(
    folder: Path, plan: Plan, model: ExportedModel, results: Path, settings: Path
) -> None:
    """Write the card beside the model, from what the run's evaluation and audit found.

    Raises:
        EmonasError: a result is missing or damaged.
    """
    told = report_plan(plan, str(settings), "")
    runs = [run for run in told.runs if run.protocol == model.protocol]
    protocol = gather(told.model_copy(update={"runs": runs}), results)[model.protocol]
    system = protocol.systems[model.system]
    parts = [
        f"# {model.system}",
        f"{escape_markdown(describe(model.system, system.card))}. Trained by emonas "
        f"{model.emonas} under the protocol {model.protocol}, seed {model.seed}.",
        *(f"**{escape_markdown(warning)}**" for warning in warnings(protocol)),
        "## What it says",
        f"How likely each of {len(model.classes)} classes is: {listed(model.classes)}. It knows no "
        "other emotion, and says one of these of anything that it hears.",
        *_domains(model),
        "## How well it did",
        markdown(_scores(protocol, model.system)).strip(),
        _ensemble(model),
        "## How it was tested",
        escape_markdown(protocol.audit.statement),
        *(f"- {escape_markdown(text)}" for text in protocol.audit.warnings),
        "## Corpora",
        markdown(_corpora(plan, model)).strip(),
        "## Pretrained weights",
        *_checkpoints(model),
        *_graphs(model),
        "## Use",
        _USE.format(domain=f" --domain {model.domains[0]}" if any(model.domains) else ""),
    ]
    write_text(folder / CARD_FILE, "\n\n".join(parts) + "\n")


_USE = """```sh
emonas predict . RECORDING.wav{domain}
```

```python
import emonas

model = emonas.load("this folder")
model(waveform, sampling_rate)  # the probability of each class
```"""


def _domains(model: ExportedModel) -> list[str]:
    known = [domain for domain in model.domains if domain]
    if not known:
        return []
    return [f"Each recording is heard as one of {listed(known, 'or')}; who predicts says which."]


def _graphs(model: ExportedModel) -> list[str]:
    """What `--onnx` left; nothing where nobody asked."""
    if model.onnx is None:
        return []
    return ["## ONNX", f"{escape_markdown(told_graphs(model.onnx))}."]


def told_graphs(graphs: ExportedGraphs) -> str:
    """A sentence on ONNX graphs, without its full stop."""
    if graphs.left_out:
        return f"No ONNX file: left out, because {graphs.left_out}"
    return (
        f"FOLD/{GRAPH_FILE} goes from features to logits; over {graphs.utterances} test "
        "utterances, in one padded batch and each alone, onnxruntime's logits differ from torch's "
        f"by at most {graphs.difference:.1e}"
    )


def _scores(protocol: ProtocolResults, system: str) -> Table:
    """The rows of the system and of chance."""
    table = systems_summary(protocol)
    rows = [row for row in table.rows if row["system"] in (system, "chance")]
    return Table(f"{system} under {protocol.name}", table.columns, rows, table.notes)


def _ensemble(model: ExportedModel) -> str:
    if len(model.folds) == 1:
        return (
            f"This folder holds one fold, {next(iter(model.folds))}. The figures above are of the "
            "models of all folds, each on speech that it was not trained on."
        )
    return (
        f"This folder holds the models of {len(model.folds)} folds, and says the mean of their "
        "probabilities. The figures above are of each model alone, on speech that it was not "
        "trained on; of all of them together there is no such speech in these corpora, so that "
        "nobody measured the ensemble."
    )


def _corpora(plan: Plan, model: ExportedModel) -> Table:
    rows = []
    for name in plan.corpora_of(model.protocol):
        options = plan.settings.corpora[name]
        licence = options.licence or ("made here" if options.synthetic else _NOT_SAID)
        rows.append({"corpus": name, "reader": options.reader, "licence": licence})
    columns = Column("corpus", "Corpus"), Column("reader", "Reader"), Column("licence", "Licence")
    return Table("What it learnt from", columns, rows)


def _checkpoints(model: ExportedModel) -> list[str]:
    if not model.checkpoints:
        return ["None: all weights are in this folder."]
    rows = [
        {
            "checkpoint": name,
            "licence": found.options.licence or _NOT_SAID,
            "pretrained_on": listed(found.options.pretrained_on) or _NOT_SAID,
            "source": found.options.address or found.options.hub or "a local file",
            "digest": found.digest,
        }
        for name, found in model.checkpoints.items()
    ]
    columns = (
        Column("checkpoint", "Weights"),
        Column("licence", "Licence"),
        Column("pretrained_on", "Pretrained on"),
        Column("source", "From"),
        Column("digest", "SHA-256"),
    )
    table = Table("Weights that it needs beside this folder", columns, rows)
    return [
        markdown(table).strip(),
        "They are not in this folder: they are looked for where the settings had them, and fetched "
        "where they say from where. `--checkpoint NAME=PATH` names another place.",
    ]
