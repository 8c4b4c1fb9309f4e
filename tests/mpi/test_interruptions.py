"""Kills, signals and failures: nothing finished is lost, nothing hangs, resuming is exact."""

import os
import signal
import sys
import time

import pytest

from .launch import (
    HPC_CR,
    JOB,
    differing,
    done_entries,
    environment,
    mpirun,
    run,
    run_job,
    start,
)

pytestmark = pytest.mark.mpi

LONG = ["--set", "run.realisations=6", "--set", "integrator.steps_per_gyroradius=10000"]
"""About 3 s on one core: long enough to be interrupted in the middle."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    job = folder / "small.toml"
    job.write_text(JOB)
    return job, run_job(job, folder / "whole.h5", *LONG, ranks=2)


def begin(job, out, *arguments, ranks=2):
    """Start a long run and wait until some entries are finished."""
    command = [*HPC_CR, "run", job, "-o", out, *LONG, *arguments]
    process = start([*mpirun(ranks), *command] if ranks > 1 else command)
    deadline = time.monotonic() + 60
    while done_entries(out) < 3:
        assert process.poll() is None, "".join(process.communicate())
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.02)
    return process


def ranks_of(process):
    """Process numbers of the ranks of a running mpirun."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        return [int(number) for number in file.read().split()]


@pytest.mark.parametrize("victim", ["rank 0", "rank 1", "mpirun", "all"])
def test_kill_and_resume(whole, tmp_path, victim):
    job, complete = whole
    out = tmp_path / "killed.h5"
    process = begin(job, out)
    ranks = ranks_of(process)
    victims = {"rank 0": ranks[:1], "rank 1": ranks[1:2], "mpirun": [process.pid],
               "all": [process.pid, *ranks]}[victim]
    for number in victims:
        os.kill(number, signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode != 0
    deadline = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{number}") for number in ranks):
        assert time.monotonic() < deadline, "a rank outlives its job"
        time.sleep(0.05)
    finished = done_entries(out)
    assert 3 <= finished < 24
    # kill -9 leaves no time to clean up: the lock's file may stay, the lock does not
    run_job(job, out, *LONG, "--resume", ranks=3)
    assert differing(complete, out) == []


def test_usr1_through_mpirun_stops_cleanly(whole, tmp_path):
    job, complete = whole
    out = tmp_path / "stopped.h5"
    process = begin(job, out)
    began = time.monotonic()
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 75
    assert "stopped by SIGUSR1" in errors
    assert 3 <= done_entries(out) < 24
    run_job(job, out, *LONG, "--resume", "--set", "parallel.team_size=2", ranks=4)
    assert differing(complete, out) == []


def test_signal_on_one_rank_stops_all(whole, tmp_path):
    job, _ = whole
    process = begin(job, tmp_path / "one-rank.h5", ranks=3)
    os.kill(ranks_of(process)[2], signal.SIGUSR1)
    began = time.monotonic()
    process.communicate(timeout=20)
    assert process.returncode == 75
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGINT"])
def test_signal_to_a_single_process(whole, tmp_path, name):
    job, complete = whole
    out = tmp_path / "single.h5"
    process = begin(job, out, ranks=1)
    began = time.monotonic()
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 75, errors
    assert f"stopped by {name}" in errors
    if name == "SIGTERM":
        run_job(job, out, *LONG, "--resume", ranks=2)
        assert differing(complete, out) == []


def test_failing_rank_ends_the_job_and_is_named(whole, tmp_path):
    job, _ = whole
    script = tmp_path / "failing.py"
    script.write_text(
        "from mpi4py import MPI\n"
        "from hpc_cr.campaigns import workshop\n"
        "from hpc_cr.cli.main import main\n"
        "whole = workshop.advance\n"
        "def advance(*arguments):\n"
        "    if MPI.COMM_WORLD.rank == 1:\n"
        "        raise FloatingPointError('deliberate')\n"
        "    return whole(*arguments)\n"
        "workshop.advance = advance\n"
        "main()\n"
    )
    began = time.monotonic()
    out = tmp_path / "failed.h5"
    command = [sys.executable, script, "run", job, "-o", out, *LONG]
    done = run([*mpirun(3), *command], timeout=60)
    assert done.returncode not in (0, 2, 75)
    assert time.monotonic() - began < 10 + 10  # the start itself takes some seconds
    assert "rank 1 of 3" in done.stderr and "deliberate" in done.stderr


def test_second_job_on_the_same_file_is_refused(whole, tmp_path):
    job, _ = whole
    out = tmp_path / "busy.h5"
    process = begin(job, out)
    try:
        second = run([*HPC_CR, "run", job, "-o", out, *LONG, "--resume"])
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1 and "being written by" in second.stderr
    finally:
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=20)


def test_unwritable_folder(whole, tmp_path):
    job, _ = whole
    # root may write anywhere but in /proc
    for out in ("/proc/out.h5", tmp_path / "missing" / "out.h5"):
        done = run([*mpirun(2), *HPC_CR, "run", job, "-o", out])
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1 and str(out) in done.stderr, done.stderr


def test_disk_full_at_creation(whole, tmp_path):
    job, _ = whole
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=64k tmpfs {disk}"
    if run(["unshare", "--mount", "sh", "-c", mount]).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    words = [*mpirun(2), *HPC_CR, "run", str(job), "-o", f"{disk}/out.h5"]
    command = " ".join(words) + f"; status=$?; ls -A {disk}; exit $status"
    done = run(["unshare", "--mount", "sh", "-c", f"{mount} && {command}"])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "out.h5" in done.stderr, done.stderr
    assert done.stdout.strip() in ("", "out.h5.lock"), "a partial file was left behind"


def test_existing_file_and_changed_job(whole, tmp_path):
    job, complete = whole
    before = complete.read_bytes()
    refused = run([*HPC_CR, "run", job, "-o", complete, *LONG])
    assert refused.returncode == 2 and "--resume" in refused.stderr
    other = run([*HPC_CR, "run", job, "-o", complete, *LONG, "--resume",
                 "--set", "turbulence.rms=5 uG"])
    assert other.returncode == 2 and "turbulence.rms" in other.stderr
    again = run([*HPC_CR, "run", job, "-o", complete, *LONG, "--resume"])
    assert again.returncode == 0 and "PV" in again.stdout
    assert complete.read_bytes() == before


def test_too_little_shared_memory(whole, tmp_path):
    """A tiny backing folder is noticed before anything is allocated."""
    job, _ = whole
    disk = tmp_path / "shm"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=64k tmpfs {disk}"
    if run(["unshare", "--mount", "sh", "-c", mount]).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    words = [*mpirun(2), "-x", f"OMPI_MCA_osc_sm_backing_directory={disk}", *HPC_CR, "run",
             str(job), "-o", str(tmp_path / "out.h5"), "--set", "parallel.team_size=2"]
    done = run(["unshare", "--mount", "sh", "-c", f"{mount} && {' '.join(words)}"])
    assert done.returncode == 2
    assert "parallel.team_size = 1" in done.stderr


def test_environment_is_not_changed():
    """Importing hpc_cr starts no MPI and changes no setting."""
    code = ("import os; before = dict(os.environ); import hpc_cr, sys; hpc_cr.load_job;"
            "assert dict(os.environ) == before;"
            "assert 'mpi4py.MPI' not in sys.modules and 'matplotlib' not in sys.modules")
    assert run([sys.executable, "-c", code]).returncode == 0
    assert "OMP_NUM_THREADS" in environment()
