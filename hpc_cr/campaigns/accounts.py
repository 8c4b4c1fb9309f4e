"""Where the time of a result file's runs went: by activity, host, rank and entry.

Entries of different cases and rigidities take different times for a particle-step, since they
meet other steps and other parts of the grids. Slowness is therefore the time per step divided by
the median over the entries of the same case and rigidity: a host of slowness 2 is twice as slow as
the usual one, whatever it was given to do.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.kinds import entry_cost
from hpc_cr.campaigns.times import RECORDED


class Entries(NamedTuple):
    """Columns over the finished entries of all cases of a file, each (n,).

    case : int, index of the case
    row, rig : int
    run : int, row of /provenance/runs; -1 where the file does not say
    rank : int, that led the entry
    host : str, "" where the file does not say
    began, ended : float, s since the start of that run; NaN where the file does not say
    seconds : float, core-seconds
    steps : int, particle-steps
    cost : float, particle-steps that were expected
    """

    case: np.ndarray
    row: np.ndarray
    rig: np.ndarray
    run: np.ndarray
    rank: np.ndarray
    host: np.ndarray
    began: np.ndarray
    ended: np.ndarray
    seconds: np.ndarray
    steps: np.ndarray
    cost: np.ndarray

    def take(self, which):
        """The entries of a mask or of indices."""
        return Entries(*(column[which] for column in self))


def finished_entries(cases):
    """The finished entries of a file.

    Parameters
    ----------
    cases : sequence of hpc_cr.io.results.Results
        All cases.

    Returns
    -------
    Entries
    """
    columns = [_columns(number, case) for number, case in enumerate(cases)]
    return Entries(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))


def _columns(number, case):
    row, rig = np.nonzero(case.done)
    n = len(row)
    costs = np.array([entry_cost(case.job, r) for r in range(len(case.rigidities))])
    if case.origin is None:
        run, host = np.full(n, -1), np.full(n, "", dtype="U64")
        began, ended = np.full((2, n), np.nan)
    else:
        origin = case.origin[row, rig]
        run, began, ended = origin["run"], origin["began"], origin["ended"]
        host = np.char.decode(origin["host"], errors="replace")
    rank = case.array("status/rank")[row, rig]
    return (np.full(n, number), row, rig, run, rank, host, began, ended,
            case.seconds[row, rig], case.steps[row, rig], costs[rig])  # fmt: skip


def slowness(entries):
    """Core-seconds per step of entries by the median of their case and rigidity, (n,)."""
    pace = entries.seconds / np.maximum(entries.steps, 1)
    found = np.ones(len(pace))
    for case, rig in set(zip(entries.case.tolist(), entries.rig.tolist(), strict=True)):
        same = (entries.case == case) & (entries.rig == rig)
        usual = np.median(pace[same])
        found[same] = pace[same] / usual if usual > 0 else 1.0
    return found


class Share(NamedTuple):
    """What one host or one rank did.

    host : str
    rank : int, -1 for a whole host
    entries : int
    seconds : float, core-seconds
    steps : int
    slowness : float, its core-seconds by what these steps usually take
    last : float, when it last finished an entry, s since the run's start
    """

    host: str
    rank: int
    entries: int
    seconds: float
    steps: int
    slowness: float
    last: float


def shares(entries, by_rank=False):
    """Work by host, or by rank, the slowest first.

    Parameters
    ----------
    entries : Entries
        Of one run if `by_rank`: the ranks of another run are others.
    by_rank : bool

    Returns
    -------
    list of Share
    """
    ranks = entries.rank if by_rank else np.full(len(entries.rank), -1)
    keys = list(zip(entries.host.tolist(), ranks.tolist(), strict=True))
    names = sorted(set(keys))
    place = {key: index for index, key in enumerate(names)}
    index = np.array([place[key] for key in keys], int)

    def total(values):
        return np.bincount(index, values, len(names))

    usual = total(entries.seconds / slowness(entries))
    last = np.full(len(names), -np.inf)
    np.maximum.at(last, index, np.nan_to_num(entries.ended, nan=-np.inf))
    seconds, steps, count = total(entries.seconds), total(entries.steps), total(None)
    found = [
        Share(host, rank, int(count[i]), float(seconds[i]), int(steps[i]),
              float(seconds[i] / usual[i]) if usual[i] > 0 else 1.0, float(last[i]))
        for i, (host, rank) in enumerate(names)
    ]  # fmt: skip
    return sorted(found, key=lambda share: -share.slowness)


def activities(runs):
    """Core-seconds of all runs by activity.

    Parameters
    ----------
    runs : list of dict
        `Results.runs`.

    Returns
    -------
    dict of str to float
        By the names of `RECORDED`; empty for a file that does not say.
    """
    if not any(name in run for run in runs for name in RECORDED):
        return {}
    return {name: float(sum(run.get(name, 0.0) for run in runs)) for name in RECORDED}
