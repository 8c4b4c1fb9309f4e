"""The work distribution on real ranks: every task once, however leaders ask, and times on request.

Rank 0 answers between its own tasks; leaders ask ahead while there is plenty.
"""

import json
import sys

import pytest

from hpc_cr.campaigns.times import ACTIVITIES

from .launch import HPC_CR, JOB, mpirun, run

pytestmark = pytest.mark.mpi

TASKS = """
import sys, time
from mpi4py import MPI
from hpc_cr.parallel.distribution import Distribution
from hpc_cr.parallel.signals import StopSignals

comm = MPI.COMM_WORLD
total, stop_after, size = (int(word) for word in sys.argv[1:])
reported, signals = [], StopSignals()
distribution = Distribution(comm, comm.size, signals, list(range(total)),
                            lambda report: reported.append(report[0]))
mine = 0
while (task := distribution.next_task()) is not None:
    time.sleep(0.002)
    distribution.report((task, bytes(size)))
    mine += 1
    if comm.rank == comm.size - 1 and mine == stop_after:
        signals.received = "SIGUSR1"
distribution.finish()
if comm.rank == 0:
    print(sorted(reported), distribution.stopped_by)
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("tasks") / "tasks.py"
    path.write_text(TASKS)
    return path


@pytest.mark.parametrize("ranks, total, size", [
    (2, 50, 10), (4, 101, 10), (5, 3, 10), (3, 0, 10),
    # whole entries, as where h5py has no MPI: too large to be under way without both ends
    (3, 40, 3_000_000),
])
def test_every_task_once(script, ranks, total, size):
    done = run([*mpirun(ranks), sys.executable, script, total, 0, size])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{list(range(total))} None"


def test_stop_refuses_tasks_that_were_asked_ahead(script):
    """A leader that holds a task when the signal comes gives it up, and all end."""
    done = run([*mpirun(3), sys.executable, script, 2000, 5, 10], timeout=30)
    assert done.returncode == 0, done.stderr
    reported, signal = done.stdout.strip().rsplit(" ", 1)
    assert signal == "SIGUSR1"
    assert 5 <= len(json.loads(reported)) < 500


def test_times_are_written_where_asked(tmp_path, monkeypatch):
    job = tmp_path / "small.toml"
    job.write_text(JOB)
    monkeypatch.setenv("HPC_CR_TIMES", str(tmp_path / "times.json"))
    done = run([*mpirun(2), *HPC_CR, "run", job, "-o", tmp_path / "out.h5", "--quiet"])
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "times.json").read_text())
    assert found["ranks"] == found["teams"] == len(found["writing"]) == 2
    activities = [found[name] for name in ACTIVITIES]
    assert min(map(min, activities)) >= 0
    # the wall time is rank 0's
    assert 0 < sum(spent[0] for spent in activities) <= found["seconds"]
