"""Submitting to a real SLURM, watching jobs, and taking nodes down."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
ROOT = Path(__file__).resolve().parents[2]


def call(*words, timeout=60, **options):
    """Output of a command that must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=timeout, **options)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


class Job:
    """A submitted job, or a task of an array ("12_3")."""

    def __init__(self, number, log):
        self.number, self.log = str(number), Path(log)

    def _told(self):
        """What scontrol tells, a dict of text by name for each task of an array."""
        lines = call("scontrol", "--oneliner", "show", "job", self.number).splitlines()
        return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]

    def facts(self):
        """What scontrol tells, as text by name; of a requeued job, its present life."""
        return self._told()[0]

    @property
    def state(self):
        return self.facts()["JobState"]

    def has_ended(self):
        """For good, in a way that SLURM does not requeue; every task of an array."""
        return all(told["JobState"] in ENDED for told in self._told())

    @property
    def status(self):
        """Exit status of the batch script; a negative number for the signal that ended it."""
        code, number = self.facts()["ExitCode"].split(":")
        return -int(number) if int(number) else int(code)

    @property
    def restarts(self):
        return int(self.facts()["Restarts"])

    def text(self):
        """What it has written so far."""
        return self.log.read_text() if self.log.exists() else ""

    def wait(self, reached, limit, what):
        """Wait until `reached()`, at most `limit` s; returns the seconds it took."""
        began = time.monotonic()
        while not reached():
            took = time.monotonic() - began
            # `reached` again: it may have ended by just that
            ended = self.has_ended() and not reached()
            assert not ended and took < limit, (f"job {self.number} after {took:.1f} s: not {what}"
                                                f"\n{self.facts()}\n{self.text()[-3000:]}")
            time.sleep(0.2)
        return time.monotonic() - began

    def wait_end(self, limit):
        return self.wait(self.has_ended, limit, "ended")

    def cancel(self):
        """SIGTERM, then SIGKILL, to everything."""
        call("scancel", self.number)

    def signal(self, name, *options):
        """Send a signal as users do: to the steps, or with --batch to the script."""
        call("scancel", f"--signal={name}", *options, self.number)


class Cluster:
    """Submits into a folder; `clear` ends what is left.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder):
        self.folder = folder
        self.jobs = []

    def sbatch(self, *words, **options):
        """Submit with sbatch; the job, whose output goes to one file over all its lives."""
        log = self.folder / f"job-{len(self.jobs)}.log"
        number = call("sbatch", "--parsable", f"--output={log}", "--open-mode=append", *words,
                      cwd=self.folder, **options).strip()
        return self.watch(number, log)

    def script(self, text, *words):
        """Submit the lines of a script."""
        file = self.folder / f"script-{len(self.jobs)}.sh"
        file.write_text(f"#!/bin/bash\n{text}\n")
        return self.sbatch(*words, file)

    def watch(self, number, log):
        """A job that was submitted in another way."""
        self.jobs.append(Job(number, log))
        return self.jobs[-1]

    def clear(self):
        for job in self.jobs:
            subprocess.run(["scancel", job.number], capture_output=True)
        for job in self.jobs:
            job.wait_end(30)


# ---- nodes ----------------------------------------------------------------------------------


def base():
    """Folder of the SLURM that tools/slurm/up.sh started; None on another SLURM."""
    folder = Path(os.environ.get("SLURM_CONF", "/none")).parent
    return folder if (folder / "n1.pid").exists() else None


def first_process(node):
    """Number of the process that is the node: with it, everything on the node ends."""
    return int((base() / f"{node}.pid").read_text().split()[0])


def processes(node, words):
    """Process numbers on a node whose command line contains all the words."""
    with open(f"/proc/{first_process(node)}/task/{first_process(node)}/children") as file:
        inside = os.readlink(f"/proc/{file.read().split()[0]}/ns/pid")
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes().decode().split("\0")
            if os.readlink(place / "ns/pid") == inside and set(words) <= set(line):
                found.append(int(place.name))
        except OSError:   # it has ended meanwhile
            continue
    return sorted(found)


def ranks(node):
    """Process numbers of hpc-cr's ranks on a node (not of srun's or mpirun's own processes)."""
    return [number for number in processes(node, ["run", "--resume"])
            if "python" in os.path.basename(os.readlink(f"/proc/{number}/exe"))]


def take_down(node):
    """A power cut: the node and all that runs on it are gone."""
    os.kill(first_process(node), signal.SIGKILL)


def bring_up():
    """Start again what was taken down, and wait for it."""
    names = call("sinfo", "--noheader", "--Node", "-o", "%N %c").split()
    call(ROOT / "tools" / "slurm" / "up.sh", len(names) // 2, names[1],
         env=os.environ | {"SLURM_TEST_BASE": str(base())})
