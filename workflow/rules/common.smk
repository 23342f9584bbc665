"""The plan of the settings, and what rules look up in it."""

import os
import shlex
import sys
import time
from functools import cache

# The package beside the Snakefile, for this process and for jobs in another environment.
SOURCES = str(Path(workflow.basedir) / "src")
sys.path.insert(0, SOURCES)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SOURCES, os.environ.get("PYTHONPATH")]))

from emonas.errors import DamagedFileError, EmonasError
from emonas.running import hold
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan
from emonas.settings.yaml_file import read_yaml


def load_plan():
    """The jobs of the settings; what is wrong with them is one sentence, not a traceback."""
    try:
        # Of a key that stands twice, Snakemake has taken the last.
        for file in workflow.configfiles if workflow.is_main_process else ():
            read_yaml(Path(readable_path(file)))
        plan = Plan(check_settings(config))
        # It reads thousands of small files, which is for the run to do and not for each job.
        if workflow.is_main_process:
            check_listings(plan)
        return plan
    except EmonasError as error:
        sys.exit(f"emonas: {error}")


def hold_folder():
    """Refuse to run beside another run in this folder; how Snakemake was called is known later."""
    try:
        return hold(Path.cwd(), sys.argv[1:])
    except EmonasError as error:
        sys.exit(f"emonas: {error}")


def readable_path(path):
    """Relative to the working folder where it lies in it: reports name no machine's folders."""
    path, here = Path(path), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


PYTHON = sys.executable
# Snakemake writes the interpreter's path into its shell commands as it is: a space would end it.
if Path(sys.executable).exists():
    sys.executable = shlex.quote(sys.executable)


STARTED = time.time()
# Held as long as this process lives.
HELD = hold_folder() if workflow.is_main_process else None
PLAN = load_plan()
RESUME = Path("results/resume")
# By its name, as a bundle has it; the command says where it lies.
SETTINGS_FILE = ", ".join(Path(file).name for file in workflow.configfiles)
COMMAND = "snakemake --cores all --configfile " + " ".join(
    shlex.quote(readable_path(file)) for file in workflow.configfiles
)


wildcard_constraints:
    corpus=r"[A-Za-z0-9_.-]+",
    feature=r"[A-Za-z0-9_.-]+",
    protocol=r"[A-Za-z0-9_.-]+",
    system=r"[A-Za-z0-9_.-]+",
    # The folder of other corpora is no fold.
    fold=r"(?!transfer/)[A-Za-z0-9_.-]+",
    seed=r"\d+",


def folds_of(protocol):
    """The folds of a protocol, known when its checkpoint has run."""
    index = Path(checkpoints.protocols.get(protocol=protocol).output.index)
    try:
        return folds_listed(index, index.stat().st_mtime_ns)
    except EmonasError as error:
        # Snakemake would add a traceback to any other exception.
        sys.exit(f"emonas: {error}")


@cache
def folds_listed(index, changed):
    """Read once a version: a large run asks for them thousands of times."""
    from emonas.storage.folds import read_index

    return list(read_index(index)["fold"])


def set_indexes_aside():
    """Let Snakemake miss an index of folds that is damaged: it is read before any job could fail
    on it, and made again by this run.
    """
    from emonas.storage.damaged import damaged_name
    from emonas.storage.digests import check_digest

    for index in (Path(f"results/protocols/{name}/folds.csv") for name in PLAN.protocols):
        try:
            check_digest(index)
        except DamagedFileError as error:
            aside = index.replace(damaged_name(index))
            print(
                f"emonas: {index}: {error.problem}; it is {aside.name} now, to be made anew",
                file=sys.stderr,
            )


# Not where this process changes nothing in the folder.
if HELD is not None:
    set_indexes_aside()


def jobs_of(protocol, system):
    """Seeds and folds of a system under a protocol, as parts of a path."""
    seeds = range(PLAN.runs[protocol, system])
    return [f"seed{seed}/{fold}" for seed in seeds for fold in folds_of(protocol)]


def searches_of(protocol, system):
    """Seeds and folds of a system's own searches: the first fold only where one serves all."""
    if not PLAN.searches(system):
        return []
    folds = folds_of(protocol)[: 1 if PLAN.uses_shared_search(system) else None]
    seeds = range(PLAN.runs[protocol, system])
    return [f"seed{seed}/{fold}" for seed in seeds for fold in folds]


def weights(path):
    """Weights that no job of the run needs any more go, unless all are to be kept."""
    return path if PLAN.settings.keep == "all" else temp(path)


def kept_weights():
    """What stays of them with `keep: best`, of every system under a protocol."""
    if PLAN.settings.keep != "best":
        return []
    return [f"results/evaluate/{'/'.join(run)}/best.safetensors" for run in PLAN.runs]
