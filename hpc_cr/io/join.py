"""Finished entries of result files, carried into a new one: extending a file, merging several.

The new file is laid out under a temporary name, filled and renamed: a kill at any moment leaves
the files as they were, or the new one whole.
"""

import os
import shutil
from pathlib import Path

import numpy as np

from hpc_cr.io import layout, schema
from hpc_cr.io.copying import copy_entries, placement, source_of
from hpc_cr.io.errors import ResultError
from hpc_cr.io.pieces import and_more
from hpc_cr.io.records import MERGED, add_records, read_records
from hpc_cr.io.results import open_results
from hpc_cr.trajectories.directions import observer_positions

_ROUNDING = 1e-9
"""Relative difference that two kinds of processor may make in the axes of the same job."""


def _silent(n_bytes):
    """Nobody wants to know how far a copy is."""


def extend(path, job, *, provenance, report=_silent):
    """Lay a result file out anew for a job that asks for more, with its finished entries.

    The caller holds the lock, and `resume.check_resumable` has accepted the job.

    Parameters
    ----------
    path : path-like
        The file; replaced by the new one once that is whole.
    job : hpc_cr.config.Job
    provenance : dict
        From `hpc_cr.io.provenance.collect`: for root attributes that the old file does not have.
    report : callable, optional
        Called with the number of bytes just copied, often; what it raises ends the copy.

    Returns
    -------
    dict of str to ndarray (n_row, n_rig) of bool
        Entries that are done, by case. One that does not have its checksum is not.

    Raises
    ------
    ResultError
        The file cannot be read, or the disk does not hold both files.
    """
    path = Path(os.path.realpath(path))  # a link stays one
    jobs = {case.name: case.job for case in job.cases}
    flags = {}
    with open_results(path) as old:
        records = read_records(old)

        def fill(partial):
            shutil.copymode(path, partial)
            with _open(partial) as new:
                add_records(new, records, 0)
                for stored in old.each_case():
                    _copy_case(stored, new, jobs[stored.case], stored.done, 0, report)
                for name in jobs:
                    flags[name] = new[schema.case_group(name)]["status/done"][...] == 1

        facts = {name: value for name, value in old.provenance.items() if name in provenance}
        layout.create(path, job, provenance=provenance | facts, observers=_observers(job),
                      n_runs=len(records) + schema.MAX_RUNS, fill=fill,
                      poll=lambda: report(0))  # fmt: skip
    return flags


def merge(merger, output, *, provenance, report=_silent):
    """Join result files into one; the caller holds the lock of the output.

    Parameters
    ----------
    merger : hpc_cr.io.pieces.Merger
    output : path-like
        Replaced if it is there.
    provenance : dict
        From `hpc_cr.io.provenance.collect`.
    report : callable, optional
        Called with the number of bytes just copied, often; what it raises ends the copy.

    Raises
    ------
    ResultError
        An entry does not have its checksum, a file cannot be read, or the output cannot be made;
        nothing is left behind.
    """
    n_runs = sum(piece.n_runs for piece in merger.pieces)

    def fill(partial):
        first = 0
        with _open(partial) as new:
            for piece in merger.pieces:
                _copy_piece(piece, new, merger.job, first, report)
                first += piece.n_runs

    layout.create(output, merger.job, provenance=provenance | MERGED,
                  observers=_observers(merger.job), n_runs=n_runs + schema.MAX_RUNS,
                  fill=fill)  # fmt: skip


def _copy_piece(piece, new, job, first_run, report):
    """Copy the records and entries of one piece."""
    with open_results(piece.path) as results:
        records = read_records(results, piece.path.name)[: piece.n_runs]
        add_records(new, records, first_run)
        for stored, case in zip(results.each_case(), job.cases, strict=True):
            # flags as they were looked at: an entry that was finished since then may be in two
            damaged = _copy_case(stored, new, case.job, piece.done[case.name], first_run,
                                 report)  # fmt: skip
            if damaged:
                raise ResultError(
                    f"{piece.path}: {stored.job.entry_name(*damaged[0], case.name)}"
                    f"{and_more(len(damaged) - 1)}: the data do not have their checksum;"
                    f" `hpc-cr run JOB -o {piece.path} --resume` computes them again"
                )


def _copy_case(stored, new, job, done, first_run, report):
    """Copy the finished entries of one case; returns the damaged ones."""
    group, places = new[schema.case_group(stored.case)], placement(stored.job, job)
    _check_axes(stored, group["axes"], places)
    source = source_of(stored)._replace(done=done)
    return copy_entries(source, group, places, report, first_run=first_run)


def _check_axes(stored, axes, places):
    """Raise unless the axes of a file are those of the new one where its entries go."""
    for name, index in (
        (stored.stop_kind, places.rigs),
        ("gradient", places.rigs),
        ("observer", places.rows),
        ("source", places.rows),
    ):
        mine = stored.array(f"axes/{name}")
        if mine is None:
            continue  # another kind of job has it
        theirs = axes[name][...][index]
        if not np.allclose(mine, theirs, rtol=_ROUNDING, atol=_ROUNDING * np.abs(theirs).max()):
            raise ResultError(
                f"{stored.path}: axes/{name} is not what this program makes of its job: it was"
                " computed by another one"
            )


def _observers(job):
    return {case.name: observer_positions(case.job) for case in job.cases}


def _open(partial):
    import h5py

    return h5py.File(partial, "r+", locking=False)
