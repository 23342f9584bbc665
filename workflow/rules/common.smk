import sys

from emonas.errors import EmonasError
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan


def load_plan():
    """The jobs of the settings; what is wrong with them is one sentence, not a traceback."""
    try:
        return Plan(check_settings(config))
    except EmonasError as error:
        sys.exit(f"emonas: {error}")


def readable_path(path):
    """Relative to the working folder where it lies in it: reports name no machine's folders."""
    path, here = Path(path), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


PLAN = load_plan()
SETTINGS_FILE = " ".join(map(readable_path, workflow.configfiles))


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


def searches_of(protocol, system):
    """Seeds and folds of a system's searches: the first fold only where one serves all."""
    if not PLAN.is_searched(system):
        return []
    folds = folds_of(protocol)[: 1 if PLAN.uses_shared_search(system) else None]
    seeds = range(PLAN.runs[protocol, system])
    return [f"seed{seed}/{fold}" for seed in seeds for fold in folds]


def print_forecast():
    """Jobs and hours; a forecast that can't be made never fails the run."""
    from emonas.settings.forecast import forecast_lines

    try:
        for line in forecast_lines(PLAN, workflow.cores or 1):
            print(f"emonas: {line}")
    except Exception as error:  # a rehearsal can run out of memory in a dozen ways
        print(f"emonas: no forecast: {error}")


onstart:
    for entry in PLAN.skipped:
        systems = ", ".join(entry["systems"])
        print(f"emonas: skipped under {entry['protocol']}: {systems}: {entry['reason']}")
    if PLAN.settings.forecast and PLAN.runs:
        print_forecast()
