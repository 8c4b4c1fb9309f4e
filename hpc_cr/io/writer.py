"""Writing into a laid-out result file: whole entries, and a record of each start.

An entry is one (case, row, rigidity). Its data go first, its checksum next, its done flag last:
whatever ends the program, a set flag means complete data. With parallel HDF5 every rank writes
its own entries independently; otherwise one process writes and flushes before and after the flag.
"""

import os
from pathlib import Path

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.checks import checksum
from hpc_cr.io.errors import ResultError
from hpc_cr.io.provenance import differences, now

_WRITTEN_HERE = ("checksum", "done")


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
        self._file = None
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

    def write_entry(self, case, row, rig, entry):
        """Write one finished entry and mark it done.

        Parameters
        ----------
        case : str
            Name of the case, "" for a job without cases.
        row, rig : int
            Row (realisation * observers + observer) and index of the rigidity.
        entry : dict
            An array per data dataset of the case, leading axis n_stop, by the last part of its
            path (see `schema.DATA`), and the scalars unfinished, over_tolerance, steps, seconds
            and rank.

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
        try:
            for _, dataset, array in arrays:
                dataset[row, rig] = array
            status["checksum"][row, rig] = checksum(data)
            self._flush()
            status["done"][row, rig] = 1
            self._flush()
        except OSError as error:
            raise ResultError(f"{self.path}: cannot write: {_reason(error)}") from None

    def done_flags(self, case):
        """The done flags of a case as they are in the file now, (n_row, n_rig) bool."""
        flags = next(d for spec, _, d in self._cases[case] if spec.name == "done")
        return flags[...] == 1

    def record_start(self, provenance, *, ranks, team_size):
        """Note that a job starts on this file; rank 0 only.

        Parameters
        ----------
        provenance : dict
            From `hpc_cr.io.provenance.collect`.
        ranks, team_size : int
            Of the job.

        Returns
        -------
        int
            Slot in /provenance/runs, for `record_end`.
        """
        runs = self._runs[...]
        # the lock is held: a row that still says "running" belongs to a job that was killed
        stale = runs["state"] == b"running"
        runs["state"][stale] = b"killed"
        slot = min(int(np.count_nonzero(runs["started"])), schema.MAX_RUNS - 1)
        row = np.zeros((), schema.RUN_DTYPE)
        for name in ("started", "host", "commit", "version", "mpi"):
            row[name] = _fixed(provenance[name], schema.RUN_DTYPE[name])
        row["ranks"], row["team_size"], row["dirty"] = ranks, team_size, provenance["dirty"]
        row["job_id"] = _fixed(os.environ.get("SLURM_JOB_ID", ""), schema.RUN_DTYPE["job_id"])
        row["state"] = b"running"
        runs[slot] = row
        self._runs[...] = runs
        self._done_at_start = self._n_done()
        self._flush()
        return slot

    def record_end(self, slot, how):
        """Note how the job of `record_start` ended ("complete", "stopped by SIGTERM", ...)."""
        row = self._runs[slot]
        row["ended"] = now().encode()
        row["state"] = _fixed(how, schema.RUN_DTYPE["state"])
        row["entries"] = self._n_done() - self._done_at_start
        self._runs[slot] = row
        self._flush()

    def _n_done(self):
        return sum(int(self.done_flags(case).sum()) for case in self._cases)

    def _flush(self):
        # in parallel every write reaches the operating system at once, and flushing is collective
        if not self.parallel:
            self._file.flush()

    def close(self):
        """Close the file; collective when `parallel`."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        # closing is collective: after an error on one rank the others would never come to it
        if kind is None or not self.parallel:
            self.close()


def check_resumable(path, job):
    """Which entries of a file need no further work, if the file belongs to this job.

    Finished entries whose data do not have the stored checksum lose their flag, in the file too:
    a run that ends before it has computed them again must not leave a file that looks complete.
    One process calls this, while no other has the file open and the lock is held.

    Parameters
    ----------
    path : path-like
        The result file.
    job : hpc_cr.config.Job
        The job that wants to continue it.

    Returns
    -------
    dict of str to ndarray (n_row, n_rig) of bool
        By case. An entry is done if its flag is set and its data have the stored checksum.

    Raises
    ------
    ResultError
        The file is missing, no result file, truncated, damaged, of a newer format, or made with a
        job that gives other numbers; the message names the keys that differ.
    """
    from hpc_cr.io.results import open_results

    with open_results(path) as results:
        if results.case_names != tuple(case.name for case in job.cases):
            raise ResultError(
                f"{path}: made with other cases ({_names(results.case_names)};"
                f" the job has {_names(case.name for case in job.cases)}):"
                " --overwrite starts anew"
            )
        flags, damaged = {}, {}
        for case, stored in zip(job.cases, results.each_case(), strict=True):
            keys = case.job.numbers_differ(stored.job)
            if keys:
                where = f' in case "{case.name}"' if case.name else ""
                mine, stored_value = (str(j.settings().get(keys[0], "nothing"))
                                      for j in (case.job, stored.job))
                raise ResultError(
                    f"{path}: made with another value of {_few(keys)}{where} ({keys[0]} is {mine}"
                    f" now, {stored_value} in the file): repeat the --set of its start, or -o names"
                    " a new file, --overwrite starts anew"
                )
            flags[case.name], damaged[case.name] = stored.done.copy(), stored.damaged()
    if any(damaged.values()):
        _unmark(path, damaged)
    for name, entries in damaged.items():
        for entry in entries:
            flags[name][entry] = False
    return flags


def _unmark(path, entries):
    """Clear the done flags of entries, (row, rig) by case."""
    import h5py

    try:
        with h5py.File(path, "r+", locking=False) as file:
            for case, pairs in entries.items():
                flags = file[schema.case_group(case)]["status/done"]
                for row, rig in pairs:
                    flags[row, rig] = 0
            file.flush()
    except OSError as error:
        raise ResultError(f"{path}: cannot open for writing: {_reason(error)}") from None


def other_versions(path, provenance):
    """How a file's makers differ from the program that wants to continue it.

    The same bits are promised for the same source and the same libraries only.

    Parameters
    ----------
    path : path-like
        The result file.
    provenance : dict
        Of this program, from `hpc_cr.io.provenance.collect`.

    Returns
    -------
    list of str
        One phrase per difference, as "made with numpy 2.3.1, now 2.4.0"; see
        `hpc_cr.io.provenance.differences`.

    Raises
    ------
    ResultError
        The file cannot be read.
    """
    from hpc_cr.io.results import open_results

    with open_results(path) as results:
        return differences([results.provenance, *results.runs], provenance)


def _few(keys):
    """The keys, or the first of many."""
    more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
    return ", ".join(keys[:4]) + more


def _names(cases):
    return ", ".join(cases) or "none"


def _as_stored(spec, shape, entry):
    """The entry's array in the file's type and byte order, contiguous."""
    if spec.name not in entry:
        raise ValueError(f"the entry has no {spec.name}")
    array = np.ascontiguousarray(entry[spec.name], dtype=spec.dtype).reshape(
        np.shape(entry[spec.name])
    )
    if array.shape != shape:
        raise ValueError(f"{spec.name} has shape {array.shape}, the file holds {shape}")
    return array


def _fixed(text, kind):
    """Text for a fixed-length field, cut at a character's boundary."""
    return str(text).encode(errors="replace")[: kind.itemsize].decode(errors="ignore").encode()


def _reason(error):
    return os.strerror(error.errno) if error.errno else error
