"""Renew the table of dipoles from the Cosmic-Ray DataBase through its own client, `crdb`.

The database (Maurin et al. 2023, EPJ C 83, 971) lists amplitudes in one quantity and phases in
another, energies in GeV and phases in degrees. Its numbers take the place of ours; what it does
not say (confidence levels, which analysis replaces which, remarks) stays, and so do points that it
does not list. New points of a reference whose points we all hide are hidden too. The table that
comes with the package is never changed.
"""

import contextlib
import csv
import io
import os
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.measurements import dipole
from hpc_cr.measurements.dipole import COLUMNS, DipolePoint, TableError

ADDRESS = "https://lpsc.in2p3.fr/crdb"
AMPLITUDE, PHASE = "DipoleAmplitude", "DipolePhase"
SAME_ENERGY = 0.02
"""Relative difference below which two energies of one paper are the same point."""
SAME_BIN = 0.05
"""The same for amplitude and phase: the database gives some with slightly different energies."""
OVERTAKEN = ("lower error taken as the amplitude", "phase without error")
"""Remarks on our values that do not hold for the database's."""
HIDDEN = "new in the database, hidden as all of this reference"
"""Remark on a point that `merge` hides."""
_TECHNIQUES = {"ground": "air showers", "underground": "underground muons", "space": "satellite"}


class Renewal(NamedTuple):
    """Numbers of points of a renewed table.

    Attributes
    ----------
    renewed, new, kept, unusable : int
        With the database's values in place of ours; that we did not have; that the database does
        not list; left out because they have no error or no energy.
    """

    renewed: int
    new: int
    kept: int
    unusable: int


def fetch(timeout=120):
    """The dipole rows of the whole database.

    Parameters
    ----------
    timeout : int
        Seconds to wait for the server.

    Returns
    -------
    numpy.recarray
        As `crdb.all` gives it: energies in GeV, phases in degrees.
    version : str
        Of the client.

    Raises
    ------
    TableError
        No client, no connection, or no dipoles in the answer.
    """
    try:
        import cachier
        import crdb
    except ImportError as error:
        raise TableError(
            f"the client of the Cosmic-Ray DataBase is missing ({error}): pip install crdb"
        ) from None
    # Its cache of 30 days would pass for a renewal. On failure it prints a long traceback before
    # it raises; the last line of that says why.
    spoken = io.StringIO()
    cachier.disable_caching()
    try:
        with contextlib.redirect_stderr(spoken), contextlib.redirect_stdout(io.StringIO()):
            everything = crdb.all(timeout=timeout)
    except (OSError, ValueError, IndexError) as error:
        raise TableError(f"no answer from {ADDRESS}: {_reason(spoken, error)}") from None
    finally:
        cachier.enable_caching()
    rows = everything[np.isin(everything.quantity, (AMPLITUDE, PHASE))]
    if not (rows.quantity == AMPLITUDE).any():
        raise TableError(f"{ADDRESS} answered without any {AMPLITUDE}")
    return rows, crdb.__version__


def _reason(spoken, error):
    lines = [line.strip() for line in spoken.getvalue().splitlines() if line.strip()]
    return lines[-1] if lines else str(error) or type(error).__name__


def points_of(rows, names):
    """Points from rows of the database.

    Parameters
    ----------
    rows : numpy.recarray
        With the fields of `crdb`: quantity, sub_exp, exp_type, e, e_bin, value, err_sta, err_sys,
        ads, is_upper_limit. Energies stand on one axis whatever their kind, as in the database's
        own figure of dipoles.
    names : sequence of str
        Experiment of each row.

    Returns
    -------
    points : list of DipolePoint
    unusable : int
        Rows of amplitudes that were left out.
    """
    phases = [row for row in rows if row.quantity == PHASE]
    points, unusable = [], 0
    for row, name in zip(rows, names, strict=True):
        if row.quantity != AMPLITUDE:
            continue
        limit = bool(row.is_upper_limit)
        if not (row.e > 0 and 0 < row.value < 1) or not (limit or (row.err_sta > 0).all()):
            unusable += 1
            continue
        points.append(_point(row, name, limit, None if limit else _phase(row, phases)))
    return points, unusable


def _phase(row, phases):
    """The row with the phase that belongs to an amplitude, or None."""
    own = [p for p in phases if p.sub_exp == row.sub_exp and p.ads == row.ads
           and abs(p.e / row.e - 1) <= SAME_BIN]  # fmt: skip
    return min(own, key=lambda p: abs(p.e / row.e - 1)) if own else None


def _point(row, name, limit, phase):
    low, high = row.e_bin
    has_bin = high > low > 0
    phase_errors = np.full(2, np.nan)
    if phase is not None:
        phase_errors = _or_nan(np.hypot(phase.err_sta, phase.err_sys))
    stat, system = _or_nan(row.err_sta), _or_nan(row.err_sys)
    if limit:
        stat = system = np.full(2, np.nan)
    return DipolePoint(
        experiment=str(name),
        technique=_TECHNIQUES.get(str(row.exp_type).casefold(), str(row.exp_type) or "unknown"),
        year=int(row.ads[:4]) if row.ads[:4].isdigit() else 0,
        energy=row.e / 1e6,
        energy_low=low / 1e6 if has_bin else np.nan,
        energy_high=high / 1e6 if has_bin else np.nan,
        amplitude=float(row.value),
        stat_low=stat[0],
        stat_high=stat[1],
        sys_low=system[0],
        sys_high=system[1],
        upper_limit=limit,
        confidence_percent=np.nan,
        phase_deg=np.nan if phase is None else float(phase.value) % 360,
        phase_low_deg=phase_errors[0],
        phase_high_deg=phase_errors[1],
        shown=True,
        source="database",
        reference=str(row.ads) or "no reference in the database",
        arxiv="",
        bibcode=str(row.ads),
        note="",
    )


def _or_nan(errors):
    return np.where(errors > 0, errors, np.nan)


_NUMBERS = ("energy", "energy_low", "energy_high", "amplitude", "stat_low", "stat_high", "sys_low",
            "sys_high", "phase_deg", "phase_low_deg", "phase_high_deg")  # fmt: skip


def merge(own, fetched):
    """A table from our points and the database's.

    Parameters
    ----------
    own, fetched : sequence of DipolePoint

    Returns
    -------
    points : tuple of DipolePoint
        By experiment, year and energy.
    renewed, new, kept : int
    """
    left, points, new = list(own), [], 0
    for point in fetched:
        match = next((p for p in left if _same(p, point)), None)
        if match is None:
            new += 1
            points.append(_new(own, point))
            continue
        left.remove(match)
        numbers = {name: getattr(point, name) for name in _NUMBERS}
        remarks = [part for part in match.note.split("; ") if part not in OVERTAKEN]
        points.append(match._replace(note="; ".join(remarks), **numbers))
    # the database may have corrected a paper's energies: its rows of that paper replace ours
    papers = {p.bibcode for p in fetched}
    kept = [p for p in left if p.bibcode not in papers or p.source != "database"]
    points += kept
    points.sort(key=lambda p: (p.experiment.casefold(), p.year, p.energy, p.upper_limit))
    return tuple(points), len(fetched) - new, new, len(kept)


def _new(own, point):
    """A point that we do not have; hidden if we hide all that we have of its reference.

    A superseded analysis would return otherwise, where the database gives other energies.
    """
    ours = [p for p in own if p.bibcode == point.bibcode] if point.bibcode else []
    if not ours or any(p.shown for p in ours):
        return point
    nearest = min(ours, key=lambda p: abs(np.log(p.energy / point.energy)))
    remarks = [part for part in nearest.note.split("; ") if part and part not in OVERTAKEN]
    return point._replace(shown=False, note="; ".join([*remarks, HIDDEN]))


def _same(own, point):
    return (own.bibcode == point.bibcode and own.upper_limit == point.upper_limit
            and abs(own.energy / point.energy - 1) <= SAME_ENERGY)  # fmt: skip


def write(path, points, first_line):
    """Write a table whole or not at all.

    Parameters
    ----------
    path : path-like
        Its folder is made if missing.
    points : sequence of DipolePoint
    first_line : str
        Without the #.

    Raises
    ------
    TableError
        It cannot be written.
    """
    path = Path(path)
    with open(dipole.PACKAGE_TABLE, encoding="utf-8") as file:
        header = [line for line in file if line.startswith("#")]
    text = io.StringIO()
    text.write(f"# {first_line}\n{''.join(header)}")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([_cell(name, point) for name in DipolePoint._fields] for point in points)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text.getvalue(), encoding="utf-8")
        dipole.read(part)  # what was written can be read
        part.replace(path)
    except OSError as error:
        raise TableError(f"{path}: cannot write: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _cell(name, point):
    value = getattr(point, name)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        value = value * 1e6 if name.startswith("energy") else value
        return "" if np.isnan(value) else f"{value:.6g}"
    return value


def _experiment(sub_experiment, families):
    """Name without the campaign: "EAS-TOP(1992/01-1999/12)" is EAS-TOP."""
    family = next((f for f in families if sub_experiment.startswith(f)), None)
    return family or sub_experiment.split("(")[0].strip()


def renew(folder=None, timeout=120):
    """Ask the database and write the renewed table.

    Parameters
    ----------
    folder : path-like, optional
        Default: the user's folder, where figures find it.
    timeout : int
        Seconds.

    Returns
    -------
    Path, Renewal

    Raises
    ------
    TableError
        Something is missing or wrong; then nothing has been changed.
    """
    rows, version = fetch(timeout)
    import crdb

    names = [_experiment(str(sub), crdb.COMBINE) for sub in rows.sub_exp]
    fetched, unusable = points_of(rows, names)
    if not fetched:
        raise TableError(f"none of the {unusable} amplitudes from {ADDRESS} can be used")
    points, renewed, new, kept = merge(dipole.read().points, fetched)
    path = Path(folder or dipole.user_folder()) / dipole.NAME
    today = date.today().isoformat()
    write(path, points, f"renewed {today} from {ADDRESS} through crdb {version}")
    return path, Renewal(renewed, new, kept, unusable)
