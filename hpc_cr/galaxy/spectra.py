"""Rigidity, energy and momentum of nuclei, fluxes in their units, and solar modulation.

For a nucleus of charge Z and mass number A, with the atomic mass unit m for the mass of a nucleon
(the proton's own mass for A = 1):

    p/n = Z R/A,    (T + m)^2 = (p/n)^2 + m^2,    beta = (p/n)/(T + m),    E = A (T + m),

T the kinetic energy per nucleon in GeV and R the rigidity in GV. A density N per unit of one of
them is a flux J = beta c N/(4 pi) per the same unit, and dp_n/dT = 1/beta.

Solar modulation in the force-field approximation: Gleeson & Axford 1968, ApJ 154, 1011.
"""

import numpy as np

from hpc_cr.constants import SPEED_OF_LIGHT_M_PER_S

PROTON_MASS_GEV = 0.938_272_089_43
"""CODATA 2022."""
NUCLEON_MASS_GEV = 0.931_494_103_72
"""Atomic mass constant, CODATA 2022: the mass per nucleon of nuclei to 0.1 %."""
SPEED_OF_LIGHT_CM_PER_S = 100 * SPEED_OF_LIGHT_M_PER_S
AXES = "rigidity", "nucleon", "energy"


def nucleon_mass(a):
    """Mass per nucleon in GeV of a nucleus with mass number `a` (int or array)."""
    return np.where(np.asarray(a) == 1, PROTON_MASS_GEV, NUCLEON_MASS_GEV)[()]


def momentum_per_nucleon(rigidity_GV, z, a):
    """Momentum per nucleon in GeV/c at a rigidity."""
    return np.asarray(rigidity_GV, float) * z / a


def nucleon_energy(rigidity_GV, z, a):
    """Kinetic energy per nucleon at a rigidity.

    Parameters
    ----------
    rigidity_GV : float or array (...)
    z, a : int or array (...)
        Charge and mass numbers.

    Returns
    -------
    float or ndarray (...)
        GeV.
    """
    momentum, mass = momentum_per_nucleon(rigidity_GV, z, a), nucleon_mass(a)
    # T = p^2/(E + m), which keeps its digits where p << m
    return momentum**2 / (np.hypot(momentum, mass) + mass)


def rigidity(nucleon_GeV, z, a):
    """Rigidity in GV at a kinetic energy per nucleon (GeV)."""
    kinetic = np.asarray(nucleon_GeV, float)
    return np.sqrt(kinetic * (kinetic + 2 * nucleon_mass(a))) * a / z


def total_energy(rigidity_GV, z, a):
    """Total energy of the nucleus in GeV at a rigidity, rest mass included."""
    return a * np.hypot(momentum_per_nucleon(rigidity_GV, z, a), nucleon_mass(a))


def rigidity_of_energy(energy_GeV, z, a):
    """Rigidity in GV at a total energy (GeV); NaN below the rest mass."""
    energy, mass = np.asarray(energy_GeV, float), a * nucleon_mass(a)
    squared = (energy - mass) * (energy + mass)
    return np.sqrt(np.where(squared >= 0, squared, np.nan))[()] / z


def velocity(rigidity_GV, z, a):
    """v/c at a rigidity."""
    momentum = momentum_per_nucleon(rigidity_GV, z, a)
    return momentum / np.hypot(momentum, nucleon_mass(a))


def axis_per_rigidity(axis, rigidity_GV, z, a):
    """dx/dR of an energy axis: what turns a density or flux per x into one per GV.

    Parameters
    ----------
    axis : {"rigidity", "nucleon", "energy"}
        x is R in GV, the kinetic energy per nucleon or the total energy in GeV.
    rigidity_GV : float or array (...)
    z, a : int

    Returns
    -------
    float or ndarray (...)
        1, GeV per nucleon per GV, or GeV per GV.
    """
    if axis not in AXES:
        raise ValueError(f"no energy axis {axis!r}: it is one of {', '.join(AXES)}")
    beta = velocity(rigidity_GV, z, a)
    # dT = beta dp_n with p_n = Z R/A; dE = A dT
    return {"rigidity": np.ones_like(beta), "nucleon": beta * z / a, "energy": beta * z}[axis][()]


def convert(values, rigidity_GV, z, a, from_axis, to_axis):
    """Densities or fluxes per unit of one axis as ones per unit of another, at the same rigidity.

    Parameters
    ----------
    values : float or array (...)
    rigidity_GV : float or array (...)
        Where they are, whatever the axis.
    z, a : int
    from_axis, to_axis : {"rigidity", "nucleon", "energy"}
    """
    per_rigidity = np.asarray(values, float) * axis_per_rigidity(from_axis, rigidity_GV, z, a)
    return per_rigidity / axis_per_rigidity(to_axis, rigidity_GV, z, a)


def flux(density_cm3, beta):
    """J = beta c N/(4 pi).

    Parameters
    ----------
    density_cm3 : float or array (...)
        N in cm^-3 per unit of an energy axis.
    beta : float or array (...)
        v/c.

    Returns
    -------
    float or ndarray (...)
        m^-2 s^-1 sr^-1 per the same unit.
    """
    return 1e4 * SPEED_OF_LIGHT_CM_PER_S * np.asarray(density_cm3, float) * beta / (4 * np.pi)


def density(flux_m2, beta):
    """N in cm^-3 per unit of an energy axis, the inverse of `flux`."""
    return 4 * np.pi * np.asarray(flux_m2, float) / (1e4 * SPEED_OF_LIGHT_CM_PER_S * beta)


def modulated(nucleon_GeV, flux_per_nucleon, z, a, potential_GV, wanted=None):
    """Flux at the Earth in the force field of the Sun.

        J(T) = J_ism(T + Phi) T (T + 2m)/[(T + Phi)(T + Phi + 2m)],    Phi = potential Z/A.

    Parameters
    ----------
    nucleon_GeV : array (n,)
        Kinetic energies per nucleon of the interstellar flux, increasing.
    flux_per_nucleon : array (n,)
        Interstellar flux per GeV per nucleon, positive; between its points a power law.
    z, a : int
    potential_GV : float
    wanted : float or array (...), optional
        Kinetic energies per nucleon at the Earth; default `nucleon_GeV`.

    Returns
    -------
    float or ndarray (...)
        In the unit of `flux_per_nucleon`; NaN where T + Phi is outside of the points.
    """
    kinetic = np.asarray(nucleon_GeV if wanted is None else wanted, float)
    mass = nucleon_mass(a)
    outside = kinetic + potential_GV * z / a
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.interp(np.log(outside), np.log(nucleon_GeV), np.log(flux_per_nucleon),
                              np.nan, np.nan)  # fmt: skip
    squares = kinetic * (kinetic + 2 * mass) / (outside * (outside + 2 * mass))
    return (np.exp(logarithm) * squares)[()]
