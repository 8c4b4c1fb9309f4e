"""Does a job ask for the very entries that a file holds, and for no fewer of them?

Keys that change no number are not compared. More realisations, rigidities and observers are no
other numbers: each entry depends on its own realisation, observer and rigidity alone.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.copying import placement
from hpc_cr.io.errors import ResultError

_ROUNDING = 1e-12
"""Relative difference of stops and gradients of the same job on two kinds of processor."""

_ROWS = ("run.first_realisation", "run.realisations")
_MAPS = tuple(f"output.{spec.option}" for spec in schema.DATA if spec.option)
_BY_RIGIDITY = ("gradient.magnitude", "gradient.scale_length")
ELSEWHERE = "-o names a new file, --overwrite starts anew"


class _Change(NamedTuple):
    """A key that differs: its values now and in the file, as text."""

    key: str
    now: str
    before: str

    def __str__(self):
        return f"{self.key} is {self.now} now, {self.before} in the file"


def check_same_numbers(stored, job):
    """Raise ResultError unless every entry of a file's case is an entry of the job, bit for bit.

    Parameters
    ----------
    stored : hpc_cr.io.results.Results
        One case of the file.
    job : hpc_cr.config.Job
        The job of the same case.
    """
    where = f' in case "{stored.case}"' if stored.case else ""
    changes = [_change(key, job, stored.job) for key in job.numbers_differ(stored.job)]
    by_key = {change.key: change for change in changes}
    others = [c for c in changes if c.key not in (*_ROWS, *_MAPS, *_BY_RIGIDITY,
                                                  "particles.rigidities", "particles.observers")]
    if others:
        raise ResultError(
            f"{stored.path}: made with another value of {_few([c.key for c in others])}{where}"
            f" ({others[0]}): {_remedy(others[0], by_key)}"
        )
    less = _less(by_key, job, stored.job)
    if less:
        raise ResultError(
            f"{stored.path}: holds more than the job asks for{where} ({less}): nothing is thrown"
            f" away; ask for no less than the file holds, or {ELSEWHERE}"
        )
    for key in _MAPS:
        if key in by_key:
            raise ResultError(
                f"{stored.path}: {by_key[key]}{where}: maps cannot be added to finished entries;"
                f" {ELSEWHERE}"
            )
    _check_axes(stored, job, by_key, where)


def _remedy(change, changes):
    if change.key == "turbulence.inner_scale" and "particles.rigidities" in changes:
        return (f'without a value of its own it follows the smallest rigidity; set {change.key} ='
                f' "{change.before}" to extend the file, or {ELSEWHERE}')
    return "repeat the --set of its start, or -o names a new file, --overwrite starts anew"


def _less(changes, job, stored):
    """What a job asks for less of than the file holds: a _Change, or None."""
    now, before = (_range(j.run) for j in (job, stored))
    if now.start > before.start or now.stop < before.stop:
        key = _ROWS[0] if now.start > before.start else _ROWS[1]
        if changes.keys() & set(_ROWS) == {_ROWS[1]}:
            return changes[key]
        return _Change(key, _span(now), _span(before))
    if not set(stored.particles.rigidities) <= set(job.particles.rigidities):
        return changes["particles.rigidities"]
    if job.particles.observers < stored.particles.observers:
        return changes["particles.observers"]
    return next((changes[key] for key in _MAPS if key in changes and changes[key].now == "false"),
                None)  # fmt: skip


def _range(run):
    return range(run.first_realisation, run.first_realisation + run.realisations)


def _span(realisations):
    return f"{len(realisations)} realisations ({realisations[0]} to {realisations[-1]})"


def _check_axes(stored, job, changes, where):
    """Raise unless stops, gradients and positions are the same where the entries are."""
    rigs = placement(stored.job, job).rigs
    if "particles.observers" in changes and job.particles.count is not None:
        raise ResultError(
            f"{stored.path}: {changes['particles.observers']}{where}: with particles.count the"
            f" directions of every row depend on it; {ELSEWHERE}"
        )
    keys = [key for key in _BY_RIGIDITY if key in changes]
    for name, mine, theirs in (
        ("boundary.times" if stored.stop_kind == "time" else "boundary.radii",
         np.asarray(job.stops), stored.stops),
        *_gradients(stored, job, keys),
    ):  # fmt: skip
        least = _ROUNDING * np.abs(theirs).max()
        if not np.allclose(mine[rigs], theirs, rtol=_ROUNDING, atol=least):
            change = changes.get(name) or _Change(name, "other numbers", "at the same rigidities")
            raise ResultError(
                f"{stored.path}: made with another value of {name}{where} ({change}):"
                f" {_remedy(change, changes)}"
            )


def _gradients(stored, job, keys):
    if stored.kind != "anisotropy":
        return ()
    return ((keys[0] if keys else "gradient.magnitude", job.gradient_vectors, stored.gradient),)


def _change(key, job, stored):
    return _Change(key, *(_shown(j.settings().get(key, "nothing")) for j in (job, stored)))


def _shown(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)


def _few(keys):
    """The keys, or the first of many."""
    more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
    return ", ".join(keys[:4]) + more
