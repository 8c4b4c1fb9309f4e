"""Kills, signals and failures: nothing finished is lost, nothing hangs, resuming is exact."""

import os
import signal
import sys
import time

import pytest

from .launch import (
    HPC_CR,
    begin_run,
    by_the_same_ranks,
    differing,
    done_entries,
    mpirun,
    run,
    run_job,
    start,
    whole_run,
)

pytestmark = pytest.mark.mpi

LONG = ["--set", "run.realisations=6", "--set", "integrator.steps_per_gyroradius=30000"]
"""About 2 s on one core: long enough to be interrupted in the middle."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_run(tmp_path_factory, *LONG, ranks=2)


def begin(job, out, *arguments, ranks=2):
    """Start a long run and wait until some entries are finished."""
    return begin_run(job, out, *LONG, *arguments, ranks=ranks)


def ranks_of(process):
    """Process numbers of the ranks of a running mpirun."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        return [int(number) for number in file.read().split()]


VICTIMS = ("rank 0", "rank 1", "mpirun", "all")


@pytest.fixture(scope="module")
def resumed(whole, tmp_path_factory):
    """Victim -> (entries finished when it was killed, the file that 3 ranks completed)."""
    job, _ = whole
    folder, finished = tmp_path_factory.mktemp("killed"), {}
    files = {victim: folder / f"{victim}.h5" for victim in VICTIMS}
    for victim, out in files.items():
        process = begin(job, out)
        ranks = ranks_of(process)
        for number in {"rank 0": ranks[:1], "rank 1": ranks[1:2], "mpirun": [process.pid],
                       "all": [process.pid, *ranks]}[victim]:
            os.kill(number, signal.SIGKILL)
        process.communicate(timeout=20)
        assert process.returncode != 0
        deadline = time.monotonic() + 10
        while any(os.path.exists(f"/proc/{number}") for number in ranks):
            assert time.monotonic() < deadline, f"{victim}: a rank outlives its job"
            time.sleep(0.05)
        finished[victim] = done_entries(out)
    # kill -9 leaves no time to clean up: the lock's file may stay, the lock does not
    by_the_same_ranks([["run", job, "-o", out, "--quiet", *LONG, "--resume"]
                       for out in files.values()], folder, 3)
    return {victim: (finished[victim], files[victim]) for victim in VICTIMS}


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_and_resume(whole, resumed, victim):
    finished, out = resumed[victim]
    assert 3 <= finished < 24
    assert differing(whole[1], out) == []


def test_usr1_through_mpirun_stops_cleanly(whole, tmp_path):
    job, complete = whole
    out = tmp_path / "stopped.h5"
    process = begin(job, out)
    began = time.monotonic()
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
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
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGINT"])
def test_signal_to_a_single_process(whole, tmp_path, name):
    job, complete = whole
    out = tmp_path / "single.h5"
    process = begin(job, out, ranks=1)
    began = time.monotonic()
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert process.returncode == 75, errors
    assert f"stopped by {name}" in errors
    if name == "SIGTERM":
        run_job(job, out, *LONG, "--resume", ranks=2)
        assert differing(complete, out) == []


FAILING = """
import sys
from mpi4py import MPI
if "{h5py}" == "serial":
    import types, h5py
    h5py.get_config = lambda: types.SimpleNamespace(mpi=False)
from hpc_cr.campaigns import experiments, workshop
from hpc_cr.cli.main import main
from hpc_cr.io.errors import ResultError
from hpc_cr.io.writer import ResultWriter

def fail(whole):
    def function(*arguments, **options):
        if MPI.COMM_WORLD.rank == {rank}:
            print("failing now", flush=True)
            raise {error}("deliberate")
        return whole(*arguments, **options)
    return function

{place} = fail({place})
main()
"""


@pytest.mark.parametrize(
    "place, rank, error, h5py, team",
    [
        ("experiments.advance", 1, "FloatingPointError", "parallel", 1),
        ("experiments.advance", 2, "FloatingPointError", "parallel", 3),
        ("workshop.synthesis_steps", 0, "MemoryError", "parallel", 1),
        # the disk fills up, or the file system fails, while entries are written
        ("ResultWriter.write_entry", 1, "ResultError", "parallel", 1),
        ("ResultWriter.write_entry", 0, "ResultError", "parallel", 3),
        ("ResultWriter.write_entry", 0, "ResultError", "serial", 1),
        ("ResultWriter.__init__", 0, "ResultError", "parallel", 3),
    ],
)
def test_failing_rank_ends_the_job_and_is_named(whole, tmp_path, place, rank, error, h5py, team):
    job, _ = whole
    script = tmp_path / "failing.py"
    script.write_text(FAILING.format(place=place, rank=rank, error=error, h5py=h5py))
    command = [sys.executable, script, "run", job, "-o", tmp_path / "failed.h5", *LONG,
               "--set", f"parallel.team_size={team}"]
    process = start([*mpirun(3), *command])
    for line in process.stdout:
        if "failing now" in line:
            break
    began = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode not in (0, 2, 75)
    assert f"rank {rank} of 3" in errors and "deliberate" in errors


def test_signal_while_kernels_are_compiled(whole, tmp_path, monkeypatch):
    job, _ = whole
    monkeypatch.setenv("HPC_CR_CACHE_DIR", str(tmp_path / "cold"))
    process = start([*mpirun(2), *HPC_CR, "run", job, "-o", tmp_path / "out.h5"])
    for line in process.stdout:
        if "preparing" in line:
            break
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=30)
    assert process.returncode == 75


SLOW_CHECK = """
import time
from hpc_cr.io import verify
whole = verify.verify

def slow(results):
    for entry in whole(results):
        print("checking", flush=True)
        time.sleep(0.2)
        yield entry

verify.verify = slow
from hpc_cr.cli.main import main
main()
"""


def test_signal_while_finished_entries_are_checked(whole, tmp_path):
    """A large file takes minutes to read: the time limit may come meanwhile."""
    job, complete = whole
    script = tmp_path / "slow.py"
    script.write_text(SLOW_CHECK)
    before = complete.read_bytes()
    process = start([*mpirun(2), sys.executable, script, "run", job, "-o", complete, *LONG,
                     "--resume"])
    for line in process.stdout:
        if "checking" in line:
            break
    process.send_signal(signal.SIGUSR1)
    began = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 75 and "stopped by SIGUSR1" in errors
    assert time.monotonic() - began < 4, "24 entries take 4.8 s"
    assert complete.read_bytes() == before


def test_without_an_mpi_library(tmp_path, whole):
    """One process runs anyway, through the serial driver, to the same bits."""
    job, _ = whole
    hide = "import os; os.environ['MPI4PY_LIBMPI'] = '/nonexistent.so'\n"
    script = tmp_path / "no_mpi.py"
    script.write_text(hide + "from hpc_cr.cli.main import main\nmain()\n")
    out = tmp_path / "out.h5"
    done = run([sys.executable, script, "run", job, "-o", out])
    assert done.returncode == 0, done.stderr
    assert differing(run_job(job, tmp_path / "with.h5"), out) == []
    launched = run([*mpirun(1), sys.executable, script, "run", job, "-o", tmp_path / "x.h5"])
    assert launched.returncode == 2 and "MPI" in launched.stderr


def test_launcher_of_another_mpi(tmp_path, whole, monkeypatch):
    """Processes that do not find each other say so, instead of each being a job of its own."""
    monkeypatch.setenv("PMI_SIZE", "2")
    done = run([*HPC_CR, "run", whole[0], "-o", tmp_path / "out.h5"])
    assert done.returncode == 2 and not (tmp_path / "out.h5").exists()
    assert done.stderr.count("\n") == 1 and "another MPI" in done.stderr, done.stderr


def test_damaged_entry_is_computed_again(whole, tmp_path):
    """An entry whose checksum does not fit its data is not taken as finished."""
    import shutil

    import h5py

    job, complete = whole
    out = tmp_path / "damaged.h5"
    shutil.copy(complete, out)
    with h5py.File(out, "r+") as file:
        file["case/strong/anisotropy/response"][1, 0, 0, 0, 0] += 1.0
    assert differing(complete, out) == ["case/strong/anisotropy/response"]
    run_job(job, out, *LONG, "--resume", ranks=2)
    assert differing(complete, out) == []


def test_overwrite_keeps_the_old_file_until_nothing_can_go_wrong(whole, tmp_path):
    import shutil

    job, complete = whole
    out = tmp_path / "old.h5"
    shutil.copy(complete, out)
    done = run([*HPC_CR, "run", job, "-o", out, "--overwrite", "--set", "grids.cells=2000",
                "--set", "grids.levels=9"])
    assert done.returncode == 2 and "GiB of memory" in done.stderr, done.stderr
    assert out.read_bytes() == complete.read_bytes()


def test_second_job_on_the_same_file_is_refused(whole, tmp_path):
    job, _ = whole
    out = tmp_path / "busy.h5"
    process = begin(job, out)
    ranks = ranks_of(process)
    # the first must not end before the second has looked
    for number in ranks:
        os.kill(number, signal.SIGSTOP)
    try:
        second = run([*HPC_CR, "run", job, "-o", out, *LONG, "--resume"])
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1 and "being written by" in second.stderr
    finally:
        for number in ranks:
            os.kill(number, signal.SIGCONT)
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
    words = [*mpirun(2), *HPC_CR, "run", str(job), "--quiet", "-o", f"{disk}/out.h5"]
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


def test_import_changes_nothing():
    """Importing hpc_cr starts no MPI, draws in nothing heavy and changes no setting."""
    code = ("import os; before = dict(os.environ); import hpc_cr, sys; hpc_cr.load_job;"
            "assert dict(os.environ) == before;"
            "assert 'mpi4py.MPI' not in sys.modules and 'matplotlib' not in sys.modules")
    assert run([sys.executable, "-c", code]).returncode == 0
