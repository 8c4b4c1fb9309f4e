"""How far the numbers of two result files are apart, dataset by dataset.

Compared are the entries that are finished in both files, and of them the stops that both have.
Bits decide whether numbers are the same; the size of a difference is given beside. Files are read
entry by entry, so that any size fits into memory.
"""

import math
from typing import NamedTuple

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.compare import pairs_of
from hpc_cr.io.verify import data_of

MACHINE = ("rank", "seconds", "origin", "done")
"""Status that tells how an entry was made, or whether it was, and is no number of the result."""

ROUNDING = 1e-12
"""Relative difference up to which stops are the same: other processors round differently."""


class Numbers(NamedTuple):
    """One dataset of one case, over the entries that are finished in both files.

    case, path, units : str
    compared : int
        Entries compared; rigidities or rows for an axis.
    differ : int
        Entries whose bits differ.
    absolute, relative : float
        Largest difference of two numbers, in the dataset's unit, and the same by the largest
        number that the entry has in this dataset; infinite where one of two numbers is NaN.
    where, where_relative : str
        Entry of each, in words; "" if no entry differs.
    note : str
        Why it was not compared, or "".
    """

    case: str
    path: str
    units: str
    compared: int
    differ: int
    absolute: float = 0.0
    relative: float = 0.0
    where: str = ""
    where_relative: str = ""
    note: str = ""


def compare_numbers(a, b, matched, advance=lambda n_bytes: None):
    """Compare the numbers of one case, dataset by dataset.

    Parameters
    ----------
    a, b : Results
    matched : Match
    advance : callable, optional
        Called with the bytes read from each file as the comparison goes on.

    Yields
    ------
    Numbers
        For every dataset that either file has.
    """
    yield from _axes(a, b, matched)
    for spec in (*schema.DATA, *schema.STATUS):
        if spec.name in MACHINE:
            continue
        found = [results._group.get(spec.path) for results in (a, b)]
        if found == [None, None]:
            continue
        if None in found:
            only = "second" if found[0] is None else "first"
            note = f"only in the {only} file"
            yield Numbers(a.case, spec.path, spec.units, 0, 0, note=note)
        else:
            yield _dataset(a, b, spec, found, matched, advance)


def _axes(a, b, matched):
    """Axes that are numbers of their own: stops, gradients, positions of observers, radii."""
    yield _stop_axis(a, b, matched)
    for path, pairs, name in (
        ("axes/gradient", matched.rigs, _rigidity),
        ("axes/observer", matched.rows, _row),
        ("axes/source", matched.rows, _row),
        ("axes/smoothing", matched.rigs, _rigidity),
    ):
        ours, theirs = a.array(path), b.array(path)
        if ours is None or theirs is None:
            continue  # a file of an older version, or of another kind
        units = next(spec.units for spec in schema.AXES if spec.path == path)
        largest = _Largest()
        for one, other in pairs:
            largest.compare(ours[one], theirs[other], lambda one=one, name=name: name(a, one))
        yield largest.numbers(a.case, path, units, len(pairs))


def _stop_axis(a, b, matched):
    """Stops that both files have, by rigidity, and how many only one of them has."""
    path, largest, common, total = f"axes/{a.stop_kind}", _Largest(), 0, 0
    if a.stop_kind != b.stop_kind:
        return Numbers(a.case, path, "pc", 0, 0, note=f"the second file has {b.stop_kind}")
    for ga, gb in matched.rigs:
        mine, others = _stops(a, b, ga, gb)
        largest.compare(a.stops[ga][mine], b.stops[gb][others], lambda ga=ga: _rigidity(a, ga))
        common += len(mine)
        total += len(a.stops[ga]) + len(b.stops[gb]) - len(mine)
    numbers = largest.numbers(a.case, path, "pc", len(matched.rigs))
    return numbers._replace(note=f"{common} of {total} are in both files" if common < total else "")


def _dataset(a, b, spec, found, matched, advance):
    """Numbers of one dataset that both files have."""
    ours, theirs = found
    with_stops = "stop" in spec.dims
    inner = 3 if with_stops else 2
    note = ""
    if ours.shape[inner:] != theirs.shape[inner:]:
        note = f"other shape: {_shape(ours, inner)} and {_shape(theirs, inner)}"
    elif spec.name == "checksum" and not _same_data(a, b):
        note = "covers other data in each file"
    if note:
        return Numbers(a.case, spec.path, spec.units, 0, 0, note=note)
    largest, compared = _Largest(), 0
    stops = {(ga, gb): _stops(a, b, ga, gb) for ga, gb in matched.rigs}
    for (row, rig), (other_row, other_rig) in matched.entries:
        one, other = ours[row, rig], theirs[other_row, other_rig]
        advance(one.nbytes)
        if with_stops:
            mine, others = stops[rig, other_rig]
            one, other = one[mine], other[others]
        compared += bool(np.size(one))
        largest.compare(one, other, lambda row=row, rig=rig: a.job.entry_name(row, rig))
    numbers = largest.numbers(a.case, spec.path, spec.units, compared)
    # the size of a difference of two checksums means nothing
    nothing = {"absolute": math.nan, "relative": math.nan} if spec.name == "checksum" else {}
    return numbers._replace(**nothing)


def _stops(a, b, rig, other_rig):
    """Indices of the stops of a rigidity that both files have; none where times meet radii."""
    if a.stop_kind != b.stop_kind:
        return np.zeros((2, 0), int)
    one, other = a.stops[rig], b.stops[other_rig]
    return np.array(np.nonzero(np.isclose(one[:, None], other, rtol=ROUNDING, atol=0)))


def _same_data(a, b):
    """Whether the entries of two files hold the same datasets, shapes and stops."""
    mine, theirs = ({path: d.shape[2:] for path, d in data_of(r).items()} for r in (a, b))
    # equal shapes mean equally many stops
    return mine == theirs and all(
        _stops(a, b, *rigs).shape[1] == a.stops.shape[1]
        for rigs in pairs_of(a.rigidities, b.rigidities)
    )


def _shape(dataset, inner):
    return "(" + ", ".join(map(str, dataset.shape[inner:])) + ")"


def _rigidity(results, rig):
    return f"{results.rigidities[rig]:.4g} PV"


def _row(results, row):
    return results.job.entry_name(row, 0).rsplit(", ", 1)[0]


class _Largest:
    """The largest differences so far, and where they are."""

    def __init__(self):
        self._differ, self._absolute, self._relative = 0, (0.0, ""), (0.0, "")

    def compare(self, one, other, name):
        """Compare two arrays of the same shape; name() says what they belong to."""
        one, other = np.ascontiguousarray(one), np.ascontiguousarray(other)
        if one.tobytes() == other.tobytes():
            return
        self._differ += 1
        absolute, relative = distance(one, other)
        where = name()
        if absolute > self._absolute[0] or not self._absolute[1]:
            self._absolute = absolute, where
        if relative > self._relative[0] or not self._relative[1]:
            self._relative = relative, where

    def numbers(self, case, path, units, compared):
        return Numbers(case, path, units, compared, self._differ, self._absolute[0],
                       self._relative[0], self._absolute[1], self._relative[1])  # fmt: skip


def distance(one, other):
    """How far two arrays are apart.

    Parameters
    ----------
    one, other : ndarray
        Of the same shape; integers, floats or complex numbers.

    Returns
    -------
    absolute, relative : float
        The largest |one - other|, and that by the largest number in either; infinite where one
        of two numbers is NaN, 0 where only the sign of a zero or the bits of a NaN differ.
    """
    kind = complex if np.iscomplexobj(one) else float
    one, other = one.astype(kind), other.astype(kind)
    if (np.isnan(one) != np.isnan(other)).any():
        return math.inf, math.inf
    known = ~np.isnan(one)
    absolute, *sizes = (
        float(np.max(np.abs(values[known]), initial=0.0)) for values in (one - other, one, other)
    )
    scale = max(sizes)
    return absolute, absolute / scale if scale > 0 else 0.0
