"""Starting hpc-cr as a user does: mpirun and hpc-cr as subprocesses with time limits."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HPC_CR = [sys.executable, "-u", "-m", "hpc_cr"]

JOB = """
[run]
seed = 7
realisations = 2

[turbulence]
rms = "4 uG"
outer_scale = "20 pc"
inner_scale = "1 pc"

[grids]
cells = 24
levels = 2
periods = 2

[particles]
rigidities = ["20 PV", "80 PV"]
nside = 4

[boundary]
kind = "time"
times = ["3 pc", "10 pc"]

[output]
displacement = true
l_max = 4

[gradient]
direction = [90, 0]
magnitude = "0.01 / pc"

[[case]]
name = "isotropic"
set = {}

[[case]]
name = "strong"
set = { "regular.model" = "uniform", "regular.strength" = "10 uG", "regular.direction" = [0, 0] }
"""


def mpirun(ranks):
    """The first words of an mpirun command."""
    return ["mpirun", "-q", "--bind-to", "none", "-n", str(ranks)]


def start(command, **options):
    """A subprocess in its own process group, with piped text output."""
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True, **options)


def run(command, timeout=120, **options):
    """A finished subprocess; fails the test after `timeout` seconds."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, **options)


def run_job(job, out, *arguments, ranks=1, timeout=120):
    """`hpc-cr run` of a job file that must succeed."""
    command = [*HPC_CR, "run", job, "-o", out, "--quiet", *arguments]
    done = run([*mpirun(ranks), *command] if ranks > 1 else command, timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(out)


ONE_AFTER_THE_OTHER = """
import json, os, sys
from hpc_cr.cli.main import main
import hpc_cr.anisotropy.observables, hpc_cr.fields, hpc_cr.trajectories  # nothing that starts MPI
for words in json.load(sys.stdin):
    child = os.fork()
    if not child:
        sys.argv[1:] = words
        main()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        sys.exit(f"{words}: {status}")
"""


def one_after_the_other(commands, folder):
    """Commands as processes of their own that share what takes longest, the imports."""
    done = run([sys.executable, "-c", ONE_AFTER_THE_OTHER], input=_words(commands), cwd=folder,
               timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


BY_THE_SAME_RANKS = """
import json, sys
from hpc_cr.cli.main import main
for words in json.loads(sys.argv.pop()):
    try:
        main(words)
    except SystemExit as end:
        if end.code:
            sys.exit(f"{words}: {end.code}")
"""


def by_the_same_ranks(commands, folder, ranks):
    """Commands one after the other by ranks that start once: nothing of a run may stay behind."""
    done = run([*mpirun(ranks), sys.executable, "-c", BY_THE_SAME_RANKS, _words(commands)],
               cwd=folder, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def _words(commands):
    return json.dumps([[str(word) for word in words] for words in commands])


def whole_run(tmp_path_factory, *arguments, ranks=1):
    """The small job in a folder of its own, and its uninterrupted result: (job, result)."""
    folder = tmp_path_factory.mktemp("whole")
    job = folder / "small.toml"
    job.write_text(JOB)
    return job, run_job(job, folder / "whole.h5", *arguments, ranks=ranks)


def begin_run(job, out, *arguments, ranks=2, entries=3):
    """Start a run and wait until some entries are finished."""
    command = [*HPC_CR, "run", job, "-o", out, *arguments]
    process = start([*mpirun(ranks), *command] if ranks > 1 else command)
    deadline = time.monotonic() + 60
    while done_entries(out) < entries:
        assert process.poll() is None, "".join(process.communicate())
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.02)
    return process


def numbers(path):
    """Every numerical dataset of a result file that bit-identity covers, as bytes by name."""
    import h5py

    found = {}

    def visit(name, item):
        machine = name.endswith(("status/seconds", "status/rank")) or "provenance" in name
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fciu" and not machine:
            found[name] = (item.shape, np.ascontiguousarray(item[...]).tobytes())

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def differing(first, second):
    """Names of the datasets in which two result files differ."""
    a, b = numbers(first), numbers(second)
    assert a.keys() == b.keys()
    return [name for name in a if a[name] != b[name]]


def done_entries(path):
    """How many entries a file marks as done, over all cases; 0 where it cannot be read yet."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            groups = file["case"].values() if "case" in file else [file]
            return sum(int(group["status/done"][...].sum()) for group in groups)
    except (OSError, KeyError):
        return 0
