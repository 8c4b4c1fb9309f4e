"""Are the numbers of a result file the ones that were written? Checksums, entry by entry."""

import math
from typing import NamedTuple

from hpc_cr.io import schema
from hpc_cr.io.checks import checksum


class EntryCheck(NamedTuple):
    """One finished entry that was compared with its checksum.

    case, row, rig : which entry
    n_bytes : int, of its data
    whole : bool, whether the data have the checksum that was stored with them
    """

    case: str
    row: int
    rig: int
    n_bytes: int
    whole: bool


def entry_bytes(results):
    """Bytes of one entry's data in a case, int."""
    return sum(d.dtype.itemsize * math.prod(d.shape[2:]) for d in data_of(results).values())


def finished_bytes(results):
    """Bytes of the data of all finished entries of all cases, int."""
    return sum(int(case.done.sum()) * entry_bytes(case) for case in results.each_case())


def verify(results):
    """Compare every finished entry of every case with its checksum.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Of any case of the file.

    Yields
    ------
    EntryCheck
        In the file's order. An entry that cannot be read is not whole.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The checksums themselves cannot be read.
    """
    for case in results.each_case():
        stored, data = case.array("status/checksum"), data_of(case)
        n_bytes = entry_bytes(case)
        for row, rig in zip(*case.done.nonzero(), strict=True):
            try:
                found = checksum(dataset[row, rig] for dataset in data.values())
            except OSError:
                found = None  # the disk does not give it back: as lost as a changed one
            yield EntryCheck(case.case, int(row), int(rig), n_bytes, found == stored[row, rig])


def data_of(results):
    """Datasets of a case that the checksums cover, by path, in the file's order (h5py)."""
    group = results._group
    return {spec.path: group[spec.path] for spec in schema.DATA if spec.path in group}
