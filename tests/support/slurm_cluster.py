"""A real SLURM cluster of two nodes on this machine, in one folder; nothing outside it is touched.

munged and slurmctld are private to the folder. Each slurmd has namespaces of its own, which its jobs
inherit: a host name (UTS), and the configuration at /etc/slurm (mount). SLURM_CONF alone would not do:
the plugin's job step takes SLURM's variables away before it calls srun. Debian: slurm-wlm, munge.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "unshare")
NODES = ("node1", "node2")
ETC = "/etc/slurm"
CONF = """\
ClusterName=regrow
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
# CR_LLN: the least loaded node first, so that two jobs at once are on two nodes.
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
SlurmdTimeout=10
KillWait=5
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=16000
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=16000
PartitionName=main Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str:
    """Why no cluster can be started here; empty: one can."""
    gone = [name for name in NEEDED if _tool(name) is None]
    if gone:
        return f"no {', '.join(gone)} here (Debian: apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "starting SLURM daemons needs root"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "unshare",
            "--uts",
            "--mount",
            "sh",
            "-c",
            f"hostname x; mount --bind {folder} {ETC}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no namespaces: {done.stderr.strip()}"


class Cluster:
    """A running cluster."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {"SLURM_CONF": str(root / "etc/slurm.conf")}

    def call(self, *command: str) -> str:
        """Run one of SLURM's commands; returns its standard output."""
        done = subprocess.run(
            command, env=os.environ | self.env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self) -> dict[str, dict[str, str]]:
        """What the queue knows, finished jobs of the last minutes included, by number."""
        text = self.call("squeue", "--states=all", "--noheader", "--format=%i|%T|%N|%k|%r")
        rows = (line.split("|") for line in text.splitlines())
        names = ("state", "node", "comment", "reason")
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}

    def running(self, comment: str, seconds: float = 60) -> str:
        """The number of a running job whose comment (the plugin's: rule and wildcards) has a word."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for number, job in self.jobs().items():
                if comment in job["comment"] and job["state"] == "RUNNING":
                    return number
            time.sleep(0.2)
        raise AssertionError(f"no job with {comment} runs: {self.jobs()}")

    def processes(self, number: str, word: str) -> list[int]:
        """Processes of a job on its node whose command line has a word."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                variables = (path / "environ").read_bytes().split(b"\0")
                if word in command and f"SLURM_JOB_ID={number}".encode() in variables:
                    found.append(int(path.name))
        return found


@contextlib.contextmanager
def started(root: Path) -> Iterator[Cluster]:
    """Start the cluster in a folder, and end it."""
    root.chmod(0o755)
    munge = root / "munge"
    for folder in (munge, root / "etc", root / "state", *(root / "spool" / node for node in NODES)):
        folder.mkdir(parents=True)
    (munge / "key").write_bytes(secrets.token_bytes(128))
    (munge / "key").chmod(0o400)
    (root / "etc/slurm.conf").write_text(
        CONF.format(host=socket.gethostname().split(".")[0], root=root, ports=_ports(3))
    )
    cluster = Cluster(root)
    settings = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log",
                "seed-file": "seed"}  # fmt: skip
    start = f"hostname {{0}} && mount --bind {root}/etc {ETC} && exec slurmd -D -N {{0}}"
    commands = [
        ["munged", "--foreground", "--force", *(f"--{k}={munge / v}" for k, v in settings.items())],
        ["slurmctld", "-D"],
        *(["unshare", "--uts", "--mount", "sh", "-c", start.format(node)] for node in NODES),
    ]  # fmt: skip
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    daemons = []
    try:
        for command in commands:
            daemons.append(
                subprocess.Popen(
                    command,
                    env=os.environ | cluster.env | {"PATH": path},
                    start_new_session=True,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            if command[0] == "munged":
                _until(lambda: (munge / "socket").exists(), "munged")
        _until(
            lambda: cluster.call("sinfo", "-h", "-N", "-o", "%t").split() == ["idle"] * 2, "nodes"
        )
        yield cluster
    finally:
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            cluster.call("scancel", "--signal=KILL", "--user=root")
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
            daemon.kill()


def _tool(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"]))


def _ports(count: int) -> list[int]:
    """Free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _until(ready: object, what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):
            if ready():  # type: ignore[operator]
                return
        time.sleep(0.1)
    raise AssertionError(f"{what}: not there after {seconds:.0f} s")
