import os
import shlex
import shutil
import sys
import time
from functools import cache

from snakemake.exceptions import WorkflowError

# The package beside the Snakefile, for this process and for jobs in another environment.
SOURCES = str(Path(workflow.basedir) / "src")
sys.path.insert(0, SOURCES)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SOURCES, os.environ.get("PYTHONPATH")]))

from emonas.cards import OWN
from emonas.errors import EmonasError
from emonas.running import hold
from emonas.settings.listings import check_listings
from emonas.settings.load import check_settings
from emonas.settings.needs import Needs
from emonas.settings.partitions import KEPT, Partition, ask_partition
from emonas.settings.plan import Plan
from emonas.settings.yaml_file import read_yaml
from emonas.storage.resume import drop_ended, outlive_jobs


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
# Whether this machine has cards that its jobs may use.
GPUS = PLAN.settings.runtime.device != "cpu" and shutil.which("nvidia-smi") is not None
SETTINGS_FILE = " ".join(map(readable_path, workflow.configfiles))


# With --resources gpu=N each of N jobs that learn takes a card of its own; jobs inherit the word.
if "gpu" in workflow.resource_settings.resources:
    os.environ[OWN] = "1"


def partition_of(rule):
    """What there is for the jobs of a rule: of this machine, or of their partition in SLURM."""
    if workflow.local_exec and KEPT not in os.environ:
        return Partition(cards=GPUS)
    settings = workflow.resource_settings
    for resources in (settings.overwrite_resources.get(rule), settings.default_resources):
        if resources and "slurm_partition" in resources:
            return ask_partition(str(resources["slurm_partition"].raw))
    return ask_partition("")


NEEDS = Needs(PLAN, partition_of)


def megabytes(rule):
    """The memory that jobs of a rule ask for, twice as much each time that one is tried again."""
    return lambda wildcards, attempt: NEEDS.need(rule, attempt, **wildcards).memory


def minutes(rule):
    """The time that jobs of a rule ask for, twice as much each time that one is tried again."""
    return lambda wildcards, attempt: NEEDS.need(rule, attempt, **wildcards).minutes


def cards(rule):
    """How many cards jobs of a rule ask for: one where it serves and where there are some."""
    return lambda wildcards: NEEDS.need(rule, **wildcards).cards


def group_of(rule, *names):
    """Small jobs of a rule that are alike in some wildcards are one submission, with a profile
    that has groups of the rule.

    Which jobs these are is settled once their protocol's folds are known: Snakemake loses a group
    that runs where another checkpoint lets others join.
    """

    def group(wildcards):
        grouped = rule in workflow.group_settings.group_components
        if not grouped or not NEEDS.is_brief(rule, **wildcards):
            return None
        group_id = "-".join([rule, *(wildcards[name] for name in names)])
        workflow.parent_groupids[group_id] = rule
        return group_id

    return group


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


def weights(path):
    """Weights that no job of the run needs any more go, unless all are to be kept."""
    return path if PLAN.settings.keep == "all" else temp(path)


def kept_weights():
    """What stays of them with `keep: best`, of every system under a protocol."""
    if PLAN.settings.keep != "best":
        return []
    return [f"results/evaluate/{'/'.join(run)}/best.safetensors" for run in PLAN.runs]


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


def print_failed():
    """Which jobs failed, and why: with --keep-going their messages lie far above."""
    from emonas.failures import failure_lines

    failed = [
        (job.rule.name, next(map(Path, job.log), None))
        for entry in workflow.scheduler.failed
        for job in (entry.jobs if entry.is_group() else [entry])
    ]
    left = [job for job in workflow.dag.needrun_jobs() if job not in workflow.scheduler.failed]
    goes_on = workflow.execution_settings.keep_going
    for line in failure_lines(failed, len(left), goes_on=goes_on):
        print(f"  {line}")


# A dry run says it too: it starts nothing.
if workflow.is_main_process:
    print_skipped()


def refuse_second_copies():
    """Stop where jobs of a killed run live on, before this run submits the same ones."""
    from emonas.settings.earlier_runs import earlier_runs

    names = earlier_runs(Path.cwd())
    if names:
        commands = " && ".join(f"scancel --name={name}" for name in names)
        raise WorkflowError(
            "emonas: jobs of an earlier run are still in SLURM and would write the same files; "
            f"end them with: {commands}"
        )


onstart:
    if not workflow.local_exec:
        refuse_second_copies()
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
    print_failed()
    print(
        "emonas: mend what the log named above says, and run the same command: it goes on there"
    )
