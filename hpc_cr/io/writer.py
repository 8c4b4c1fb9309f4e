"""Writing into a laid-out result file: whole entries, and a record of each start.

An entry is one (case, row, rigidity). Its data go first, its checksum next, its done flag last:
whatever ends the program, a set flag means complete data. With parallel HDF5 every rank writes
its own entries independently; otherwise one process writes and flushes before and after the flag.
"""

import errno
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.checks import checksum
from hpc_cr.io.errors import ResultError
from hpc_cr.io.provenance import libraries_text, now

_WRITTEN_HERE = ("checksum", "done")
SYNC_SECONDS = 10.0
"""Entries become durable at this pace at least: what a node that dies can lose at most. Many file
systems (NFS, Lustre) also tell only then that a disk is full or a quota is used up."""

_SLURM = {"job_id": "SLURM_JOB_ID", "array_task": "SLURM_ARRAY_TASK_ID"}


class ResultWriter:
    """A result file opened for raw writes.

    Parameters
    ----------
    path : path-like
        A file made by `layout.create`.
    job : hpc_cr.config.Job
        The resolved job of the file, with its cases.
    comm : mpi4py.MPI.Comm, optional
        Opens the file in parallel on all ranks of this communicator (a collective call) if h5py
        can. If it cannot, only rank 0 opens the file, and the other ranks must send it their
        entries.

    Attributes
    ----------
    parallel : bool
        Whether every rank writes its own entries. Opening and closing are then collective.
    can_write : bool
        Whether this rank may call the methods.
    """

    def __init__(self, path, job, comm=None):
        import h5py

        self.path = Path(path)
        self.parallel = comm is not None and bool(h5py.get_config().mpi)
        self.can_write = self.parallel or comm is None or comm.rank == 0
        self._cases = {}
        self._file = self._handle = None
        if not self.can_write:
            return
        options = {"driver": "mpio", "comm": comm} if self.parallel else {"locking": False}
        try:
            self._file = h5py.File(self.path, "r+", **options)
        except OSError as error:
            raise ResultError(f"{self.path}: cannot open for writing: {_reason(error)}") from None
        for case in job.cases:
            group = self._file[schema.case_group(case.name)]
            self._cases[case.name] = [
                (spec, shape[2:], group[spec.path])
                for spec, shape in schema.datasets(case.job)
                if spec.role in ("data", "status")
            ]
        self._runs = self._file[schema.RUNS.path]
        self._done_at_start = 0
        self._opened = os.stat(self.path)
        self._handle = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        self._synced = time.monotonic()

    def write_entry(self, case, row, rig, entry):
        """Write one finished entry and mark it done.

        Parameters
        ----------
        case : str
            Name of the case, "" for a job without cases.
        row, rig : int
            Row of the file (see axes/observer in `schema.AXES`) and index of the rigidity.
        entry : dict
            An array per data dataset of the case, leading axis n_stop, by the last part of its
            path (see `schema.DATA`), the scalars unfinished, over_tolerance, steps, seconds and
            rank, and origin: (run, host, began, ended) as in `schema.STATUS`.

        Raises
        ------
        ValueError
            An array is missing or has another shape.
        ResultError
            The data cannot be written (disk or file system).
        """
        arrays = [
            (spec, dataset, _as_stored(spec, shape, entry))
            for spec, shape, dataset in self._cases[case]
            if spec.name not in _WRITTEN_HERE
        ]
        status = {spec.name: dataset for spec, _, dataset in self._cases[case]}
        data = [array for spec, _, array in arrays if spec.role == "data"]
        places = [(dataset, (row, rig), array) for _, dataset, array in arrays]
        with self._writing(places):
            for dataset, where, array in places:
                dataset[where] = array
            status["checksum"][row, rig] = checksum(data)
            self._flush()
            self._sync(SYNC_SECONDS)
            status["done"][row, rig] = 1
            self._flush()

    @contextmanager
    def _writing(self, places=()):
        """Turn what HDF5 raises into a ResultError with the system's reason.

        places are (dataset, index, array) that were to be written.
        """
        try:
            yield
        except (OSError, RuntimeError) as error:  # HDF5's own drivers fail in flush by the latter
            reason = self._reason_past_hdf5(places) or _reason(error)
            raise ResultError(f"{self.path}: cannot write: {reason}") from None

    def _reason_past_hdf5(self, places):
        """Why the system refuses a write: parallel HDF5 does not tell.

        The same bytes are written to the same places, which belong to nobody else.
        """
        try:
            for dataset, where, array in places:
                index = int(np.ravel_multi_index(where, dataset.shape[:len(where)]))
                offset = dataset.id.get_offset() + index * array.nbytes
                os.pwrite(self._handle, array.tobytes(), offset)
            os.fsync(self._handle)
        except OSError as error:
            return os.strerror(error.errno)
        return None

    def _sync(self, pace=0.0):
        """Make durable what this process wrote, unless it was within `pace` seconds."""
        if time.monotonic() - self._synced < pace:
            return
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
                raise
        self._synced = time.monotonic()

    def done_flags(self, case):
        """The done flags of a case as they are in the file now, (n_row, n_rig) bool."""
        flags = next(d for spec, _, d in self._cases[case] if spec.name == "done")
        return flags[...] == 1

    def record_start(self, provenance, *, ranks, team_size, nodes=1):
        """Note that a job starts on this file; rank 0 only.

        Parameters
        ----------
        provenance : dict
            From `hpc_cr.io.provenance.collect`.
        ranks, team_size, nodes : int
            Of the job.

        Returns
        -------
        int
            Slot in /provenance/runs, for `record_life` and `record_end`.
        """
        runs = self._runs[...]
        # the lock is held: a row that still says "running" belongs to a job that was killed
        stale = runs["state"] == b"running"
        runs["state"][stale] = b"killed"
        slot = min(int(np.count_nonzero(runs["started"])), len(runs) - 1)
        row = np.zeros((), schema.RUN_DTYPE)
        facts = provenance | {"libraries": libraries_text(provenance), "state": "running",
                              "seen": provenance["started"]}
        facts |= {name: os.environ.get(variable, "") for name, variable in _SLURM.items()}
        for name in ("started", "seen", "user", "host", "cpu", "commit", "version", "python",
                     "libraries", "mpi", "command", "state", *_SLURM):
            row[name] = _fixed(facts[name], schema.RUN_DTYPE[name])
        row["ranks"], row["team_size"], row["nodes"] = ranks, team_size, nodes
        row["dirty"] = provenance["dirty"]
        restart = os.environ.get("SLURM_RESTART_COUNT", "")
        row["restart"] = int(restart) if restart.isdecimal() else 0
        runs[slot] = row
        with self._writing():
            self._runs[...] = runs
            self._done_at_start = self._n_done()
            self._flush()
        return slot

    def record_life(self, slot, wall):
        """Note that the job of `record_start` lives, `wall` seconds after it began."""
        row = self._runs[slot]
        row["seen"], row["wall"] = now().encode(), wall
        row["entries"] = self._n_done() - self._done_at_start
        self._store(slot, row)

    def record_end(self, slot, how, wall=0.0, seconds=None):
        """Note how the job of `record_start` ended.

        Parameters
        ----------
        slot : int
        how : str
            "complete", "stopped by SIGTERM", ...
        wall : float
            Seconds since it began.
        seconds : dict of str to float, optional
            Core-seconds of all ranks by activity, as in `schema.RUNS`.
        """
        self.record_life(slot, wall)
        row = self._runs[slot]
        row["ended"] = row["seen"]
        row["state"] = _fixed(how, schema.RUN_DTYPE["state"])
        for name, value in (seconds or {}).items():
            row[name] = value
        self._store(slot, row)

    def _store(self, slot, row):
        with self._writing([(self._runs, (slot,), row)]):
            self._runs[slot] = row
            self._flush()

    def check_present(self):
        """Raise ResultError if the path no longer names the file that is open.

        What is written into a file that was removed is lost without any error of the system.
        """
        try:
            if os.path.samestat(os.stat(self.path), self._opened):
                return
            what = "was replaced by another file"
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                return  # a file system that does not answer has not lost the file
            what = f"is gone ({os.strerror(error.errno)})"
        raise ResultError(f"{self.path}: the result file {what} while the job was writing it; if it"
                          " was moved, it holds all finished entries, and --resume goes on there")

    def _n_done(self):
        return sum(int(self.done_flags(case).sum()) for case in self._cases)

    def _flush(self):
        # in parallel every write reaches the operating system at once, and flushing is collective
        if not self.parallel:
            self._file.flush()

    def close(self):
        """Close the file, with everything in it durable; collective when `parallel`."""
        if self._file is not None:
            with self._writing():
                self._file.close()
                self._file = None
                self._sync()
            os.close(self._handle)

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        # closing is collective: after an error on one rank the others would never come to it
        if kind is None or not self.parallel:
            self.close()


def _as_stored(spec, shape, entry):
    """The entry's array in the file's type and byte order, contiguous."""
    if spec.name not in entry:
        raise ValueError(f"the entry has no {spec.name}")
    array = np.array(entry[spec.name], dtype=spec.dtype, order="C")
    if array.shape != shape:
        raise ValueError(f"{spec.name} has shape {array.shape}, the file holds {shape}")
    return array


def _fixed(text, kind):
    """Text for a fixed-length field, cut at a character's boundary."""
    return str(text).encode(errors="replace")[: kind.itemsize].decode(errors="ignore").encode()


def mark_killed(path):
    """Call killed what the run records of a file still call running; the caller holds the lock.

    `ResultWriter.record_start` does the same. This is for a complete file, which no job opens for
    writing again: the one that completed it was killed before it could note its own end.
    """
    import h5py

    def stale(file):
        return np.flatnonzero(file[schema.RUNS.path]["state"] == b"running")

    try:
        with h5py.File(path, "r", locking=False) as file:
            if not len(stale(file)):
                return
        with h5py.File(path, "r+", locking=False) as file:
            rows = file[schema.RUNS.path]
            for number in stale(file):
                row = rows[number]
                row["state"] = b"killed"
                rows[number] = row
    except OSError:
        pass  # a file that may only be read


def _reason(error):
    """The system's reason in an error of h5py; HDF5's words where there is none."""
    if getattr(error, "errno", None):
        return os.strerror(error.errno)
    told = re.search(r"error message = '([^']*)'", str(error))
    return told[1] if told else error
