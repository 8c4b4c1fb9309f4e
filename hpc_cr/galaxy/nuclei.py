"""Nuclei of cosmic rays: their cross sections on the interstellar gas, their decay and abundances.

Inelastic cross sections on hydrogen: protons by Kafexhiu et al. 2014, PRD 90, 123014 (equation 1),
nuclei by Letaw, Silberberg & Tsao 1983, ApJS 51, 271, which does not rise beyond 5 GeV per nucleon;
for protons every inelastic collision counts as a loss of the particle. Production: fits of Evoli,
Aloisio & Blasi 2019, PRD 99, 103023 (hpc_cr/measurements/spallation_fits.csv) and, for all other
channels, the table of Webber et al. 2003, ApJS 144, 153 (spallation.csv), constant beyond its
energies of 0.3 to 9 GeV per nucleon. A nucleus keeps its kinetic energy per nucleon. Lithium has
no other parents than carbon and oxygen in them: it is a lower limit.

Helium in the gas: sigma_He/sigma_H by Ferrando et al. 1988, PRC 37, 1490, for inelastic collisions
2.10 A^-0.055 and for the production of each fragment its own (`helium_production_ratio`).
"""

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.constants import CM_PER_PC, PC_PER_C_S

TABLES = Path(__file__).parents[1] / "measurements"
CM2_PER_MB = 1e-27
JULIAN_YEAR_S = 365.25 * 86400
HELIUM = 0.11
"""Helium atoms per hydrogen atom in the interstellar gas."""
THRESHOLD_GEV = 0.2797
"""Kinetic energy at which a proton on a proton makes a pion."""
TABLE_GEV = np.array([0.3, 1.0, 2.0, 5.0, 9.0])
"""Kinetic energies per nucleon of spallation.csv."""


class Species(NamedTuple):
    """A nucleus.

    name : str
        Element and mass number, such as "C12".
    z, a : int
        Charge and mass numbers.
    half_life_yr : float
        inf where stable.
    daughter : str
        Name of what it decays to; empty where stable.
    abundance : float
        At the sources, relative, at equal momentum per nucleon; 0 for secondary nuclei.
    """

    name: str
    z: int
    a: int
    half_life_yr: float = np.inf
    daughter: str = ""
    abundance: float = 0.0


def _rows(name):
    lines = (TABLES / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


SPECIES = {row["name"]: Species(row["name"], int(row["z"]), int(row["a"]),
                                float(row["half_life_yr"]), row["daughter"],
                                float(row["abundance"] or 0))
           for row in _rows("nuclei.csv")}  # fmt: skip


def chain(names):
    """Species of the given names so that each follows what it is made from: heaviest first.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    tuple of Species

    Raises
    ------
    ValueError
        An unknown name, or one given twice.
    """
    names = list(names)
    for name in names:
        if name not in SPECIES:
            raise ValueError(f"no nucleus {name!r}: there are {', '.join(SPECIES)}")
    if len(set(names)) != len(names):
        raise ValueError(f"a nucleus is given twice in {', '.join(names)}")
    # of equal masses the smaller charge first: beta decay raises it
    return tuple(sorted((SPECIES[name] for name in names), key=lambda one: (-one.a, one.z)))


def of_element(species, element):
    """Numbers of the isotopes of an element, such as "B", in a sequence of species.

    Raises
    ------
    ValueError
        None of them.
    """
    found = [i for i, one in enumerate(species) if one.name.rstrip("0123456789") == element]
    if not found:
        raise ValueError(f"no isotope of {element} among {', '.join(one.name for one in species)}")
    return found


def inelastic(species, nucleon_GeV):
    """Inelastic cross section on hydrogen.

    Parameters
    ----------
    species : Species
    nucleon_GeV : float or array (...)
        Kinetic energy per nucleon.

    Returns
    -------
    float or ndarray (...)
        mb.
    """
    kinetic = np.asarray(nucleon_GeV, float)
    return (_proton(kinetic) if species.a == 1 else _letaw(species, kinetic))[()]


def _proton(kinetic):
    ratio = np.maximum(kinetic / THRESHOLD_GEV, 1.0)
    logarithm = np.log(ratio)
    return (30.7 - 0.96 * logarithm + 0.18 * logarithm**2) * (1 - ratio**-1.9) ** 3


def _letaw(species, kinetic):
    a = species.a
    high = 45 * a**0.7 * (1 + 0.016 * np.sin(5.3 - 2.63 * np.log(a)))
    with np.errstate(divide="ignore"):
        wave = np.sin(1.58 * kinetic**-0.28)
    found = high * (1 - 0.62 * np.exp(-kinetic / 0.2) * np.where(np.isfinite(wave), wave, 0.0))
    if species.z == 2:
        found = 0.8 * found
    if species.z == 4:
        found = found * (1 + 0.75 * np.exp(-kinetic / 0.075))
    return found


@lru_cache(maxsize=1)
def _table():
    return {(row["parent"], row["daughter"]):
            np.array([float(row[f"mb_{energy:g}"]) for energy in TABLE_GEV])
            for row in _rows("spallation.csv")}  # fmt: skip


@lru_cache(maxsize=1)
def _fits():
    found = {}
    for row in _rows("spallation_fits.csv"):
        numbers = [float(row[name]) for name in ("Eth", "s0", "M", "G", "s1", "xi", "delta")]
        found.setdefault((row["parent"], row["daughter"]), []).append(numbers)
    return found


def makes(parent, daughter):
    """Whether collisions of `parent` have a cross section for `daughter` here."""
    channel = parent.name, daughter.name
    return channel in _fits() or channel in _table()


def production(parent, daughter, nucleon_GeV):
    """Cross section on hydrogen for a nucleus, and for what decays to it at once.

    Parameters
    ----------
    parent, daughter : Species
    nucleon_GeV : float or array (...)
        Kinetic energy per nucleon, the same for both.

    Returns
    -------
    float or ndarray (...)
        mb; 0 where no channel is known.
    """
    kinetic = np.asarray(nucleon_GeV, float)
    channel = parent.name, daughter.name
    if channel in _fits():
        return sum(_fitted(kinetic * 1e3, *numbers) for numbers in _fits()[channel])[()]
    if channel in _table():
        return np.interp(np.log(kinetic), np.log(TABLE_GEV), _table()[channel])
    return np.zeros_like(kinetic)[()]


def _fitted(kinetic, threshold, low, mass, width, high, xi, delta):
    """sigma(T) of spallation_fits.csv, T in MeV."""
    above = np.maximum(kinetic - threshold, 0.0)
    share = above / np.maximum(kinetic, threshold)
    found = high * share**xi * (1 + delta / (1 + (2000 / np.maximum(kinetic, threshold)) ** 2))
    if low > 0:
        found = found + (low * width**2 * above**2
                         / ((kinetic**2 - mass**2) ** 2 + (width * mass) ** 2))
    return np.where(kinetic > threshold, found, 0.0)


def helium_inelastic_ratio(species, nucleon_GeV):
    """Inelastic cross section on helium over that on hydrogen.

    For protons it is that of helium nuclei on hydrogen over that of protons.
    """
    kinetic = np.asarray(nucleon_GeV, float)
    if species.a > 1:
        return np.full_like(kinetic, 2.10 * species.a**-0.055)[()]
    with np.errstate(divide="ignore"):
        return (_letaw(SPECIES["He4"], kinetic) / _proton(kinetic))[()]


def helium_production_ratio(parent, daughter, nucleon_GeV):
    """Production of a fragment on helium over that on hydrogen (Ferrando et al. 1988).

        exp(mu |dZ - f delta|^1.43),    dZ = Z of the parent less that of the fragment,

    mu and delta functions of the energy, f of the parent's charge. Measured for carbon, oxygen and
    iron, at 0.43 to 1.51 GeV per nucleon and for dZ up to Z/2; beyond each of these it keeps the
    value at its end. Hydrogen and helium nuclei, and what is made of helium, are in the ratio of
    the parents' inelastic cross sections.
    """
    kinetic = np.asarray(nucleon_GeV, float)
    if daughter.z < 3 or parent.z < 3:
        return helium_inelastic_ratio(parent, kinetic)
    nodes = np.array([0.43, 0.73, 1.51])
    mu = np.interp(kinetic, nodes, [0.082, 0.047, 0.031])
    delta = np.interp(np.log(kinetic), np.log(nodes), [2.45, 3.45, 4.40])
    f = np.interp(np.log(parent.z), np.log([6, 8, 26]), [-0.76, -0.41, 1.0])
    change = min(parent.z - daughter.z, parent.z // 2)
    return np.exp(mu * np.abs(change - f * delta) ** 1.43)[()]


def collision_rate(species, nucleon_GeV, beta, helium=HELIUM):
    """Rate of inelastic collisions over c in gas of one hydrogen atom per cm^3.

        beta n_H (sigma_H + n_He/n_H sigma_He)

    Parameters
    ----------
    species : Species
    nucleon_GeV, beta : float or array (...)
        Kinetic energy per nucleon and v/c.
    helium : float
        Helium atoms per hydrogen atom.

    Returns
    -------
    float or ndarray (...)
        1/pc.
    """
    kinetic = np.asarray(nucleon_GeV, float)
    sigma = inelastic(species, kinetic)
    if species.a == 1:
        total = sigma + helium * _letaw(SPECIES["He4"], kinetic)
    else:
        total = sigma * (1 + helium * helium_inelastic_ratio(species, kinetic))
    return CM2_PER_MB * CM_PER_PC * beta * total


def production_rate(parent, daughter, nucleon_GeV, beta, helium=HELIUM):
    """Rate over c at which collisions make a nucleus, in gas of one hydrogen atom per cm^3.

    Parameters
    ----------
    parent, daughter : Species
    nucleon_GeV, beta, helium
        As for `collision_rate`.

    Returns
    -------
    float or ndarray (...)
        1/pc.
    """
    sigma = production(parent, daughter, nucleon_GeV)
    total = sigma * (1 + helium * helium_production_ratio(parent, daughter, nucleon_GeV))
    return CM2_PER_MB * CM_PER_PC * beta * total


def decay_rate(species, beta):
    """1/(gamma tau) over c, 1/pc: 0 for stable nuclei."""
    mean_life = species.half_life_yr * JULIAN_YEAR_S / PC_PER_C_S / np.log(2)
    return np.sqrt(1 - np.asarray(beta, float) ** 2)[()] / mean_life


def injection(species, rigidity_GV, slope):
    """Source of a species per GV, a power law of rigidity with the abundances of the table.

    Q ~ abundance (p/n)^-slope per momentum per nucleon, so that sources of equal momentum per
    nucleon are in the ratio of the abundances; relative.
    """
    momentum = np.asarray(rigidity_GV, float) * species.z / species.a
    return species.abundance * momentum**-slope * species.z / species.a
