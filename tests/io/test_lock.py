"""The lock beside a result file: one job at a time, and none for ever."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hpc_cr.io.errors import ResultError
from hpc_cr.io.lock import FileLock, is_locked, locked_since

HOLD = """
import sys, time
from hpc_cr.io.lock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of out.h5."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out.h5")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait(timeout=30)


def test_second_job_is_told_who_writes(tmp_path, holder):
    with pytest.raises(ResultError, match=rf"out.h5 is being written by process {holder.pid} on"):
        FileLock(tmp_path / "out.h5").acquire()
    with FileLock(tmp_path / "other.h5"):
        pass


def test_asking_does_not_disturb_the_holder(tmp_path, holder):
    path = tmp_path / "out.h5"
    before = (tmp_path / "out.h5.lock").read_bytes()
    assert is_locked(path) is True and is_locked(tmp_path / "other.h5") is False
    assert (tmp_path / "out.h5.lock").read_bytes() == before
    with pytest.raises(ResultError):  # it still holds
        FileLock(path).acquire()
    holder.send_signal(signal.SIGKILL)
    holder.wait(timeout=30)
    # the file is still there, and only says who it was
    assert is_locked(path) is False and (tmp_path / "out.h5.lock").read_bytes() == before


def test_asking_for_a_lock_of_ones_own_keeps_it(tmp_path):
    path = tmp_path / "out.h5"
    ask = "import sys; from hpc_cr.io.lock import is_locked; print(is_locked(sys.argv[1]))"
    with FileLock(path):
        assert is_locked(path) is True
        other = subprocess.run([sys.executable, "-c", ask, str(path)], capture_output=True)
        assert other.stdout == b"True\n"


def test_a_killed_job_leaves_no_lock(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait(timeout=30)
    assert (tmp_path / "out.h5.lock").exists()
    with FileLock(tmp_path / "out.h5") as lock:
        assert f'"pid": {os.getpid()}' in lock.lock_path.read_text()
    assert not (tmp_path / "out.h5.lock").exists()


def test_the_same_process_cannot_lock_twice(tmp_path):
    with FileLock(tmp_path / "out.h5"):
        with pytest.raises(ResultError, match="by this process already"):
            FileLock(tmp_path / "out.h5").acquire()
    with FileLock(tmp_path / "out.h5") as lock:
        lock.release()
        lock.release()


def test_a_lock_on_a_removed_file_is_not_a_lock(tmp_path, monkeypatch):
    """The holder before removes the file between our open and our lock: lock the new one."""
    lock = FileLock(tmp_path / "out.h5")
    original, calls = lock._lock, []

    def removed_in_between(handle):
        if not calls:
            lock.lock_path.unlink()
        calls.append(handle)
        original(handle)

    monkeypatch.setattr(lock, "_lock", removed_in_between)
    with lock:
        assert len(calls) == 2
        assert os.path.samestat(os.fstat(lock._handle), lock.lock_path.stat())


def test_a_folder_that_cannot_be_written():
    with pytest.raises(ResultError, match="there is no such folder"):
        FileLock("/no/such/folder/out.h5").acquire()
    with pytest.raises(ResultError, match="cannot write in /proc"):
        FileLock("/proc/out.h5").acquire()


def test_a_link_and_its_file_have_one_lock(tmp_path, holder):
    link = tmp_path / "link.h5"
    link.symlink_to("out.h5")
    assert is_locked(link) and abs(time.time() - locked_since(link)) < 60
    with pytest.raises(ResultError, match="is being written by process"):
        FileLock(link).acquire()
    assert not is_locked(tmp_path / "other.h5") and locked_since(tmp_path / "other.h5") is None
