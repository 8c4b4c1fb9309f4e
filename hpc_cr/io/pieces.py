"""Result files of blocks of one job: do they belong together, and what will be their whole?"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.config import Job, parse_job
from hpc_cr.config.blocks import with_realisations
from hpc_cr.io.copying import placement, source_of
from hpc_cr.io.errors import ResultError
from hpc_cr.io.lock import is_locked
from hpc_cr.io.records import makers_of, version_notes
from hpc_cr.io.results import open_results

_BLOCK = ("run.first_realisation", "run.realisations")


class Piece(NamedTuple):
    """One of the files to be merged.

    path : Path
    job : hpc_cr.config.Job
    done : dict of str to ndarray (n_row, n_rig) of bool, by case
    n_runs : int, run records in use
    n_bytes : int, data in finished entries
    """

    path: Path
    job: Job
    done: dict
    n_runs: int
    n_bytes: int


class Merger(NamedTuple):
    """What a merge will make of which files, and what the user should know before.

    job : hpc_cr.config.Job, of the whole
    pieces : list of Piece
    notes : list of str, versions that are not the same everywhere
    """

    job: Job
    pieces: list
    notes: list

    @property
    def n_bytes(self):
        """Bytes of data to copy."""
        return sum(piece.n_bytes for piece in self.pieces)


def look_at(paths, output):
    """Look at files to be merged, and refuse what does not belong together.

    Parameters
    ----------
    paths : sequence of Path
    output : Path
        The file to be made; not touched.

    Returns
    -------
    Merger

    Raises
    ------
    ResultError
        A file is missing, no result file, of another job, being written, the output itself, or
        given twice, or two of them hold the same entry.
    """
    _check_names(paths, output)
    pieces, makers = [], []
    for path in paths:
        if is_locked(path):
            raise ResultError(f"{path}: a job is writing it; merge it when the job has ended")
        with open_results(path) as results:
            pieces.append(_piece(results))
            _check_belongs(pieces[-1], pieces[0])
            makers.append((path, makers_of(results)))
    job = _union(pieces)
    _check_overlap(job, pieces)
    return Merger(job, pieces, version_notes(makers))


def _check_names(paths, output):
    seen = set()
    for path in paths:
        name = os.path.realpath(path)
        if name == os.path.realpath(output):
            raise ResultError(f"{output}: is one of the files to be merged; -o names another")
        if name in seen:
            raise ResultError(f"{path}: is given twice")
        seen.add(name)


def _piece(results):
    cases = list(results.each_case())
    # results.job is that of one case
    job = parse_job(results.config, name=str(results.provenance["job"]))
    done = {case.case: case.done for case in cases}
    n_bytes = sum(source_of(case).total_bytes for case in cases)
    return Piece(results.path, job, done, len(results.runs), n_bytes)


def _check_belongs(piece, first):
    """Raise unless two files are of one job but for the realisations."""
    names, others = ([case.name for case in p.job.cases] for p in (piece, first))
    if names != others:
        raise ResultError(
            f"{piece.path}: of another job than {first.path}: its cases are"
            f" {', '.join(names) or 'none'}, not {', '.join(others) or 'none'}"
        )
    for mine, theirs in zip(piece.job.cases, first.job.cases, strict=True):
        keys = [key for key in mine.job.numbers_differ(theirs.job) if key not in _BLOCK]
        if keys:
            where = f' in case "{mine.name}"' if mine.name else ""
            value, other = (j.job.settings().get(keys[0], "nothing") for j in (mine, theirs))
            raise ResultError(
                f"{piece.path}: of another job than {first.path}: {keys[0]}{where} is {value},"
                f" not {other}"
            )


def _union(pieces):
    """The job of all realisations of the pieces, and of those between them."""
    ranges = {}
    for number, case in enumerate(pieces[0].job.cases):
        runs = [piece.job.cases[number].job.run for piece in pieces]
        first = min(run.first_realisation for run in runs)
        last = max(run.first_realisation + run.realisations for run in runs)
        ranges[case.name] = (first, last - first)
    return with_realisations(pieces[0].job, ranges)


def _check_overlap(job, pieces):
    """Raise where an entry is finished in two files."""
    for number, case in enumerate(job.cases):
        holder = np.full((case.job.n_row, len(case.job.particles.rigidities)), -1, np.int32)
        for which, piece in enumerate(pieces):
            mine, done = piece.job.cases[number].job, piece.done[case.name]
            places = np.ix_(*placement(mine, case.job))
            held = holder[places]
            both = np.argwhere((held >= 0) & done)
            if len(both):
                other = pieces[held[tuple(both[0])]].path
                raise ResultError(
                    f"{piece.path} and {other} both hold {mine.entry_name(*both[0], case.name)}"
                    f"{and_more(len(both) - 1)}: merge one of them"
                )
            held[done] = which
            holder[places] = held


def and_more(n):
    """ " and N more", or nothing."""
    return f" and {n} more" if n else ""


def missing_names(results):
    """What is not finished in one case of a file, in the user's words.

    Parameters
    ----------
    results : hpc_cr.io.results.Results

    Yields
    ------
    str
        Realisations without any entry, joined where they follow each other, then entries.
    """
    observers = results.job.particles.observers
    label = f"case {results.case}, " if results.case else ""
    some = results.done.reshape(-1, observers * results.done.shape[1]).any(axis=1)
    none = np.flatnonzero(~some)
    for run in np.split(none, np.flatnonzero(np.diff(none) != 1) + 1):
        if len(run):
            first, last = run[[0, -1]] + results.job.run.first_realisation
            yield label + (f"realisation {first}" if first == last
                           else f"realisations {first} to {last}")  # fmt: skip
    for row, rig in np.argwhere(~results.done):
        if some[row // observers]:
            yield results.job.entry_name(row, rig, results.case)
