"""What differs between two result files besides their numbers: settings, makers, completion.

Entries are matched by what they are (case, realisation, observer, rigidity), not by their place in
the file: a longer run can be compared with a shorter one. `io.distance` compares the numbers.
"""

from typing import NamedTuple

from hpc_cr.io.provenance import VERSIONS

_SOURCE = ("software", "version", "commit", "dirty", "format_version")
_LIBRARIES = (*VERSIONS, "h5py_mpi", "mpi")
_RUNS = ("commit", "dirty", "python", "libraries", "user", "host", "cpu", "nodes", "ranks",
         "team_size")
_PLACE = ("user", "host", "cpu", "command", "started")


class Setting(NamedTuple):
    """A key of the job that differs: case, key, both values (None where it is not set), and
    whether it changes numbers."""

    case: str
    key: str
    first: object
    second: object
    changes_numbers: bool


class Fact(NamedTuple):
    """A fact of provenance that differs: name, both values."""

    name: str
    first: object
    second: object


class Completion(NamedTuple):
    """Finished entries of one case: in each file, of how many, and in both."""

    case: str
    first: int
    first_total: int
    second: int
    second_total: int
    common: int


def common_cases(first, second):
    """Pairs of Results of the cases that both files have, matched by name.

    Two files with a single case each are compared whatever the names of their cases.
    """
    ours, theirs = ({case.case: case for case in r.each_case()} for r in (first, second))
    if len(ours) == len(theirs) == 1:
        return [(*ours.values(), *theirs.values())]
    return [(ours[name], theirs[name]) for name in ours if name in theirs]


def compare_jobs(pairs):
    """Keys of the job that differ, case by case.

    Parameters
    ----------
    pairs : list of (Results, Results)

    Returns
    -------
    list of Setting
    """
    found = []
    for a, b in pairs:
        mine, theirs = a.job.settings(), b.job.settings()
        changing = set(a.job.numbers_differ(b.job))
        found += [
            Setting(a.case, key, mine.get(key), theirs.get(key), key in changing)
            for key in {**mine, **theirs}
            if mine.get(key) != theirs.get(key)
        ]
    return found


def compare_provenance(first, second):
    """Facts about the making of two files that differ; the numbers do not depend on all of them.

    Returns
    -------
    list of Fact
        Source first, then libraries, then machine.
    """
    ours, theirs = first.provenance, second.provenance
    found = [
        Fact(name, ours.get(name), theirs.get(name))
        for name in (*_SOURCE, *_LIBRARIES, *_PLACE)
        if ours.get(name) != theirs.get(name)
    ]
    for name in _RUNS:
        mine, others = (_distinct(results.runs, name) for results in (first, second))
        # attributes tell of the run that began the file: of a single one nothing is left to say
        told = name in (*_SOURCE, *_PLACE, "libraries", "python") and len(mine + others) == 2
        if mine != others and not told:
            found.append(Fact(f"runs: {name}", "; ".join(mine), "; ".join(others)))
    return found


def _distinct(runs, name):
    """Values of a field of run records, as text, each once."""
    return list(dict.fromkeys(str(run[name]) for run in runs if run.get(name, "") != ""))


class Match(NamedTuple):
    """Entries of a case that are finished in both files.

    rows : list of (int, int), rigs : list of (int, int)
        Matching rows and rigidities of both files.
    entries : list of ((int, int), (int, int))
        (row, rig) in each.
    """

    rows: list
    rigs: list
    entries: list


def match(a, b):
    """Match the entries of one case in two files.

    Parameters
    ----------
    a, b : Results

    Returns
    -------
    Match
    """
    rows, rigs = pairs_of(_row_keys(a), _row_keys(b)), pairs_of(a.rigidities, b.rigidities)
    entries = [
        ((ra, ga), (rb, gb))
        for ra, rb in rows
        for ga, gb in rigs
        if a.done[ra, ga] and b.done[rb, gb]
    ]
    return Match(rows, rigs, entries)


def completion(a, b, matched):
    """Completion of one case in two files."""
    return Completion(a.case, int(a.done.sum()), a.done.size, int(b.done.sum()), b.done.size,
                      len(matched.entries))  # fmt: skip


def _row_keys(results):
    """(realisation, observer) of every row."""
    observers = results.job.particles.observers
    return [(int(real), row % observers) for row, real in enumerate(results.realisation)]


def pairs_of(ours, theirs):
    """Indices of equal keys in two sequences."""
    place = {key: index for index, key in enumerate(theirs)}
    return [(index, place[key]) for index, key in enumerate(ours) if key in place]
