"""Measured spectra and ratios of cosmic rays near the Earth.

spectra.csv and ratios.csv beside this file have a row per published point with its reference: H,
He, B, C, N, O, Ne, Mg, Si, Fe (each with all its isotopes), all particles together, B/C and
10Be/9Be. Each row says what its energy axis is:

    rigidity   GV
    kinetic    kinetic energy of the particle, GeV
    nucleon    kinetic energy per nucleon, GeV
    total      energy of the particle, GeV

and an intensity is per unit of that axis, m^-2 s^-1 sr^-1 GeV^-1 (or GV^-1). `per_total_energy`
puts them all on one axis: J(E) = J(x) dx/dE.
"""

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

AXES = ("rigidity", "kinetic", "nucleon", "total")
TABLES = tuple(Path(__file__).with_name(name) for name in ("spectra.csv", "ratios.csv"))
ALL_PARTICLES = "all"
RATIOS = ("B/C", "10Be/9Be")

ELEMENTS = {"H": (1, 1), "He": (2, 4), "B": (5, 11), "C": (6, 12), "N": (7, 14), "O": (8, 16),
            "Ne": (10, 20), "Mg": (12, 24), "Si": (14, 28), "Fe": (26, 56)}  # fmt: skip
"""Charge and mass number (of the commonest isotope) per element."""
NUCLEON_GEV = 0.9315
"""Atomic mass unit times c^2, GeV; the mass matters below some GeV per nucleon only."""

IDENTIFIED = ("AMS-02", "PAMELA", "DAMPE", "CALET", "CREAM", "ISS-CREAM", "NUCLEON", "TRACER")
"""Experiments in space or on balloons, which identify each particle; air-shower arrays tell
elements apart by a model of the interactions."""

_NUMBERS = ("energy", "value", "stat_low", "stat_high", "sys_low", "sys_high")


class SpectrumPoint(NamedTuple):
    """One published point. What was not published is NaN or empty.

    Attributes
    ----------
    quantity : str
        An element, "all", "B/C" or "10Be/9Be".
    experiment : str
    axis : "rigidity", "kinetic", "nucleon" or "total"
    energy : float
        GV for "rigidity", GeV for the others.
    value : float
        Intensity per unit of the axis, m^-2 s^-1 sr^-1 GeV^-1 or GV^-1; a ratio has no unit.
    stat_low, stat_high, sys_low, sys_high : float
        Errors downwards and upwards, one standard deviation. A single error is under stat.
    remark : str
        Model of the interactions behind an air-shower spectrum, or where a value comes from.
    reference, doi : str
    """

    quantity: str
    experiment: str
    axis: str
    energy: float
    value: float
    stat_low: float
    stat_high: float
    sys_low: float
    sys_high: float
    remark: str
    reference: str
    doi: str

    @property
    def errors(self):
        """Errors (downwards, upwards), statistical and systematic in quadrature."""
        low = np.hypot(*np.nan_to_num([self.stat_low, self.sys_low]))
        high = np.hypot(*np.nan_to_num([self.stat_high, self.sys_high]))
        return float(low), float(high)


def quantities():
    """Names of what has been measured, in the order of the tables, list of str."""
    return list(dict.fromkeys(point.quantity for point in _tables()))


def points(quantity, experiments=None):
    """Measured points of one quantity.

    Parameters
    ----------
    quantity : str
        An element ("H", "He", "C", ...), "all" for all particles, "B/C" or "10Be/9Be".
    experiments : sequence of str, optional
        Only these, in any case; default: every experiment of the table.

    Returns
    -------
    tuple of SpectrumPoint
        By experiment in the order of the table, energies rising within each of its references.

    Raises
    ------
    ValueError
        No such quantity, or an experiment that did not measure it; one line.
    """
    found = tuple(p for p in _tables() if p.quantity == quantity)
    if not found:
        raise ValueError(f"no measurement of {quantity!r}; there are {', '.join(quantities())}")
    if experiments is None:
        return found
    known = {p.experiment.casefold(): p.experiment for p in found}
    for name in experiments:
        if name.casefold() not in known:
            raise ValueError(f"no measurement of {quantity} by {name!r}; there are"
                             f" {', '.join(known.values())}")  # fmt: skip
    wanted = {known[name.casefold()] for name in experiments}
    return tuple(p for p in found if p.experiment in wanted)


def per_total_energy(measured):
    """The same intensities per total energy of the particle.

    Parameters
    ----------
    measured : sequence of SpectrumPoint
        Elements or all particles.

    Returns
    -------
    tuple of SpectrumPoint
        axis "total": E = sqrt(Z^2 R^2 + M^2) = T + M = A T_n + M, and value and errors times dx/dE.

    Raises
    ------
    ValueError
        A ratio, which has no such axis; one line.
    """
    return tuple(_per_total_energy(p) for p in measured)


def _per_total_energy(p):
    if p.axis == "total":
        return p
    if p.quantity not in ELEMENTS:
        raise ValueError(f"{p.quantity} against {p.axis} has no total energy")
    charge, nucleons = ELEMENTS[p.quantity]
    mass = nucleons * NUCLEON_GEV
    if p.axis == "rigidity":
        energy = float(np.hypot(charge * p.energy, mass))
        slope = energy / (charge**2 * p.energy)  # dR/dE = E/(Z p), p = Z R
    elif p.axis == "kinetic":
        energy, slope = p.energy + mass, 1.0
    else:
        energy, slope = nucleons * p.energy + mass, 1 / nucleons
    scaled = {name: getattr(p, name) * slope for name in _NUMBERS[1:]}
    return p._replace(axis="total", energy=energy, **scaled)


class Arrays(NamedTuple):
    """Points as arrays (n,): energy, value, and the errors downwards and upwards."""

    energy: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def arrays(measured):
    """Points as arrays.

    Parameters
    ----------
    measured : sequence of SpectrumPoint

    Returns
    -------
    Arrays
        Errors with everything in quadrature.
    """
    errors = np.array([p.errors for p in measured]).reshape(len(measured), 2)
    return Arrays(np.array([p.energy for p in measured]), np.array([p.value for p in measured]),
                  errors[:, 0], errors[:, 1])  # fmt: skip


@lru_cache(maxsize=1)
def _tables():
    return tuple(point for path in TABLES for point in read(path))


def read(path):
    """All points of one table.

    Parameters
    ----------
    path : path-like
        Lines that begin with # are comments.

    Returns
    -------
    tuple of SpectrumPoint

    Raises
    ------
    ValueError
        A line of it is wrong; file and line are named.
    """
    numbered = [(n, line) for n, line in enumerate(_lines(path), 1)
                if line and not line.startswith("#")]  # fmt: skip
    if not numbered or tuple(numbered[0][1].split(",")) != SpectrumPoint._fields:
        raise ValueError(f"{path}: the columns are not {','.join(SpectrumPoint._fields)}")
    found = []
    rows = csv.reader(line for _, line in numbered[1:])
    for (number, _), cells in zip(numbered[1:], rows, strict=True):
        try:
            found.append(_point(dict(zip(SpectrumPoint._fields, cells, strict=True))))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    return tuple(found)


def _lines(path):
    return Path(path).read_text(encoding="utf-8").splitlines()


def _point(row):
    """A row of text as a SpectrumPoint; a ValueError says what is wrong with it."""
    values = {name: float(row[name]) if row[name] else np.nan for name in _NUMBERS}
    point = SpectrumPoint(**(row | values))
    if point.axis not in AXES:
        raise ValueError(f"the axis is {point.axis!r}, not one of {', '.join(AXES)}")
    if not (point.energy > 0 and point.value > 0 and min(point.errors) > 0):
        raise ValueError("energy, value and errors must be positive")
    return point
