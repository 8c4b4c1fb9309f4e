"""Faults of the machine and its files, provoked in real runs.

Each test bounds the time from the fault to the end of the job, reads the message, compares every
entry that is called finished with an uninterrupted run, and lets --resume complete the file to
the same bits.
"""

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hpc_cr import open_results
from hpc_cr.io.verify import verify

from .launch import HPC_CR, differing, done_entries, mpirun, run, run_job, start, whole_run

pytestmark = pytest.mark.mpi

LONG = ["--set", "run.realisations=6", "--set", "integrator.steps_per_gyroradius=30000"]
"""24 entries, about 2 s on one core: long enough for a fault in the middle."""

END_SECONDS = 15.0
"""Bound from a fault to the end of the job: an entry takes 0.1 s, the machine may be busy."""

SERIAL = """
import types, h5py
h5py.get_config = lambda: types.SimpleNamespace(mpi=False)
from hpc_cr.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_run(tmp_path_factory, *LONG, ranks=2)


class Run:
    """A job under way in which something will go wrong."""

    def __init__(self, job, out, *arguments, ranks=2, program=HPC_CR, wait_for=3, **options):
        words = [*program, "run", job, "-o", out, *LONG, *arguments]
        self.process = start([*mpirun(ranks), *words] if ranks > 1 else words, **options)
        deadline = time.monotonic() + 120
        while done_entries(out) < wait_for:
            assert self.process.poll() is None, "".join(self.process.communicate())
            assert time.monotonic() < deadline, "the run makes no progress"
            time.sleep(0.01)
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        self.ranks = [int(n) for n in children.read_text().split()] if ranks > 1 else [pid]
        self.began = time.monotonic()

    def end(self, within=END_SECONDS):
        """Standard output and error, when it has ended in time."""
        output = self.process.communicate(timeout=60)
        assert time.monotonic() - self.began < within
        return output

    def limit(self, what, value):
        for number in self.ranks:
            resource.prlimit(number, what, (value, value))


def finished_are_exact(path, complete):
    """How many entries are called finished, each of which equals the uninterrupted run's."""
    count = 0
    with open_results(path) as found, open_results(complete) as expected:
        assert all(entry.whole for entry in verify(found))
        for mine, theirs in zip(found.each_case(), expected.each_case(), strict=True):
            for name in ("response", "displacement", "alm", "noise", "dipole"):
                a, b = mine.array(f"anisotropy/{name}"), theirs.array(f"anisotropy/{name}")
                assert a[mine.done].tobytes() == b[mine.done].tobytes()
            count += int(mine.done.sum())
    return count


def resume_completes(job, out, complete):
    run_job(job, out, *LONG, "--resume")
    assert differing(complete, out) == []


def own_lines(errors):
    """What hpc-cr itself says; MPI's input and output layer prints a line of its own."""
    return [line for line in errors.splitlines() if line.startswith("hpc-cr: ")]


def needs_mounts(folder):
    folder.mkdir()
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if run(probe).returncode != 0:
        pytest.skip("no file system can be mounted here")


# ---- the disk ------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own, mounted for this test: (mount, unmount, folder)."""
    folder, image = tmp_path / "disk", tmp_path / "image"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    tools = [shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/sbin:/usr/sbin"),
             shutil.which("mount")]
    if not all(tools) or run([tools[0], "-q", image]).returncode != 0:
        pytest.skip("no file system can be made here")
    if run(["mount", "-o", "loop", image, folder]).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    run(["umount", "--lazy", folder])


def mount_again(image, folder):
    """As after a repair or a restart of the machine."""
    deadline = time.monotonic() + 20
    while run(["umount", folder]).returncode != 0:
        assert time.monotonic() < deadline, "somebody still uses the disk"
        time.sleep(0.05)
    assert run(["mount", "-o", "loop", image, folder]).returncode == 0


def test_disk_fills_up_midway(whole, disk):
    """The space was claimed at the start: a full disk does not concern the run any more."""
    job, complete = whole
    out = disk / "out.h5"
    running = Run(job, out, "--quiet")
    with pytest.raises(OSError, match="No space left"):
        with open(disk / "filler", "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
    output, errors = running.end(60)
    assert running.process.returncode == 0 and errors == ""
    assert os.statvfs(disk).f_bavail == 0
    assert differing(complete, out) == []


@pytest.mark.parametrize("h5py, ranks", [
    ("parallel", 3), pytest.param("serial", 1, marks=pytest.mark.slow),
    pytest.param("serial", 2, marks=pytest.mark.slow)])
def test_no_room_for_an_entry(whole, tmp_path, h5py, ranks):
    """Where nothing could be claimed: the system refuses a write in the middle of the file."""
    job, complete = whole
    out, program = tmp_path / "out.h5", HPC_CR
    if h5py == "serial" and ranks > 1:
        script = tmp_path / "serial.py"
        script.write_text(SERIAL)
        program = [sys.executable, script]
    running = Run(job, out, "--quiet", ranks=ranks, program=program)
    running.limit(resource.RLIMIT_FSIZE, out.stat().st_size // 8)
    _, errors = running.end()
    assert running.process.returncode == 1
    lines = own_lines(errors)
    assert 1 <= len(lines) <= ranks and "Traceback" not in errors, errors
    assert f" of {ranks} on " in lines[0] and f"{out}: cannot write: File too large" in lines[0]
    assert finished_are_exact(out, complete) >= 3
    resume_completes(job, out, complete)


@pytest.mark.slow
def test_disk_fails_midway(whole, tmp_path, disk):
    """Every access gives an input/output error from one moment on (the kernel shuts it down)."""
    import fcntl

    job, complete = whole
    out = disk / "out.h5"
    running = Run(job, out, "--quiet")
    handle = os.open(disk, os.O_RDONLY)
    try:
        # EXT4_IOC_SHUTDOWN, after writing out what is there
        fcntl.ioctl(handle, 0x8004587D, (0).to_bytes(4, "little"))
    except OSError:
        pytest.skip("this file system cannot be shut down")
    finally:
        os.close(handle)
    _, errors = running.end()
    assert running.process.returncode == 1
    assert "Traceback" not in errors and "Input/output error" in own_lines(errors)[0], errors
    mount_again(tmp_path / "image", disk)
    assert finished_are_exact(out, complete) >= 3
    resume_completes(job, out, complete)


@pytest.mark.slow
def test_a_dying_node_loses_ten_seconds_at_most(whole, tmp_path, disk):
    """What is not on the disk is lost with the machine; entries are put there as they come."""
    import fcntl

    job, complete = whole
    out = disk / "out.h5"
    script = tmp_path / "often.py"
    script.write_text("from hpc_cr.io import writer\nwriter.SYNC_SECONDS = 0.0\n"
                      "from hpc_cr.cli.main import main\nmain()\n")
    running = Run(job, out, "--quiet", ranks=1, program=[sys.executable, script], wait_for=6)
    handle = os.open(disk, os.O_RDONLY)
    try:
        # without writing anything out: as when the power fails
        fcntl.ioctl(handle, 0x8004587D, (2).to_bytes(4, "little"))
    except OSError:
        pytest.skip("this file system cannot be shut down")
    finally:
        os.close(handle)
    running.end()
    mount_again(tmp_path / "image", disk)
    # the flag of the last entry is written after it was put on the disk
    assert finished_are_exact(out, complete) >= 5
    resume_completes(job, out, complete)


@pytest.mark.slow
def test_folder_is_removed_while_the_job_runs(whole, tmp_path):
    job, _ = whole
    folder = tmp_path / "folder"
    folder.mkdir()
    running = Run(job, folder / "out.h5", "--quiet")
    shutil.rmtree(folder)
    _, errors = running.end(60)
    assert running.process.returncode == 1
    assert len(own_lines(errors)) == 1 and "Traceback" not in errors, errors
    assert f"{folder}/out.h5: the result file is gone" in errors
    assert "rank 0 of 2 on" in errors


@pytest.mark.slow
def test_folder_is_moved_while_the_job_runs(whole, tmp_path):
    """The data go on into the file that was moved, and --resume completes it there."""
    job, complete = whole
    folder = tmp_path / "folder"
    folder.mkdir()
    running = Run(job, folder / "out.h5", "--quiet")
    moved = folder.rename(tmp_path / "moved") / "out.h5"
    _, errors = running.end(60)
    assert running.process.returncode == 1 and "the result file is gone" in errors
    assert finished_are_exact(moved, complete) >= 3
    resume_completes(job, moved, complete)
    with open_results(moved) as results:
        assert [r["state"] for r in results.runs] in (["killed"], ["killed", "complete"])


# ---- memory --------------------------------------------------------------------------------

FILL_BEFORE = """
import os
folder = {folder!r}
def fill():
    try:
        with open(folder + "/filler", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass
def first_fill(whole):
    def function(*arguments):
        fill()
        return whole(*arguments)
    return function
from hpc_cr.parallel import teams
{place} = first_fill({place})
from hpc_cr.cli.main import main
main()
"""


@pytest.mark.parametrize("place, status", [
    # after the room was checked, and after MPI has made its file
    ("teams._agree_on_room", 1), ("teams._claim", 2)])  # fmt: skip
def test_shared_memory_fills_up_after_the_check(whole, tmp_path, place, status):
    """Claimed at the start: later, a page without room kills the rank that touches it (SIGBUS)."""
    job, _ = whole
    shm = tmp_path / "shm"
    needs_mounts(shm)
    script = tmp_path / "fill.py"
    script.write_text(FILL_BEFORE.format(place=place, folder=str(shm)))
    words = [*mpirun(2), "-x", f"OMPI_MCA_osc_sm_backing_directory={shm}", sys.executable, script,
             "run", job, "-o", tmp_path / "out.h5", "--quiet", "--set", "parallel.team_size=2"]
    mount = f"mount -t tmpfs -o size=24m tmpfs {shm}"
    done = run(["unshare", "--mount", "sh", "-c", f"{mount} && {' '.join(map(str, words))}"])
    assert done.returncode == status, done.stderr
    assert len(own_lines(done.stderr)) == 1 and "Traceback" not in done.stderr, done.stderr
    assert str(shm) in done.stderr and "parallel.team_size = 1" in done.stderr
    assert not (tmp_path / "out.h5").exists()


def test_memory_limit_on_one_rank(whole, tmp_path):
    """A rank that gets no more memory is named, and ends the job."""
    job, complete = whole
    out = tmp_path / "out.h5"
    script = tmp_path / "limited.py"
    # what it has, and nothing more
    script.write_text(
        "import resource\nfrom hpc_cr.campaigns import anisotropy\n"
        "from hpc_cr.cli.main import main\nfrom mpi4py import MPI\n"
        "whole, count = anisotropy.SkyObservables.measure, [0]\n"
        "def measure(*arguments):\n"
        "    count[0] += 1\n"
        "    if MPI.COMM_WORLD.rank == 1 and count[0] == 3:\n"
        "        used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "        resource.setrlimit(resource.RLIMIT_AS, (used, used))\n"
        "        bytes(1 << 28)\n"
        "    return whole(*arguments)\n"
        "anisotropy.SkyObservables.measure = measure\nmain()\n")
    running = Run(job, out, "--quiet", program=[sys.executable, script], wait_for=1)
    _, errors = running.end()
    assert running.process.returncode == 1
    assert len(own_lines(errors)) == 1 and "Traceback" not in errors, errors
    assert "rank 1 of 2 on" in errors and "MemoryError" in errors
    assert finished_are_exact(out, complete) >= 1
    resume_completes(job, out, complete)


# ---- result files that are not what --resume needs -----------------------------------------


def _truncated(good, bad):
    bad.write_bytes(good.read_bytes()[:-1000])


def _text(good, bad):
    bad.write_text("no result\n" * 1000)


def _zeros(good, bad):
    bad.write_bytes(bytes(good.stat().st_size))


def _empty(good, bad):
    bad.touch()


def _foreign(good, bad):
    import h5py

    with h5py.File(bad, "w") as file:
        file["status/done"] = np.ones((2, 2), np.uint8)


def _newer(good, bad):
    import h5py

    shutil.copy(good, bad)
    with h5py.File(bad, "r+") as file:
        file.attrs["format_version"] = 99


def _folder(good, bad):
    bad.mkdir()


def _pipe(good, bad):
    os.mkfifo(bad)


@pytest.mark.parametrize("make, says", [
    (_truncated, "truncated"), (_text, "not HDF5"), (_zeros, "not HDF5"), (_empty, "not HDF5"),
    (_foreign, "not a result file of hpc-cr"), (_newer, "format version 99"),
    (_folder, "is a folder"), (_pipe, "no regular file"),
])  # fmt: skip
def test_resuming_what_is_no_result_file(whole, tmp_path, make, says):
    """Refused in one line, and left as it is."""
    job, complete = whole
    bad = tmp_path / "bad.h5"
    make(complete, bad)
    before = bad.read_bytes() if bad.is_file() else stat.S_IFMT(bad.stat().st_mode)
    done = run([*HPC_CR, "run", job, "-o", bad, *LONG, "--resume"])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and str(bad) in done.stderr and says in done.stderr
    assert before == (bad.read_bytes() if bad.is_file() else stat.S_IFMT(bad.stat().st_mode))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.h5"]


# ---- two jobs ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_link_and_its_file_are_one_file(whole, tmp_path):
    """A job through a link is refused while another writes the file, and makes no second one."""
    job, _ = whole
    (tmp_path / "far").mkdir()
    link = tmp_path / "out.h5"
    link.symlink_to(tmp_path / "far" / "out.h5")
    running = Run(job, link, "--quiet", ranks=1)
    assert link.is_symlink() and (tmp_path / "far" / "out.h5").is_file()
    os.kill(running.process.pid, signal.SIGSTOP)
    try:
        for name in (link, tmp_path / "far" / "out.h5"):
            second = run([*HPC_CR, "run", job, "-o", name, *LONG, "--resume"])
            assert second.returncode == 2 and "being written by" in second.stderr
    finally:
        os.kill(running.process.pid, signal.SIGCONT)
        running.process.send_signal(signal.SIGTERM)
        running.process.communicate(timeout=20)
    assert running.process.returncode == 75


NO_LOCKS = """
import errno, fcntl
def lockf(*arguments):
    raise OSError(errno.ENOLCK, "No locks available")
fcntl.lockf = lockf
from hpc_cr.cli.main import main
main()
"""


def test_file_system_without_locks(whole, tmp_path):
    """The run goes on and says that nothing guards it (the system's call is made to fail)."""
    job, _ = whole
    script = tmp_path / "no_locks.py"
    script.write_text(NO_LOCKS)
    done = run([sys.executable, script, "run", job, "-o", tmp_path / "out.h5"])
    assert done.returncode == 0
    assert "has no locks: take care that no second job writes it" in done.stdout


# ---- the clock -----------------------------------------------------------------------------

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.mark.slow
@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
@pytest.mark.parametrize("jump", [pytest.param("+1d", marks=pytest.mark.slow), "-365d"])
def test_clock_jumps(whole, tmp_path, jump):
    """The wall clock is set while the job runs: same numbers, sane times."""
    job, complete = whole
    out, stamp, script = (tmp_path / name for name in ("out.h5", "stamp", "clock.py"))
    stamp.write_text("+0\n")
    environment = {**os.environ, "LD_PRELOAD": str(FAKETIME), "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    # libfaketime shifts the absolute monotonic times of sleep(), which no real clock does
    script.write_text("import select, time\n"
                      "time.sleep = lambda seconds: select.select([], [], [], seconds)\n"
                      "from hpc_cr.cli.main import main\nmain()\n")
    running = Run(job, out, program=[sys.executable, script], env=environment)
    stamp.write_text(f"{jump}\n")
    output, errors = running.end(60)
    assert running.process.returncode == 0, errors
    assert "tracking took" in output and "-" not in output.split("tracking took")[1].split(";")[0]
    assert differing(complete, out) == []
    with open_results(out) as results:
        (record,) = results.runs
        gone = np.datetime64(record["ended"][:-1]) - np.datetime64(record["started"][:-1])
        # control: the clock has really been set
        assert abs(gone / np.timedelta64(1, "h")) > 20
        assert 0 < record["wall"] < 60
        for case in results.each_case():
            origin = case.origin
            assert (origin["began"] >= 0).all() and (origin["ended"] >= origin["began"]).all()
            assert (origin["ended"] <= record["wall"] + 1).all()
            assert (case.seconds >= 0).all()


# ---- output that nobody takes --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_reader_of_the_output_goes_away(whole, tmp_path, ranks):
    """`hpc-cr run ... | head -1`: the job goes on without a reader.

    mpirun itself may crash where nobody takes what it passes on; then nothing finished is lost.
    """
    job, complete = whole
    out = tmp_path / "out.h5"
    # a line at every look, not every ten seconds
    script = tmp_path / "chatty.py"
    script.write_text("from hpc_cr.cli import progress\nprogress.LINE_SECONDS = 0.0\n"
                      "from hpc_cr.cli.main import main\nmain()\n")
    running = Run(job, out, ranks=ranks, program=[sys.executable, script])
    running.process.stdout.close()
    running.process.stderr.read()
    status = running.process.wait(timeout=60)
    if ranks > 1 and status != 0:
        assert finished_are_exact(out, complete) >= 3
        resume_completes(job, out, complete)
    else:
        assert status == 0
    assert differing(complete, out) == []


@pytest.mark.parametrize("streams", [
    "> /dev/full 2> /dev/full", pytest.param(">&- 2>&- <&-", marks=pytest.mark.slow)])
def test_output_has_no_room_or_is_closed(whole, tmp_path, streams):
    """A full disk behind the log, or no streams at all; nothing lands in the result file."""
    job, complete = whole
    out = tmp_path / "out.h5"
    words = " ".join(map(str, [*HPC_CR, "run", job, "-o", out, *LONG]))
    assert subprocess.run(f"{words} {streams}", shell=True, timeout=60).returncode == 0
    assert differing(complete, out) == []
    wrong = subprocess.run(f"{words} {streams}", shell=True, timeout=60)
    assert wrong.returncode == 2, "the status tells what the message cannot"


@pytest.mark.parametrize("ignored", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_terminal_is_closed(whole, tmp_path, ignored):
    """SIGHUP stops the job cleanly; under nohup it does nothing."""
    job, complete = whole
    out = tmp_path / "out.h5"
    program = ["nohup", *HPC_CR] if ignored else HPC_CR
    # the tests themselves may run under nohup, which the job would inherit
    running = Run(job, out, "--quiet", ranks=1, program=program,
                  preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
    running.process.send_signal(signal.SIGHUP)
    _, errors = running.end(60 if ignored else END_SECONDS)
    assert running.process.returncode == (0 if ignored else 75), errors
    if not ignored:
        assert "stopped by SIGHUP" in errors
        assert 3 <= finished_are_exact(out, complete) < 24


# ---- before the first entry ----------------------------------------------------------------


@pytest.mark.slow
def test_kill_while_kernels_are_compiled(whole, tmp_path, monkeypatch):
    """Neither the cache's lock nor half a kernel keeps the next job from running."""
    job, _ = whole
    monkeypatch.setenv("HPC_CR_CACHE_DIR", str(tmp_path / "cache"))
    process = start([*HPC_CR, "run", job, "-o", tmp_path / "out.h5"])
    deadline = time.monotonic() + 60
    while not list((tmp_path / "cache").rglob("*.nbi")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=20)
    assert not (tmp_path / "out.h5").exists()
    run_job(job, tmp_path / "out.h5", timeout=400)


def test_kill_while_the_file_is_laid_out(whole, tmp_path):
    """Either no file or a good one; what is left half-made is gone after the next start."""
    job, complete = whole
    script = tmp_path / "killed.py"
    # the last moment before the renaming, when all is written
    script.write_text("import os, signal\n"
                      "whole = os.replace\n"
                      "os.replace = lambda old, new: (os.kill(os.getpid(), signal.SIGKILL)\n"
                      "    if str(old).endswith('.partial') else whole(old, new))\n"
                      "from hpc_cr.cli.main import main\nmain()\n")
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "out.h5"
    killed = run([*mpirun(2), sys.executable, script, "run", job, "-o", out, *LONG])
    assert killed.returncode not in (0, 2, 75)
    names = [path.name for path in folder.iterdir()]
    assert any(name.endswith(".partial") for name in names) and "out.h5" not in names
    resume_completes(job, out, complete)
    assert [path.name for path in folder.iterdir()] == ["out.h5"]
