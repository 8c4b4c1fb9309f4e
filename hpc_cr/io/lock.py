"""A lock file beside the result file, so that two jobs never write one file.

Parallel HDF5 takes no locks at all. The lock is the operating system's (fcntl), so that it ends
with the process that holds it, however that ends; the file only says who that is.
"""

import errno
import fcntl
import json
import os
import socket
import struct
from datetime import UTC, datetime
from pathlib import Path

from hpc_cr.io.checks import check_path
from hpc_cr.io.errors import ResultError

_SINCE = "%Y-%m-%d %H:%M:%S UTC"
_HELD = (errno.EACCES, errno.EAGAIN)
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def lock_path(path):
    """The lock file of a result file: OUT.h5.lock beside it, where a link points to."""
    path = Path(path)
    real = Path(os.path.realpath(path)) if os.path.islink(path) else path
    return real.parent / f"{real.name}.lock"


class FileLock:
    """The right to write one result file, held by rank 0 of a job.

    Parameters
    ----------
    path : path-like
        The result file; the lock file is that of `lock_path`.

    Attributes
    ----------
    note : str
        Empty, or a warning that the file system has no locks and nothing is protected.
    """

    _mine = set()
    """Lock files held by this process: the system's locks do not hold against oneself."""

    def __init__(self, path):
        self.path = Path(path)
        self.lock_path = lock_path(self.path)
        self.note = ""
        self._handle = None

    def acquire(self):
        """Take the lock now.

        Returns
        -------
        FileLock
            Itself, for use in a with statement.

        Raises
        ------
        ResultError
            Another job holds it (the message says which), the folder cannot be written, or no
            file can have this name.
        """
        check_path(self.path)
        key = os.path.realpath(self.lock_path)
        if key in self._mine:
            raise ResultError(f"{self.path} is being written by this process already")
        while self._handle is None:
            try:
                handle = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except OSError as error:
                folder = self.path.parent
                known = os.path.isdir(folder)  # unlike Path.is_dir, False for over-long names
                reason = os.strerror(error.errno) if known else "there is no such folder"
                raise ResultError(f"{self.path}: cannot write in {folder}: {reason}") from None
            try:
                self._lock(handle)
                # the holder before may have removed the file between our open and our lock: then
                # we hold a lock on a name that is gone, and another job could hold the new one
                if self._is_current(handle):
                    self._handle = handle
            finally:
                if self._handle is None:
                    os.close(handle)
        self._mine.add(key)
        who = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": datetime.now(UTC).strftime(_SINCE),
        }
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, (json.dumps(who) + "\n").encode(), 0)
        return self

    def _lock(self, handle):
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                self.note = (
                    f"the file system of {self.path} has no locks:"
                    " take care that no second job writes it"
                )
            elif error.errno in _HELD:
                raise ResultError(
                    f"{self.path} is being written by {_holder(handle)};"
                    " wait for it to end or choose another file with -o"
                ) from None
            else:
                raise ResultError(
                    f"{self.lock_path}: cannot lock: {os.strerror(error.errno)}"
                ) from None

    def _is_current(self, handle):
        try:
            named = os.stat(self.lock_path)
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(handle), named)

    def release(self):
        """Give the lock back and remove its file; harmless when it is not held."""
        if self._handle is None:
            return
        # removed while still locked: a job that opens the name from now on makes a new file
        self.lock_path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = None
        self._mine.discard(os.path.realpath(self.lock_path))

    def __enter__(self):
        return self if self._handle is not None else self.acquire()

    def __exit__(self, *exception):
        self.release()


def is_locked(path):
    """Whether a process holds the lock of a result file; asked without taking or touching it.

    Parameters
    ----------
    path : path-like
        The result file.

    Returns
    -------
    bool or None
        None where the file system does not say. A process on another machine may go unseen: not
        every file system tells its machines of each other's locks.
    """
    name = lock_path(path)
    # to close any handle of a file gives up the locks that the same process holds on it
    if os.path.realpath(name) in FileLock._mine:
        return True
    try:
        handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(handle, fcntl.F_GETLK, wanted)
    except OSError:
        return None
    finally:
        os.close(handle)
    return _FLOCK.unpack(answer)[0] != fcntl.F_UNLCK


def locked_since(path):
    """When the lock of a result file was taken, s since 1970; None where the lock file does not
    say (the lock may be gone by now: `is_locked` tells)."""
    try:
        who = json.loads(lock_path(path).read_text())
        since = datetime.strptime(who["since"], _SINCE)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return since.replace(tzinfo=UTC).timestamp()


_FLOCK = struct.Struct("@hhqqi4x")
"""struct flock of Linux on 64-bit machines: type, whence, start, length, process."""


def _holder(handle):
    """Who holds the lock, as far as the file says."""
    try:
        who = json.loads(os.pread(handle, 4096, 0))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (ValueError, KeyError, TypeError):
        return "another job"
