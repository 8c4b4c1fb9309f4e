"""May a job go on with a file that is there, and which of its entries need no further work?

A job may differ from the file's in what does not change numbers, and it may ask for more:
realisations before or after, rigidities, observers, cases. Then the file is laid out anew with
its finished entries (`io.join.extend`). What would change an entry, or lose one, is refused.
"""

import os
from pathlib import Path

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.copying import placement
from hpc_cr.io.errors import ResultError
from hpc_cr.io.layout import remove_partials
from hpc_cr.io.provenance import differences
from hpc_cr.io.records import makers_of
from hpc_cr.io.same_numbers import ELSEWHERE, check_same_numbers


def check_resumable(path, job, report=lambda n_bytes: None):
    """Which entries of a job are finished in a file, if the file belongs to this job.

    Finished entries whose data do not have the stored checksum lose their flag, in the file too:
    a run that ends before it has computed them again must not leave a file that looks complete.
    (A file that has to be laid out anew is checked while it is copied.) One process calls this,
    while no other has the file open and the lock is held.

    Parameters
    ----------
    path : Path
        The result file.
    job : hpc_cr.config.Job
        The job that wants to continue or extend it.
    report : callable, optional
        Called with the number of bytes of every entry that was read; what it raises ends the
        check.

    Returns
    -------
    dict of str to ndarray (n_row, n_rig) of bool
        By case, in the job's layout. An entry is done if its flag is set and its data have the
        stored checksum.

    Raises
    ------
    ResultError
        The file is missing, no result file, truncated, damaged, of a newer format, made with a
        job that gives other numbers, or it holds more than the job asks for; the message names
        the key and both values.
    """
    from hpc_cr.io.results import open_results

    with open_results(path) as results:
        remove_partials(Path(os.path.realpath(results.path)))  # as `io.join.extend` names them
        done = finished_entries(results, job)
        if not _laid_out_for(results, job):
            return done
        flags, damaged = _whole_entries(results, report)
    if damaged:
        _unmark(path, damaged)
    return flags


def finished_entries(results, job):
    """Which entries of a job are finished in a file, by its flags; their data are not read.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
    job : hpc_cr.config.Job

    Returns
    -------
    dict of str to ndarray (n_row, n_rig) of bool
        By case, in the job's layout.

    Raises
    ------
    ResultError
        The file is of another job, or holds more than this one asks for.
    """
    if results.kind != job.run.kind:
        raise ResultError(f'{results.path}: a result of kind "{results.kind}", but the job has'
                          f' run.kind = "{job.run.kind}": {ELSEWHERE}')
    _check_cases(results, job)
    jobs = {case.name: case.job for case in job.cases}
    for stored in results.each_case():
        check_same_numbers(stored, jobs[stored.case])
    flags = {name: np.zeros((j.n_row, len(j.particles.rigidities)), bool)
             for name, j in jobs.items()}  # fmt: skip
    for stored in results.each_case():
        flags[stored.case][np.ix_(*placement(stored.job, jobs[stored.case]))] = stored.done
    return flags


def must_lay_out(path, job):
    """Whether a file that `check_resumable` accepts has to be laid out anew to hold the job.

    It has if the job asks for more than the file has room for, or in another order, if the file is
    of an older format and not complete, and if it has no row left for the record of another run.
    """
    from hpc_cr.io.results import open_results

    with open_results(path) as results:
        return not _laid_out_for(results, job)


def _laid_out_for(results, job):
    older = results.provenance["format_version"] != schema.FORMAT_VERSION
    if older and not all(stored.done.all() for stored in results.each_case()):
        return False  # nothing can be added to it; a complete one is only looked at
    if results.case_names != tuple(case.name for case in job.cases):
        return False
    if not older and len(results.runs) == len(results._file[schema.RUNS.path]):
        return False
    return all(
        all(getattr(getattr(stored.job, section), name) == getattr(getattr(case.job, section), name)
            for section, name in _LAYOUT)
        for case, stored in zip(job.cases, results.each_case(), strict=True)
    )  # fmt: skip


_LAYOUT = (("run", "first_realisation"), ("run", "realisations"),
           ("particles", "observers"), ("particles", "rigidities"))  # fmt: skip


def _check_cases(results, job):
    names = [case.name for case in job.cases]
    if not set(results.case_names) <= set(names):
        raise ResultError(
            f"{results.path}: made with other cases ({_names(results.case_names)};"
            f" the job has {_names(names)}): the job may have more cases, not fewer or others;"
            f" {ELSEWHERE}"
        )


def _whole_entries(results, report):
    """Done flags by case, unset where data do not have their checksum, and those entries."""
    from hpc_cr.io.verify import verify

    flags = {stored.case: stored.done.copy() for stored in results.each_case()}
    damaged = {}
    for entry in verify(results):
        report(entry.n_bytes)
        if not entry.whole:
            damaged.setdefault(entry.case, []).append((entry.row, entry.rig))
            flags[entry.case][entry.row, entry.rig] = False
    return flags, damaged


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
        raise ResultError(f"{path}: cannot open for writing: {error.strerror or error}") from None


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
        return differences(makers_of(results), provenance)


def _names(cases):
    return ", ".join(cases) or "none"
