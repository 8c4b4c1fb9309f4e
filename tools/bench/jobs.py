"""Whole commands under mpirun: start-up, P4 (time and efficiency) and P6 (memory).

The start-up is what passes from the command to the first step of a particle, with compiled kernels,
for a job of next to no work; its yardstick is an interpreter that only loads the libraries that
are needed for it and starts MPI.

P4 is the quickstart on 1 and 2 ranks. Its yardstick is what the textbook kernel takes for the
same particle-steps, shared evenly by the ranks, and nothing else.

P6 is the peak memory of 2 ranks, for the quickstart and for the paper's isotropic job with one
field per rank and with a shared one: of all ranks together (sum of their proportional set sizes)
and of the largest rank (resident set). The yardstick is one copy of the field, three float32
numbers per node. The paper's job is stopped once its ranks have tracked for a while.
"""

import subprocess
import sys
import time

from hpc_cr.config import load_job
from hpc_cr.fields.nested import make_field
from tools.bench.kernels import textbook_copy
from tools.bench.launch import ROOT, launch
from tools.bench.paper import textbook_seconds
from tools.bench.timing import Figure, take_turns

QUICKSTART = "jobs/quickstart.toml"
PAPER = "jobs/mertsch_funk2015.toml"
PAPER_SECONDS = 15.0
TEXTBOOK_STEPS = 2_000_000
WARM = ("run.realisations=1",)
NEXT_TO_NOTHING = ("run.realisations=2", 'boundary.times=["1 pc"]', "particles.nside=2",
                   "output.l_max=4")


def textbook_of(job, steps=TEXTBOOK_STEPS):
    """Seconds of the textbook kernel on one core for all skies of a job."""
    total = 0.0
    for case in job.cases:
        book = textbook_copy(case.job, make_field(case.job))
        textbook_seconds(case.job, book, 0, 1)
        total += case.job.n_row * sum(textbook_seconds(case.job, book, rig, steps)
                                      for rig in range(len(case.job.particles.rigidities)))
    return total


def bare_start(ranks):
    """Seconds of an interpreter that loads numpy, numba, h5py and pyfftw and starts MPI."""
    imports = "import numpy, numba, h5py, pyfftw; from mpi4py import MPI"
    return _seconds(["tools/mpirun.sh", str(ranks), sys.executable, "-c", imports])


def _seconds(command):
    """Time of a command in the root of the checkout."""
    began = time.time()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.time() - began


def measure_start(rounds, say):
    """Figures of the start-up: help, and runs on 1 and 2 ranks."""
    say("compilation")
    launch(QUICKSTART, 1, NEXT_TO_NOTHING)
    functions = {"help": lambda: _seconds([sys.executable, "-m", "hpc_cr", "--help"]),
                 "bare help": lambda: _seconds([sys.executable, "-c", "import click"])}
    for ranks in (1, 2):
        functions[ranks] = lambda n=ranks: launch(QUICKSTART, n, NEXT_TO_NOTHING).startup
        functions["bare", ranks] = lambda n=ranks: bare_start(n)
    done = iter(range(1, rounds * len(functions) + 1))
    found = take_turns(functions, rounds,
                       lambda: say(f"run {next(done)} of {rounds * len(functions)}"))
    figures = [Figure("start", "hpc-cr --help", "s", found["help"], "python with click",
                      found["bare help"])]
    for ranks in (1, 2):
        figures.append(Figure(
            "start", f"mpirun -n {ranks} to the first kernel call of the last rank", "s",
            found[ranks], "mpirun, libraries and MPI", found["bare", ranks]))
    return figures


def measure_time(rounds, say, overrides=()):
    """Figures of P4."""
    say("compilation")
    launch(QUICKSTART, 1, (*overrides, *WARM))
    marks, runs = [], {1: [], 2: []}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: textbook kernel")
        marks.append(textbook_of(load_job(ROOT / QUICKSTART, overrides)))
        for ranks, found in runs.items():
            say(f"round {number + 1} of {rounds}: {ranks} rank{'s' if ranks > 1 else ''}")
            found.append(launch(QUICKSTART, ranks, overrides))
    figures = []
    for ranks, found in runs.items():
        on = f"{ranks} rank{'s' if ranks > 1 else ''}"
        ideal = "textbook kernel" if ranks == 1 else f"textbook kernel / {ranks}"
        share = tuple(mark / ranks for mark in marks)
        figures += [
            Figure("P4", f"quickstart on {on}: whole command", "s",
                   tuple(run.whole for run in found), ideal, share),
            Figure("P4", f"quickstart on {on}: tracking, first task to last entry", "s",
                   tuple(run.tracking for run in found), ideal, share),
            Figure("P4", f"quickstart on {on}: core-seconds of kernels in the file's records",
                   "core-s", tuple(run.busy for run in found), "textbook kernel", tuple(marks)),
            Figure("P4", f"quickstart on {on}: from mpirun to the first kernel call", "s",
                   tuple(run.startup for run in found), None, ()),
        ]
    for name in ("whole", "tracking"):
        figures.append(Figure(
            "P4", f"efficiency of 2 ranks, {'whole command' if name == 'whole' else name}", "",
            tuple(getattr(one, name) / (2 * getattr(two, name))
                  for one, two in zip(*runs.values(), strict=True)), None, ()))
    return figures


def one_copy_mib(job):
    """One realisation's nodes as three float32 numbers, the largest of the cases, MiB."""
    return max(len(case.job.levels) * case.job.grids.cells**3 * 12 for case in job.cases) / 2**20


def measure_memory(say, seconds=PAPER_SECONDS):
    """Figures of P6, one run each: memory hardly differs from run to run."""
    say("compilation")
    launch(QUICKSTART, 1, WARM)
    launch(PAPER, 1, WARM, seconds)
    figures = []
    for name, path, team, limit in (("quickstart", QUICKSTART, 1, None),
                                    ("paper, team_size 1", PAPER, 1, seconds),
                                    ("paper, team_size 2", PAPER, 2, seconds)):
        say(name)
        overrides = (f"parallel.team_size={team}", *(("run.realisations=4",) if not limit else ()))
        taken = launch(path, 2, overrides, limit)
        copy = one_copy_mib(load_job(ROOT / path))
        for what, value in (("2 ranks together", taken.peak_node),
                            ("largest rank", taken.peak_rank)):
            figures.append(Figure("P6", f"{name}: {what}", "MiB", (value,),
                                  "one copy of the field", (copy,)))
    return figures
