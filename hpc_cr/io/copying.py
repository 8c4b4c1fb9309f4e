"""Copying finished entries from one result file into another, checked by their checksums.

An entry is known by case, realisation, observer and rigidity; its place in a file follows from
the file's job. Files can be larger than the memory: they are copied in blocks, whole rows at a
time where entries are small, stop by stop where a single one is large.
"""

import os
import zlib
from typing import NamedTuple

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.errors import ResultError

BLOCK_BYTES = 32_000_000
"""Bytes copied at once, about; more only where one stop of one map is larger."""
SYNC_BYTES = 1_000_000_000
"""Bytes after which the disk is waited for: what a rate then says is the disk's."""


class Placement(NamedTuple):
    """Where the entries of one case of a file go in another file.

    rows : ndarray (n_row,)
        Row in the other file of each row here.
    rigs : ndarray (n_rig,)
        Index in the other file of each rigidity here.
    """

    rows: np.ndarray
    rigs: np.ndarray


def placement(stored, job):
    """Places of a case's entries in the file of a job that asks for at least as much.

    Parameters
    ----------
    stored : hpc_cr.config.Job
        Job of one case of the file that holds the entries.
    job : hpc_cr.config.Job
        Of the same case of the file that is to hold them.

    Returns
    -------
    Placement
    """
    realisation, observer = np.divmod(np.arange(stored.n_row), stored.particles.observers)
    realisation += stored.run.first_realisation - job.run.first_realisation
    wanted = list(job.particles.rigidities)
    return Placement(
        realisation * job.particles.observers + observer,
        np.array([wanted.index(rigidity) for rigidity in stored.particles.rigidities]),
    )


class Source(NamedTuple):
    """One case of an open result file to be copied from.

    group : h5py.Group
    datasets : list of (hpc_cr.io.schema.Dataset, tuple of int)
        Of the data, in the file's order, with their shapes.
    done : ndarray (n_row, n_rig) of bool
        Entries to copy.
    """

    group: object
    datasets: list
    done: np.ndarray

    @property
    def entry_bytes(self):
        """Bytes of one entry's data."""
        return sum(_bytes(spec, shape[2:]) for spec, shape in self.datasets)

    @property
    def total_bytes(self):
        """Bytes of data to copy."""
        return int(self.done.sum()) * self.entry_bytes


def source_of(results):
    """The finished entries of one case, to be copied.

    Parameters
    ----------
    results : hpc_cr.io.results.Results

    Raises
    ------
    ResultError
        The file is of an older format: its entries lack what a file of this one holds.
    """
    version = results.provenance["format_version"]
    if version != schema.FORMAT_VERSION:
        raise ResultError(
            f"{results.path}: format version {version}: its entries lack data that this version of"
            " hpc_cr writes. It can be read and drawn, not continued or merged; give another name"
            " (-o) to begin anew"
        )
    data = [item for item in schema.datasets(results.job) if item[0].role == "data"]
    return Source(results._group, data, results.done)


def copy_entries(source, target, places, report, *, first_run=0):
    """Copy finished entries with their status; whatever else the target holds stays.

    Parameters
    ----------
    source : Source
    target : h5py.Group
        The same case in a file laid out for a job that holds the entries.
    places : Placement
    report : callable
        Called with the number of bytes just copied, often.
    first_run : int, optional
        Row of the target's run records that holds the first record of the source.

    Returns
    -------
    list of (int, int)
        (row, rigidity index) in the source of entries whose data do not have their checksum; in
        the target they are not marked done.
    """
    damaged, unsaved = [], 0
    for rows, rigs, new_rows, new_rigs in _blocks(places, source.entry_bytes):
        done = source.done[rows, rigs]
        if not done.any():
            continue
        here, there = (rows, rigs), (new_rows, new_rigs)
        sums = _copy_data(source, target, here, there, done, report)
        whole = done & (sums == _read(source.group["status/checksum"], here))
        _copy_status(source.group, target, here, there, whole, first_run)
        found = np.argwhere(done & ~whole) + (rows.start, rigs.start)
        damaged += [tuple(entry) for entry in found.tolist()]
        unsaved += int(done.sum()) * source.entry_bytes
        if unsaved > SYNC_BYTES:
            target.file.flush()
            os.fdatasync(target.file.id.get_vfd_handle())
            unsaved = 0
    return damaged


def _copy_data(source, target, here, there, done, report):
    """Data of one block; returns the checksums of its entries, 0 where they are not done."""
    sums = np.zeros(done.size, np.uint32)
    entries = np.flatnonzero(done).tolist()
    for spec, shape in source.datasets:
        old, new = source.group[spec.path], target[spec.path]
        for stops in _parts(shape, done.size * _bytes(spec, shape[2:])):
            values = _read(old, (*here, *stops))
            # what a killed run left of an entry that is not done is nothing to keep
            if len(entries) < done.size:
                values[~done] = 0
            new[(*there, *stops)] = values
            flat = values.reshape(done.size, -1).view(np.uint8)
            for entry in entries:
                sums[entry] = zlib.crc32(flat[entry], int(sums[entry]))
            report(flat.shape[1] * len(entries))
    return sums.reshape(done.shape)


def _copy_status(old, new, here, there, whole, first_run):
    """Status of one block where the entries are whole; the done flags last."""
    for spec in sorted(schema.STATUS, key=lambda spec: spec.name == "done"):
        values = _read(old[spec.path], here)
        if spec.name == "origin":
            known = values["run"] >= 0
            values["run"][known] += first_run
        kept = new[spec.path][there]
        kept[whole] = values[whole]
        new[spec.path][there] = kept


def _read(dataset, where):
    """Numbers of a file that is copied from."""
    try:
        return dataset[where]
    except OSError as error:
        name = dataset.file.filename
        raise ResultError(f"{name}: cannot read {dataset.name}: {error}") from None


def _blocks(places, entry_bytes):
    """Slices (rows, rigs) here and there of blocks of at most BLOCK_BYTES, or of one entry."""
    most = max(1, BLOCK_BYTES // entry_bytes)
    for rigs, new_rigs in _runs(places.rigs, most):
        width = rigs.stop - rigs.start
        for rows, new_rows in _runs(places.rows, max(1, most // width)):
            yield rows, rigs, new_rows, new_rigs


def _runs(places, longest):
    """Slices here and there of consecutive places, each of at most `longest`."""
    edges = np.flatnonzero(np.diff(places) != 1) + 1
    for run in np.split(np.arange(len(places)), edges):
        for start in range(run[0], run[-1] + 1, longest):
            stop = min(start + longest, int(run[-1]) + 1)
            first = int(places[start])
            yield slice(int(start), stop), slice(first, first + stop - int(start))


def _parts(shape, n_bytes):
    """Tuples of slices of the first axis of an entry's data, which may be a single number: all of
    it, or fewer where a single entry is larger than a block."""
    return [(stops,) for stops in _stops(shape[2], n_bytes)] if len(shape) > 2 else [()]


def _stops(n_stop, n_bytes):
    most = max(1, n_stop * BLOCK_BYTES // max(n_bytes, 1))
    return [slice(start, min(start + most, n_stop)) for start in range(0, n_stop, most)]


def _bytes(spec, shape):
    return int(np.prod(shape)) * np.dtype(spec.dtype).itemsize
