import sys

from emonas.errors import EmonasError
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan


def load_plan():
    """The jobs of the settings; what is wrong with them is one sentence, not a traceback."""
    try:
        return Plan(check_settings(config))
    except EmonasError as error:
        raise WorkflowError(str(error)) from None


PLAN = load_plan()
SETTINGS_FILE = str(workflow.configfiles[-1]) if workflow.configfiles else "config.yaml"


wildcard_constraints:
    corpus=r"[A-Za-z0-9_.-]+",
    feature=r"[A-Za-z0-9_.-]+",
    protocol=r"[A-Za-z0-9_.-]+",
    system=r"[A-Za-z0-9_.-]+",
    fold=r"[A-Za-z0-9_.-]+",
    seed=r"\d+",


def folds_of(protocol):
    """The folds of a protocol, known when its checkpoint has run."""
    from emonas.storage.folds import read_index

    index = checkpoints.protocols.get(protocol=protocol).output.index
    return list(read_index(Path(index))["fold"])


def jobs_of(protocol, system):
    """Seeds and folds of a system under a protocol, as parts of a path."""
    seeds = range(PLAN.runs[protocol, system])
    return [f"seed{seed}/{fold}" for seed in seeds for fold in folds_of(protocol)]


onstart:
    for entry in PLAN.skipped:
        systems = ", ".join(entry["systems"])
        print(f"emonas: skipped under {entry['protocol']}: {systems}: {entry['reason']}")
