import os
import shlex
import shutil
import sys
import time
from functools import cache

# The package beside the Snakefile, for this process and for jobs in another environment.
SOURCES = str(Path(workflow.basedir) / "src")
sys.path.insert(0, SOURCES)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SOURCES, os.environ.get("PYTHONPATH")]))

from emonas.errors import EmonasError
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan
from emonas.storage.resume import drop_ended, outlive_jobs


def load_plan():
    """The jobs of the settings; what is wrong with them is one sentence, not a traceback."""
    try:
        plan = Plan(check_settings(config))
        # It reads thousands of small files, which is for the run to do and not for each job.
        if workflow.is_main_process:
            check_listings(plan)
        return plan
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
PLAN = load_plan()
RESUME = Path("results/resume")
# How many cards a job that learns takes: --resources gpu=N lets N of them run at a time.
GPUS = int(PLAN.settings.runtime.device != "cpu" and shutil.which("nvidia-smi") is not None)
SETTINGS_FILE = " ".join(map(readable_path, workflow.configfiles))


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
    return folds_listed(index, index.stat().st_mtime_ns)


@cache
def folds_listed(index, changed):
    """Read once a version: a large run asks for them thousands of times."""
    from emonas.storage.folds import read_index

    return list(read_index(index)["fold"])


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


def print_forecast():
    """Jobs and hours; a forecast that can't be made never fails the run."""
    from emonas.settings.forecast import forecast_lines

    try:
        for line in forecast_lines(PLAN, workflow.cores or 1):
            print(f"emonas: {line}")
    except Exception as error:  # a rehearsal can run out of memory in a dozen ways
        print(f"emonas: no forecast: {error}")


def start_preloading():
    """Let jobs be forks of a process that has their libraries loaded, which ends with this one."""
    from emonas.preloading import start_server

    global SERVER
    SERVER = start_server(PYTHON, PLAN.libraries)
    if SERVER is not None:
        sys.executable = SERVER.python


def print_skipped():
    for entry in PLAN.skipped:
        systems = ", ".join(entry["systems"])
        print(
            f"emonas: skipped under {entry['protocol']}: {systems}: {entry['reason']}",
            file=sys.stderr,
        )
    for entry in PLAN.unrecognised:
        print(
            f"emonas: skipped error rates of {entry['transcript']} on {entry['corpus']}: "
            f"{entry['reason']}",
            file=sys.stderr,
        )
    for entry in PLAN.untransferred:
        print(
            f"emonas: {entry['protocol']} is not tested on {entry['corpus']}: {entry['reason']}",
            file=sys.stderr,
        )


# A dry run says it too: it starts nothing.
if workflow.is_main_process:
    print_skipped()


onstart:
    outlive_jobs(RESUME)
    if PLAN.settings.forecast and PLAN.runs:
        print_forecast()
    # Of every job that has ended, Snakemake's limit of starts keeps a timer that lets it look for
    # work once a second: after a hundred jobs a hundred times. On this machine cores are the limit.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    # Jobs elsewhere have a Python of their own, and a GPU's libraries don't survive a fork.
    if PLAN.settings.preload and workflow.local_exec and not GPUS:
        start_preloading()


onsuccess:
    # Snakemake knows now of every job that has ended: none begins again.
    drop_ended(RESUME)
    # A run of some jobs only leaves the page as it was, perhaps another settings file's.
    page = Path("results/report/index.html")
    if page.exists() and page.stat().st_mtime >= STARTED:
        print("emonas: the report is results/report/index.html")


onerror:
    # Snakemake knows now of every job that has ended: none begins again.
    drop_ended(RESUME)
    print("emonas: mend what the log named above says, and run the same command: it goes on there")
