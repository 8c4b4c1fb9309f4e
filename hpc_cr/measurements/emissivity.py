"""Measured gamma-ray emissivity of the interstellar gas.

emissivity.csv beside this file has a row per value with its reference: the spectrum of the local
atomic gas, its integrals, and steps against Galactocentric radius. Emissivities are numbers of
photons per hydrogen atom, second and steradian; whatever shines with the gas counts, electrons'
bremsstrahlung too.
"""

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

TABLE = Path(__file__).with_name("emissivity.csv")
QUANTITIES = ("spectrum", "integral", "radial")
UNITS = {"1e-24 MeV/(s sr H)": 1e-27, "1e-26 photons/(s sr H)": 1e-26,
         "1e-27 photons/(s sr H)": 1e-27}  # fmt: skip
"""Units of the table in GeV/(s sr H atom) and photons/(s sr H atom)."""


class EmissivityPoint(NamedTuple):
    """One published value. What was not published, or does not apply, is NaN or empty.

    Attributes
    ----------
    quantity : "spectrum", "integral" or "radial"
    energy_GeV, low_GeV, high_GeV : float
        Of the photons, and their range; an integral has a lower end only.
    radius_low_kpc, radius_high_kpc : float
        Galactocentric, the Sun at 8.5 kpc.
    value : float
        "spectrum": E^2 times the differential emissivity, GeV/(s sr H atom); else
        photons/(s sr H atom).
    stat_low, stat_high, sys_low, sys_high : float
        One standard deviation, in the unit of the value.
    reference, doi : str
    """

    quantity: str
    energy_GeV: float
    low_GeV: float
    high_GeV: float
    radius_low_kpc: float
    radius_high_kpc: float
    value: float
    stat_low: float
    stat_high: float
    sys_low: float
    sys_high: float
    reference: str
    doi: str

    @property
    def errors(self):
        """Errors (downwards, upwards), statistical and systematic in quadrature; 0 if unknown."""
        return (float(np.hypot(*np.nan_to_num([self.stat_low, self.sys_low]))),
                float(np.hypot(*np.nan_to_num([self.stat_high, self.sys_high]))))  # fmt: skip


def points(quantity):
    """Points of one quantity.

    Parameters
    ----------
    quantity : "spectrum", "integral" or "radial"

    Returns
    -------
    tuple of EmissivityPoint
        In the order of the table: energies or radii rise.

    Raises
    ------
    ValueError
        No such quantity; one line.
    """
    if quantity not in QUANTITIES:
        raise ValueError(f"no measured emissivity {quantity!r}; there are {', '.join(QUANTITIES)}")
    return tuple(point for point in _table() if point.quantity == quantity)


@lru_cache(maxsize=1)
def _table():
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return tuple(map(_point, csv.DictReader(x for x in lines if not x.startswith("#"))))


def _point(row):
    scale = UNITS[row.pop("unit")]
    texts = {name: row[name] for name in ("quantity", "reference", "doi")}
    numbers = {name: float(cell or "nan") for name, cell in row.items() if name not in texts}
    for name in ("value", "stat_low", "stat_high", "sys_low", "sys_high"):
        numbers[name] *= scale
    return EmissivityPoint(**texts, **numbers)
