"""Published dipoles: amplitude and phase of the first harmonic in right ascension.

A ground array turns with the Earth and is blind to the component along its axis. An amplitude here
is as printed, and there are two kinds: of the equatorial dipole |delta| cos(declination), as the
horizontal dipole of HAWC and IceCube together and d_perp of the Pierre Auger Observatory; or of the
band of declinations that is seen, not divided by its mean cosine, as by IceCube, ARGO-YBJ and Tibet
at TeV to PeV, which lies below the former by <cos dec> (`hpc_cr.detector.exposure.mean_cosine`).
Which it is was not looked up for every row. Both are at most |delta|, as long as multipoles above
the dipole add nothing. The phase is the right ascension of the maximum. The table is dipole.csv
beside this file; a renewed one (`hpc_cr.measurements.renewal`) in the user's folder takes its
place.
"""

import csv
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

NAME = "dipole.csv"
PACKAGE_TABLE = Path(__file__).with_name(NAME)

_GEV_PER_PEV = 1e6
_NUMBERS = ("amplitude", "stat_low", "stat_high", "sys_low", "sys_high", "confidence_percent",
            "phase_deg", "phase_low_deg", "phase_high_deg")  # fmt: skip
_TEXTS = ("experiment", "technique", "source", "reference", "arxiv", "bibcode", "note")
_ENERGIES = ("energy_GeV", "energy_low_GeV", "energy_high_GeV")


class TableError(ValueError):
    """A table cannot be read, or it has no such experiment; one line."""


class DipolePoint(NamedTuple):
    """One published point. What was not published is NaN or empty.

    Attributes
    ----------
    experiment, technique : str
    year : int
        Of the reference.
    energy, energy_low, energy_high : float
        Primary energy, median or mean as published, and its range, PeV.
    amplitude : float
        Of the first harmonic in right ascension as printed, dimensionless; the limit itself for
        an upper limit.
    stat_low, stat_high, sys_low, sys_high : float
        Its errors downwards and upwards (one standard deviation), statistical and systematic.
    upper_limit : bool
    confidence_percent : float
        Of an upper limit.
    phase_deg, phase_low_deg, phase_high_deg : float
        Right ascension of the maximum, within [0, 360), and its errors.
    shown : bool
        False where a figure leaves it out: a later analysis replaces it, it is the same data a
        second time, an outlier, or not checked; the note says which.
    source : "database" or "abstract"
        Where the value was taken from: the Cosmic-Ray DataBase, or the abstract of the paper.
    reference, arxiv, bibcode, note : str
    """

    experiment: str
    technique: str
    year: int
    energy: float
    energy_low: float
    energy_high: float
    amplitude: float
    stat_low: float
    stat_high: float
    sys_low: float
    sys_high: float
    upper_limit: bool
    confidence_percent: float
    phase_deg: float
    phase_low_deg: float
    phase_high_deg: float
    shown: bool
    source: str
    reference: str
    arxiv: str
    bibcode: str
    note: str

    @property
    def errors(self):
        """Errors (downwards, upwards), statistical and systematic in quadrature."""
        return (float(np.hypot(self.stat_low, np.nan_to_num(self.sys_low))),
                float(np.hypot(self.stat_high, np.nan_to_num(self.sys_high))))  # fmt: skip


COLUMNS = tuple(
    f"{name}_GeV" if name.startswith("energy") else name for name in DipolePoint._fields
)


class Table(NamedTuple):
    """Points of one file.

    Attributes
    ----------
    points : tuple of DipolePoint
    path : Path
    renewed : str
        Date of a renewal, such as "2026-11-21"; empty for the package's own table.
    """

    points: tuple
    path: Path
    renewed: str


def user_folder():
    """Folder of renewed tables: $HPC_CR_DATA, else hpc_cr in the user's data folder (XDG)."""
    chosen = os.environ.get("HPC_CR_DATA")
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "hpc_cr"


def current():
    """The table that figures use: the user's renewed one where there is one.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        The file cannot be read; never the package's own values in its place.
    """
    renewed = user_folder() / NAME
    return read(renewed if renewed.exists() else PACKAGE_TABLE)


def read(path=PACKAGE_TABLE):
    """A table.

    Parameters
    ----------
    path : path-like
        Lines that begin with # are comments; "# renewed DATE ..." tells the date of a renewal.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        No such file, or a line of it is wrong.
    """
    path = Path(path)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise TableError(f"{path}: cannot read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TableError(f"{path}: not a text file") from None


@lru_cache(maxsize=4)
def _read(path, _changed):
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.read().splitlines()
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    renewed = [line.split()[2] for line in lines if line.startswith("# renewed ")]
    if not numbered or numbered[0][1].split(",") != list(COLUMNS):
        raise TableError(f"{path}: the columns are not {','.join(COLUMNS)}")
    points = []
    rows = csv.reader(line for _, line in numbered[1:])
    for (number, _), cells in zip(numbered[1:], rows, strict=True):
        try:
            points.append(_point(dict(zip(COLUMNS, cells, strict=True))))
        except ValueError as error:
            raise TableError(f"{path}, line {number}: {error}") from None
    return Table(tuple(points), path, renewed[0] if renewed else "")


def _point(row):
    """A row of text as a DipolePoint; a ValueError says what is wrong with it."""
    values = {name: row[name] for name in _TEXTS}
    for name in _ENERGIES:
        values[name.removesuffix("_GeV")] = _number(row[name]) / _GEV_PER_PEV
    values |= {name: _number(row[name]) for name in _NUMBERS}
    for name in ("upper_limit", "shown"):
        if row[name] not in ("0", "1"):
            raise ValueError(f"{name} is {row[name]!r}, not 0 or 1")
        values[name] = row[name] == "1"
    point = DipolePoint(**values, year=int(row["year"]))
    if not (point.energy > 0 and 0 < point.amplitude < 1):
        raise ValueError("energy and amplitude must be positive, the amplitude below 1")
    return point


def _number(text):
    return float(text) if text else np.nan


def experiments(points):
    """Names in alphabetical order."""
    return sorted({point.experiment for point in points}, key=str.casefold)


def choose(points, wanted):
    """Points of the experiments that a user names.

    Parameters
    ----------
    points : sequence of DipolePoint
    wanted : str
        "all", "none", or names of experiments separated by commas, in any case.

    Returns
    -------
    tuple of DipolePoint
        Those left out of figures too, if an experiment is named.

    Raises
    ------
    TableError
        No such experiment; with the nearest name.
    """
    if wanted.strip().casefold() == "none":
        return ()
    if wanted.strip().casefold() == "all":
        return tuple(points)
    known = {name.casefold(): name for name in experiments(points)}
    names = set()
    for word in filter(None, (part.strip() for part in wanted.split(","))):
        if word.casefold() not in known:
            raise TableError(f"no measurement by {word!r}; {_hint(word, known)}")
        names.add(known[word.casefold()])
    if not names:
        raise TableError(f"{wanted!r} names no experiment; give all, none or experiments")
    return tuple(point for point in points if point.experiment in names)


def _hint(word, known):
    from hpc_cr.config.errors import nearest

    guess = nearest(word.casefold(), known)
    if guess:
        return f"did you mean {known[guess]}?"
    return f"the experiments are {', '.join(known.values())}"


def for_figures(points):
    """Points that are fit for drawing.

    Returns
    -------
    tuple of DipolePoint
        Without those marked as not shown, and without an amplitude where its paper gives an upper
        limit from the same data: it is then not significant.
    """
    limits = {(p.experiment, p.bibcode, p.energy) for p in points if p.upper_limit and p.shown}
    return tuple(
        p for p in points
        if p.shown and (p.upper_limit or (p.experiment, p.bibcode, p.energy) not in limits)
    )  # fmt: skip
