"""A SLURM of two nodes on this one machine, with munge, in a folder and on ports of its own."""

import os
import secrets
import shlex
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from slurm_requirements import find_program

PATIENCE = 120.0
GIBIBYTE = 1024

SETTINGS = """\
ClusterName=emonas
SlurmctldHost={host}
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
PluginDir={plugins}
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
SchedulerParameters=sched_interval=2,bf_interval=5
MinJobAge=3600
KillWait=3
OverTimeLimit=0
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 "
    "RealMemory={memory}{cards} State=UNKNOWN\n"
)
PARTITIONS = """\
PartitionName=work Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=cards Nodes=n2 MaxTime=INFINITE State=UP
"""
CARDS = 4
"""As many as the second node has processors, so that jobs that ask for one fill it."""
FILES_OF_CARDS = "NodeName=n2 Name=gpu File={folder}/card[0-{last}] AutoDetect=off\n"


@dataclass
class Cluster:
    """A running cluster; `environment` is what its commands and Snakemake need."""

    folder: Path
    environment: dict[str, str]
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def ask(self, *command: str) -> str:
        """What a command of SLURM says."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def jobs(self, states: str = "all") -> list[dict[str, str]]:
        """All jobs that SLURM knows in some states, the oldest first."""
        fields = {"id": "%i", "state": "%T", "limit": "%l", "memory": "%m", "comment": "%k"}
        fields |= {"gres": "%b", "cpus": "%C", "partition": "%P", "name": "%j"}
        shape = "|".join(fields.values())
        said = self.ask("squeue", "--noheader", f"--states={states}", f"--format={shape}")
        rows = [dict(zip(fields, line.split("|"), strict=True)) for line in said.splitlines()]
        return sorted(rows, key=lambda row: int(row["id"]))


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start munge, the controller and two nodes, and take them down again, with all jobs."""
    prepare(folder)
    environment = {
        **os.environ,
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": f"{write_srun(folder)}{os.pathsep}{os.environ['PATH']}",
    }
    cluster = Cluster(folder, environment)
    try:
        start_daemons(cluster)
        wait_for_nodes(cluster)
        yield cluster
    finally:
        take_down(cluster)


def prepare(folder: Path) -> None:
    """Write the settings, a key, and devices that are called cards."""
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    for number in range(CARDS):
        os.mknod(folder / f"card{number}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    host = socket.gethostname().split(".")[0]
    controller, first, second = free_ports(3)
    settings = SETTINGS.format(folder=folder, host=host, port=controller, plugins=plugins())
    for name, port, cards in (("n1", first, ""), ("n2", second, f" Gres=gpu:{CARDS}")):
        settings += NODE.format(name=name, host=host, port=port, memory=64 * GIBIBYTE, cards=cards)
    (folder / "slurm.conf").write_text(settings + PARTITIONS)
    (folder / "gres.conf").write_text(FILES_OF_CARDS.format(folder=folder, last=CARDS - 1))
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")


def plugins() -> Path:
    """The folder of SLURM's plugins, which differs by architecture."""
    return next(Path("/usr/lib").glob("*/slurm-wlm/auth_munge.so")).parent


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; bound at once, so that no two are the same."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def write_srun(folder: Path) -> Path:
    """An srun that finds the settings; the plugin takes SLURM_CONF away from what a job starts."""
    program, settings = folder / "bin" / "srun", folder / "slurm.conf"
    program.parent.mkdir()
    found = find_program("srun")
    assert found is not None
    program.write_text(
        f'#!/bin/sh\nexport SLURM_CONF={shlex.quote(str(settings))}\nexec {found} "$@"\n'
    )
    program.chmod(0o755)
    return program.parent


def start_daemons(cluster: Cluster) -> None:
    """In the foreground, so that we have their processes and no other's."""
    folder = cluster.folder
    munge = [f"--socket={folder}/munge.socket", f"--key-file={folder}/munge.key"]
    munge += [f"--pid-file={folder}/munge.pid"]
    munge += [f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"]
    start(cluster, "munged", "--foreground", "--force", *munge)
    wait_for((folder / "munge.socket").exists, "munge")
    start(cluster, "slurmctld", "-D", "-c")
    for node in ("n1", "n2"):
        start(cluster, "slurmd", "-D", "-c", "-N", node)


def start(cluster: Cluster, program: str, *arguments: str) -> None:
    """Start a daemon in a session of its own, which ends when this process does, even killed."""
    path = find_program(program)
    assert path is not None
    log = (cluster.folder / f"{program}-{len(cluster.daemons)}.out").open("wb")
    cluster.daemons.append(
        subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", path, *arguments],
            env=cluster.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    )


def wait_for(there: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until a function says so."""
    begun = time.monotonic()
    while not there():
        assert time.monotonic() - begun < patience, f"{what}: waited {patience:.0f} s in vain"
        time.sleep(0.2)


def wait_for_nodes(cluster: Cluster) -> None:
    """Wait until both nodes take jobs."""

    def idle() -> bool:
        said = subprocess.run(
            ["sinfo", "--noheader", "--Node", "--partition=work", "--format=%N %t"],
            env=cluster.environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return sorted(said.splitlines()) == ["n1 idle", "n2 idle"]

    wait_for(idle, "SLURM's nodes")


def take_down(cluster: Cluster) -> None:
    """End all jobs, then the daemons, the last started first."""
    with suppress(AssertionError, OSError):
        cancel_all(cluster)
    for daemon in reversed(cluster.daemons):
        daemon.terminate()
        try:
            daemon.wait(15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    shutil.rmtree(cluster.folder / "state", ignore_errors=True)


def cancel_all(cluster: Cluster, names: Sequence[str] = ()) -> None:
    """Cancel all jobs, or those of some names, and wait until they have ended."""
    chosen = [f"--name={name}" for name in names] or ["--user=root"]
    cluster.ask("scancel", *chosen)
    wait_for(lambda: not cluster.jobs("pending,running,completing"), "the end of all jobs")
