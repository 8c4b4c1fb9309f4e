"""A rank that hangs ends the job within the deadline, and the message names it.

The watch goes round a ring: a rank that is stopped (SIGSTOP, as if its node were gone) is named by
its successor, one whose main thread stands still names itself and the place. Silence counts only
while the listener was awake: a job that is stopped as a whole for longer than the deadline goes on.
"""

import json
import os
import re
import signal
import socket
import sys
import time

import pytest

from hpc_cr.parallel.watchdog import Silence, Watchdog

from .launch import HPC_CR, JOB, differing, done_entries, mpirun, run_job, start, whole_run

LONG = ["--set", "run.realisations=6", "--set", "integrator.steps_per_gyroradius=50000"]
"""Seconds of computing: long enough to be interrupted in the middle."""

BOUND = 12.0
"""s, from the fault to the end of mpirun beyond the deadline; 3 to 4 on an idle machine."""


class Clock:
    """A clock that shows what it is told."""

    now = 0.0

    def __call__(self):
        return self.now


def test_silence_counts_only_what_the_listener_was_awake():
    clock = Clock()
    silence = Silence(0.5, clock)
    for clock.now in (0.1, 0.3, 0.7):
        seconds = silence.look(False)
    assert seconds == pytest.approx(0.7)
    # a stopped listener, a suspended machine, a clock put forward or back
    clock.now += 3600
    assert silence.look(False) == pytest.approx(1.2)
    clock.now -= 7200
    assert silence.look(False) == pytest.approx(1.2)
    clock.now += 0.2
    assert silence.look(False) == pytest.approx(1.4)
    clock.now += 0.2
    assert silence.look(True) == 0.0
    clock.now += 0.2
    assert silence.look(False) == pytest.approx(0.2)


def test_watchdog_sees_a_main_thread_that_stands_still():
    found = []
    dog = Watchdog(0.2, "rank 1 of 2 on here", lambda *what: found.append(what))
    dog.start()
    for _ in range(40):
        time.sleep(0.01)
        dog.moved()
    assert found == []
    time.sleep(1.0)
    dog.stop()
    seconds, place, stack = found[0]
    assert 0.2 < seconds < 0.5
    assert "test_heartbeat.py" in place and "stands_still" in place and "time.sleep(1.0)" in stack


def test_work_without_polling_is_no_standstill():
    """Imports and compilation take long and poll nothing, but they move."""
    found = []
    dog = Watchdog(0.4, "rank 1 of 2 on here", lambda *what: found.append(what))
    dog.start()
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        json.dumps(json.loads("[1, [2, {}]]"))
        sum(range(50))
    dog.stop()
    assert found == []


FAULTS = {
    "stop": "os.kill(os.getpid(), signal.SIGSTOP)",
    "lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    # as HDF5 does while it opens a file: no other thread of Python runs
    "call": "ctypes.PyDLL(None).sleep(1000)",
    # all others wait for a rank that does not come
    "barrier": "comm.Barrier()",
    "none": "pass",
}

TASKS = """
import ctypes, os, signal, sys, threading, time
from mpi4py import MPI
from hpc_cr.parallel import watchdog
from hpc_cr.parallel.distribution import Distribution
from hpc_cr.parallel.heartbeat import Heartbeat
from hpc_cr.parallel.signals import StopSignals

comm = MPI.COMM_WORLD

def hang():
    print("failing now", flush=True)
    {fault}

watchdog.load()
comm.Barrier()  # the processes of a busy machine start seconds apart
with Heartbeat(comm, {deadline}) as heartbeat:
    heartbeat.watch_calls()
    reported = []
    distribution = Distribution(comm, comm.size, StopSignals(), list(range({total})),
                                reported.append, heartbeat=heartbeat)
    mine = 0
    while (task := distribution.next_task()) is not None:
        for _ in range(5):
            time.sleep(0.02)
            distribution.poll()
        distribution.report(task)
        mine += 1
        if comm.rank == {rank} and mine == 3:
            hang()
    distribution.finish()
if comm.rank == 0:
    print(len(reported), flush=True)
"""

HOST = socket.gethostname()
NAMED = {
    ("stop", 1): f"rank 1 of 3 on {HOST} has been silent for",
    ("stop", 0): f"rank 0 of 3 on {HOST} has been silent for",
    ("lock", 2): f"rank 2 of 3 on {HOST} has not moved for",
    ("call", 1): f"rank 1 of 3 on {HOST} has not moved for",
    ("barrier", 0): f"rank 0 of 3 on {HOST} has not moved for",
    ("run", 1): f"rank 1 of 3 on {HOST} has been silent for",
}
PLACE = {"lock": " hang", "call": " in hang", "barrier": " hang"}


@pytest.mark.mpi
def test_hanging_rank_ends_the_job_and_is_named(tmp_path):
    """All at once: the jobs do nothing but wait."""
    deadline = 3.0
    jobs = {("run", 1): hpc_cr_that_stops(tmp_path)}
    for fault, rank in list(NAMED)[:-1]:
        script = tmp_path / f"{fault}{rank}.py"
        script.write_text(TASKS.format(fault=FAULTS[fault], rank=rank, deadline=deadline,
                                       total=100000))
        jobs[fault, rank] = start([*mpirun(3), sys.executable, script])
    ended = {}
    for process in jobs.values():
        assert "failing now\n" in iter(process.stdout.readline, ""), process.communicate()[1]
    began = time.monotonic()
    while len(ended) < len(jobs) and time.monotonic() - began < deadline + BOUND:
        ended |= {key: time.monotonic() - began for key, process in jobs.items()
                  if key not in ended and process.poll() is not None}
        time.sleep(0.02)
    for (fault, rank), process in jobs.items():
        if process.poll() is None:
            process.kill()
        errors = process.communicate()[1]
        assert (fault, rank) in ended, f"{fault} on rank {rank}: no end\n{errors}"
        assert process.returncode not in (0, 2, 75)
        named = [line for line in errors.splitlines() if line.startswith("hpc-cr:")]
        assert NAMED[fault, rank] in named[0], errors
        assert PLACE.get(fault, "") in errors
        assert float(re.search(r" for ([0-9.]+) s", named[0])[1]) >= deadline


def hpc_cr_that_stops(folder):
    """`hpc-cr run` on three ranks, of which one stops when it begins to work."""
    job, script = folder / "small.toml", folder / "patched.py"
    job.write_text(JOB)
    # compilation takes longer than the short deadline of this test
    run_job(job, folder / "warm.h5")
    script.write_text(PATCHED.format(place="campaign._work", rank=1))
    return start([*mpirun(3), sys.executable, script, "run", job, "-o", folder / "out.h5",
                  "--quiet", "--set", "parallel.deadline=3 s"])


@pytest.mark.mpi
def test_stopped_job_goes_on(tmp_path):
    """Stopped as a whole for longer than the ring and the watchdog allow, then continued."""
    script = tmp_path / "tasks.py"
    script.write_text(TASKS.format(fault=FAULTS["none"], rank=1, deadline=0.5, total=60))
    process = start([*mpirun(2), sys.executable, script])
    assert process.stdout.readline() == "failing now\n"
    ranks = ranks_of(process)
    for number in ranks:
        os.kill(number, signal.SIGSTOP)
    time.sleep(4.0)
    for number in ranks:
        os.kill(number, signal.SIGCONT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert output == "60\n" and errors == ""


def ranks_of(process):
    """Process numbers of the ranks of a running mpirun."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        return [int(number) for number in file.read().split()]


PATCHED = """
import os, signal, sys
from mpi4py import MPI
from hpc_cr.campaigns import campaign, warm_up
from hpc_cr.cli import run
from hpc_cr.cli.main import main
from hpc_cr.io.writer import ResultWriter
from hpc_cr.parallel import heartbeat

heartbeat.START_SECONDS = 4.0

def stop(whole):
    def function(*arguments, **options):
        if MPI.COMM_WORLD.rank == {rank}:
            print("failing now", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return whole(*arguments, **options)
    return function

{place} = stop({place})
main()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_run(tmp_path_factory, *LONG, ranks=2)


@pytest.mark.mpi
@pytest.mark.slow
def test_stopped_rank_of_a_run(whole, tmp_path):
    """What is finished is kept, and resuming gives the same bits."""
    job, complete = whole
    out = tmp_path / "stopped.h5"
    process = start([*mpirun(3), *HPC_CR, "run", job, "-o", out, *LONG,
                     "--set", "parallel.deadline=3 s"])
    while done_entries(out) < 3:
        assert process.poll() is None, "".join(process.communicate())
        time.sleep(0.02)
    os.kill(ranks_of(process)[1], signal.SIGSTOP)
    began = time.monotonic()
    errors = process.communicate(timeout=3 + BOUND)[1]
    assert time.monotonic() - began > 3
    assert f"hpc-cr: rank 1 of 3 on {HOST} has been silent for" in errors
    assert 3 <= done_entries(out) < 24
    run_job(job, out, *LONG, "--resume", ranks=2)
    assert differing(complete, out) == []


@pytest.mark.mpi
@pytest.mark.slow
@pytest.mark.parametrize("place, rank, named", [
    ("warm_up.load_kernels", 1, "rank 1 of 3 on {} has been silent for"),
    ("campaign._lay_out", 0, "rank 0 of 3 on {} has been silent for"),
    # before there is a ring, and when all others are inside the same collective
    # call, they name themselves and the place
    ("run._job", 0, "on {} has not moved for"),
    ("ResultWriter.__init__", 2, "on {} has not moved for"),
    ("ResultWriter.close", 1, "on {} has not moved for"),
    ("campaign.Team", 1, "on {} has not moved for"),
])
def test_stopped_while_others_wait_in_a_collective_call(whole, tmp_path, place, rank, named):
    job, _ = whole
    script = tmp_path / "patched.py"
    script.write_text(PATCHED.format(place=place, rank=rank))
    process = start([*mpirun(3), sys.executable, script, "run", job, "-o", tmp_path / "out.h5",
                     "--set", "parallel.deadline=4 s"])
    for line in process.stdout:
        if "failing now" in line:
            break
    began = time.monotonic()
    errors = process.communicate(timeout=4 + BOUND)[1]
    print(f"{place}: {time.monotonic() - began:.1f} s")
    assert process.returncode not in (0, 2, 75)
    assert named.format(HOST) in errors, errors
