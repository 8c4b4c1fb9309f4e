"""The points of a scaling study: their commands, batch scripts, runs and records.

A point is a job on a number of ranks in teams of some size, with some realisations. Every run
leaves three files beside each other: the result, the program's own times (hpc_cr.campaigns.times)
and how long the whole command took.
"""

import json
import os
import resource
import shlex
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from hpc_cr.campaigns.times import VARIABLE

ROOT = Path(__file__).resolve().parents[2]
MPIRUN = ROOT / "tools" / "mpirun.sh"


class Point(NamedTuple):
    """One place of the study."""

    ranks: int
    team: int
    realisations: int

    @property
    def name(self):
        return f"ranks{self.ranks}-team{self.team}-realisations{self.realisations}"


class StudyError(Exception):
    """Something a user can mend; the message is one line."""


def points(ranks, teams, realisations, kinds):
    """Points of strong scaling, and of weak scaling up to the same largest job.

    Parameters
    ----------
    ranks, teams : sequence of int
    realisations : int
        Of strong scaling, and of weak scaling on the most ranks.
    kinds : set of {"strong", "weak"}

    Returns
    -------
    list of Point
        Without repetition.
    """
    found = []
    for team in teams:
        for n in sorted(ranks):
            if team > n:
                continue
            if "strong" in kinds:
                found.append(Point(n, team, realisations))
            if "weak" in kinds:
                found.append(Point(n, team, max(realisations * n // max(ranks), 1)))
    return list(dict.fromkeys(found))


def command(point, job, out, settings, python, launch):
    """Words of a point's command."""
    words = [*launch, python, "-m", "hpc_cr", "run", job, "-o", out, "--overwrite", "--quiet"]
    for setting in (*settings, f"run.realisations={point.realisations}",
                    f"parallel.team_size={point.team}"):
        words += ["--set", setting]
    return [str(word) for word in words]


def files(folder, point, repeat):
    """Result, times, whole command and messages of one run."""
    stem = f"{point.name}-{repeat}"
    return [folder / f"{stem}{end}" for end in (".h5", ".times.json", ".command.json", ".log")]


def starter(launch, ranks):
    """Words that start so many ranks: `launch`, or mpirun on this machine."""
    return [*launch.split(), "-n", ranks] if launch else [MPIRUN, ranks]


def run(point, repeat, job, folder, settings, python, launch=None):
    """Run a point here; StudyError if it fails (launch: as for `batch_script`, None for mpirun)."""
    out, times, whole, log = files(folder, point, repeat)
    for old in (times, whole):
        old.unlink(missing_ok=True)
    words = command(point, job, out, settings, python, starter(launch, point.ranks))
    busy, own = _busy_seconds(), _own_seconds()
    began = time.perf_counter()
    with open(log, "w") as messages:
        status = subprocess.run(words, stdout=messages, stderr=messages, cwd=ROOT,
                                env=os.environ | {VARIABLE: str(times)}).returncode
    seconds = time.perf_counter() - began
    if status != 0:
        raise StudyError(f"{point.name} failed with status {status}: see {log}")
    others = max(_busy_seconds() - busy - (_own_seconds() - own), 0.0) / seconds
    if launch:
        others = None  # the ranks are not children of this process, and may be on other nodes
    whole.write_text(json.dumps({"seconds": seconds, "others": others}) + "\n")


def _busy_seconds():
    """Core-seconds that this machine has been busy since it started (0 where nothing tells)."""
    try:
        user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    except (OSError, ValueError):
        return 0.0
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def batch_script(point, repeat, job, folder, settings, python, launch, options):
    """Text of the sbatch script of one run.

    Parameters
    ----------
    launch : str or None
        How ranks are started, such as "srun --mpi=pmix"; -n and their number follow. None: as the
        batch scripts in jobs/slurm do it.
    options : sequence of str
        More lines for sbatch, such as "--partition=compute".
    """
    out, times, whole, log = files(folder, point, repeat)
    run = shlex.join(command(point, job, out, settings, python, []))
    lines = ["#!/bin/bash", f"#SBATCH --job-name={point.name}", f"#SBATCH --ntasks={point.ranks}",
             "#SBATCH --cpus-per-task=1", f"#SBATCH --output={log}",
             *(f"#SBATCH {option}" for option in options), "",
             f"cd {shlex.quote(str(ROOT))}",
             f"rm -f {shlex.quote(str(times))} {shlex.quote(str(whole))}",
             f"export PATH={shlex.quote(str(Path(python).parent))}:$PATH",
             *([f"HPC_CR_LAUNCH={shlex.quote(launch)}"] if launch else []),
             "place=jobs/slurm", '. "$place/common.sh"', "load_profile", "choose_launch",
             f"export {VARIABLE}={shlex.quote(str(times))}", "began=$(date +%s.%N)",
             f'attend "${{launch[@]}}" -n "$ranks" {run} || exit', "ended=$(date +%s.%N)",
             "awk -v a=$began -v b=$ended 'BEGIN { printf \"{\\\"seconds\\\": %.3f}\\n\", b - a }'"
             f" > {shlex.quote(str(whole))}"]
    return "\n".join(lines) + "\n"


def submit(script):
    """Hand a script to SLURM; what sbatch says."""
    try:
        done = subprocess.run(["sbatch", str(script)], capture_output=True, text=True)
    except FileNotFoundError:
        raise StudyError("there is no sbatch here: --submit is for a SLURM cluster") from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StudyError(f"sbatch {script}: {reason.removeprefix('sbatch: error: ')}")
    return done.stdout.strip()


def collect(points, repeats, folder):
    """Records of the finished runs, a list of dict, and how many are missing.

    A record holds ranks, team, teams, realisations, repeat; seconds of the tracking (from the run
    record's start to its end) and of the whole command; the shares of the leaders' tracking time
    that go into writing entries, waiting for tasks, and waiting for the last rank; `others`, the
    cores' worth of other processes meanwhile (None where it was not measured).
    """
    records, missing = [], 0
    for point in points:
        for repeat in range(repeats):
            _, times, whole, _ = files(folder, point, repeat)
            try:
                inner, outer = (json.loads(file.read_text()) for file in (times, whole))
            except (OSError, ValueError):
                missing += 1
                continue
            share = {f"{name}_share": sum(inner[name]) / (inner["teams"] * inner["seconds"])
                     for name in ("writing", "waiting", "end")}
            records.append({**point._asdict(), "repeat": repeat, "teams": inner["teams"],
                            "tracking_seconds": inner["seconds"],
                            "command_seconds": outer["seconds"], **share,
                            "others": outer.get("others")})
    return records, missing
