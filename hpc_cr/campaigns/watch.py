"""How the job that writes a result file is doing: alive or not, progress, rate, time left.

Everything is read from the file and its lock; the job is neither asked nor disturbed. Two signs
tell that it lives: the lock that rank 0 holds, and the time `seen` of the last run record, which
rank 0 renews every ten seconds. A lock may go unseen from another machine, and clocks of machines
may differ, so that each counts only for as much as it can say.
"""

import socket
import time
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.accounts import entry_cost, finished_entries, shares
from hpc_cr.io.lock import is_locked, locked_since

SILENT_SECONDS = 60.0
"""Rank 0 that has not renewed `seen` for so long is not well: it does every ten seconds."""
ENDING_SECONDS = 10.0
"""A job keeps its lock for a moment after its record says how it ended."""


class Watch(NamedTuple):
    """The last run of a file, as far as the file shows it.

    life : str
        "ended", "running", "silent" (its lock is held, but nothing is heard of it), "dead", or
        "starting": it has ended, and another job holds the lock.
    silence : float, s since it was last seen; NaN where it never was
    elapsed : float, s since its start
    done, total : int, entries of all cases
    fraction : float, share of the expected particle-steps that is finished
    finished_here : int, entries finished by this run
    step_rate, entry_rate : float, particle-steps and entries per second of this run; NaN at first
    left : float, s until it is complete at this rate; NaN at first
    ranks : list of hpc_cr.campaigns.accounts.Share, that finished an entry, the slowest first
    """

    life: str
    silence: float
    elapsed: float
    done: int
    total: int
    fraction: float
    finished_here: int
    step_rate: float
    entry_rate: float
    left: float
    ranks: list


def life(state, host, silence, locked, held=np.inf):
    """Whether a run lives.

    Parameters
    ----------
    state : str
        Of its run record.
    host : str
        Machine of its rank 0.
    silence : float
        Seconds since it was last seen.
    locked : bool or None
        From `hpc_cr.io.lock.is_locked`.
    held : float
        Seconds since the lock was taken. A job that took it after the run was last seen is
        another one: it reads the finished entries and has not begun its own run.

    Returns
    -------
    str
        "ended", "running", "silent", "dead" or "starting"; see `Watch`.
    """
    if state != "running":
        # a job that has just ended still holds the lock for a moment
        return "starting" if locked and silence > ENDING_SECONDS else "ended"
    quiet = not silence < SILENT_SECONDS
    if locked and held < silence:
        return "starting"
    if locked:
        return "silent" if quiet else "running"
    # this machine's own locks are certain; those of others may not be told
    if locked is False and host == socket.gethostname():
        return "dead"
    return "dead" if quiet else "running"


def watch(results, clock=time.time):
    """Look at the last run of a file.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        Of any case, opened just now.
    clock : callable, optional
        The time in seconds since 1970, UTC.

    Returns
    -------
    Watch or None
        None for a file on which no run was begun and that no job holds.
    """
    # in this order: a job that ends in between has written its record before it gives up the lock
    locked, since, runs = is_locked(results.path), locked_since(results.path), results.runs
    since = -np.inf if since is None else since
    if not runs and not locked:
        return None
    # laid out, but not begun: compiling may take a minute
    nothing = {"state": "", "host": "", "started": "1970-01-01T00:00:00Z"}
    number, run = len(runs) - 1, runs[-1] if runs else nothing
    silence = clock() - _seconds(run.get("seen") or run["started"])
    alive = life(run["state"], run["host"], silence, locked, clock() - since)
    elapsed = run.get("wall", np.nan)
    if alive in ("running", "silent"):
        elapsed += max(silence, 0.0)
    cases = list(results.each_case())
    entries = finished_entries(cases)
    total_cost = sum(len(c.done) * entry_cost(c.job, g)
                     for c in cases for g in range(len(c.rigidities)))  # fmt: skip
    here = entries.take(entries.run == number)
    # compiling and the first fields come before the first entry begins: no part of the rate
    working = elapsed - here.began.min() if len(here.run) else np.nan
    rate = here.cost.sum() / working if working > 0 else np.nan
    return Watch(
        alive, silence, elapsed, len(entries.run), sum(c.done.size for c in cases),
        float(entries.cost.sum() / total_cost), len(here.run),
        here.steps.sum() / working if working > 0 else np.nan,
        len(here.run) / working if working > 0 else np.nan,
        float((total_cost - entries.cost.sum()) / rate) if rate > 0 else np.nan,
        shares(here, by_rank=True),
    )  # fmt: skip


def _seconds(text):
    """Seconds since 1970 of a UTC time of the file; NaN for what is none.

    A record that is being written this instant may be read half old and half new.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return np.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
