"""Measured flux of cosmic-ray protons from 10 GeV to 11 PeV, joined from four experiments.

proton_flux.csv beside this file has a row per point with its reference. Between the points the flux
is a power law; energies are taken as total energies and as rigidities (1 GV for 1 GeV), which
matters below the errors above 30 GeV.
"""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

NUMBERS = ("energy_GeV", "flux", "stat", "sys")
TABLE = Path(__file__).with_name("proton_flux.csv")


@lru_cache(maxsize=1)
def rows():
    """The table: a tuple of dicts with the columns of the file, numbers as floats."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    found = []
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        numbers = {name: float(row[name] or "nan") for name in NUMBERS}
        found.append(row | numbers)
    return tuple(found)


def proton_flux(rigidity, offsets=None):
    """Flux of protons per rigidity.

    Parameters
    ----------
    rigidity : float or array (...)
        PV.
    offsets : array (n_row,), optional
        Added to the logarithms of the fluxes of the table (`deviations`).

    Returns
    -------
    float or ndarray (...)
        GeV^-1 m^-2 s^-1 sr^-1; NaN outside of the table.
    """
    energy = np.log([row["energy_GeV"] for row in rows()])
    flux = np.log([row["flux"] for row in rows()]) + (0.0 if offsets is None else offsets)
    wanted = np.log(np.asarray(rigidity, float) * 1e6)
    return np.exp(np.interp(wanted, energy, flux, left=np.nan, right=np.nan))[()]


def deviations(rng):
    """Offsets of the logarithms drawn from the errors of the table, for `proton_flux`.

    Statistical errors are independent; the systematic ones are one number per experiment, so that
    all its points move together, which is what they do for the most part.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    ndarray (n_row,)
    """
    together = {}
    found = []
    for row in rows():
        name = row["experiment"]
        if name not in together:
            together[name] = rng.normal()
        found.append((row["sys"] * together[name] + np.nan_to_num(row["stat"]) * rng.normal())
                     / row["flux"])
    return np.array(found)
