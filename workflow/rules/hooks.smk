"""What a run says and does at its start and at its end."""

from itertools import takewhile

from snakemake.exceptions import WorkflowError

from emonas.running import only_looks
from emonas.storage.damaged import damaged_name, forget_damaged, rename_damaged
from emonas.storage.resume import drop_ended, outlive_jobs


def print_forecast():
    """Jobs and hours; a forecast that can't be made never fails the run."""
    from emonas.settings.forecast import forecast_lines

    try:
        for line in forecast_lines(PLAN, workflow.cores or 1):
            print(f"emonas: {line}")
    except Exception as error:  # a rehearsal can run out of memory in a dozen ways
        print(f"emonas: no forecast: {error}")


def start_preloading(**options):
    """Let jobs be forks of a process that has their libraries loaded, which ends with this one."""
    from emonas.preloading import start_server

    global SERVER
    SERVER = start_server(PYTHON, PLAN.libraries, **options)
    if SERVER is not None:
        sys.executable = SERVER.python


def runs_a_group():
    """Whether this is the process of a submission in which its jobs run, several of them."""
    if "--executor" in sys.argv or "--target-jobs" not in sys.argv:
        return False
    words = sys.argv[sys.argv.index("--target-jobs") + 1 :]
    return len(list(takewhile(lambda word: not word.startswith("--"), words))) > 1


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


def was_stopped():
    """Whether somebody stopped the run, by Ctrl-C or SIGTERM: what was left is no failure's then."""
    scheduler = workflow.scheduler
    return bool(scheduler.running) or getattr(scheduler, "_user_kill", None) is not None


def failed_jobs():
    return [
        job
        for entry in workflow.scheduler.failed
        for job in (entry.jobs if entry.is_group() else [entry])
    ]


def print_failed(jobs):
    """Which jobs failed, and why: with --keep-going their messages lie far above."""
    from emonas.failures import failure_lines

    failed = [(job.rule.name, next(map(Path, job.log), None)) for job in jobs]
    left = [job for job in workflow.dag.needrun_jobs() if job not in workflow.scheduler.failed]
    if was_stopped():
        left, leave_out = [], {}
    else:
        leave_out = leave_out_unfinished(jobs, left)
    goes_on = workflow.execution_settings.keep_going
    for line in failure_lines(failed, len(left), goes_on=goes_on, leave_out=leave_out):
        print(f"  {line}")


def leave_out_unfinished(failed, left):
    """What the settings would leave out for a report of what has ended; nothing where it would be
    of nothing, or where what failed is the report's own.
    """
    if any(job.rule.name in ("recognition", "compare", "differences", "report") for job in failed):
        return {}
    leave_out = {name: set(named) for name, named in PLAN.settings.leave_out.items()}
    for job in (*failed, *left):
        # The jobs that end a system: what else failed is behind them.
        if job.rule.name in ("evaluate", "speed"):
            leave_out.setdefault(job.wildcards.protocol, set()).add(job.wildcards.system)
    # Who leans on another goes with it.
    named = {
        protocol: sorted(
            system for system in systems if systems.isdisjoint([*PLAN.leans_on(system)][1:])
        )
        for protocol, systems in sorted(leave_out.items())
    }
    others = Plan(PLAN.settings.model_copy(update={"leave_out": named})).runs
    return named if others else {}


def set_damaged_aside():
    """Let Snakemake miss what jobs found damaged: only while no job is running or tried again."""
    for path in rename_damaged():
        print(
            f"emonas: damaged: {path} is {damaged_name(path).name} now, to be made anew",
            file=sys.stderr,
        )


# A dry run says it too: it starts nothing.
if workflow.is_main_process:
    print_skipped()
    # For a run that was killed, and before the jobs of this one are planned.
    if not only_looks(sys.argv[1:]):
        set_damaged_aside()
# A GPU's libraries don't survive a fork.
if PLAN.settings.preload and not GPUS and runs_a_group():
    start_preloading(patience=0)


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
    # Whoever goes on here where the node that submitted them is gone is told, too.
    if not workflow.local_exec or Path(".snakemake/slurm_logs").exists():
        refuse_second_copies()
    outlive_jobs(RESUME)
    if PLAN.settings.forecast and PLAN.runs:
        print_forecast()
    # Of every job that has ended, Snakemake's limit of starts keeps a timer that lets it look for
    # work once a second: after a hundred jobs a hundred times. On this machine cores are the limit.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    if PLAN.settings.preload and not GPUS and workflow.local_exec:
        start_preloading()


onsuccess:
    # Snakemake knows now of every job that has ended: none begins again.
    drop_ended(RESUME)
    forget_damaged()
    # A run of some jobs only leaves the page as it was, perhaps another settings file's.
    page = Path("results/report/index.html")
    if page.exists() and page.stat().st_mtime >= STARTED:
        print("emonas: the report is results/report/index.html")


onerror:
    # Snakemake knows now of every job that has ended: none begins again.
    drop_ended(RESUME)
    failed = failed_jobs()
    print_failed(failed)
    set_damaged_aside()
    stopped = "stopped; " if was_stopped() else ""
    mend = "mend what is said above, and " if failed else ""
    print(f"emonas: {stopped}{mend}run the same command: it goes on there")
