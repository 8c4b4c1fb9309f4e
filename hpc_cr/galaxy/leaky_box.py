"""The leaky box: densities of nuclei from the matter they cross before they escape.

    J_i [1/X_i + s_i/m] = q_i/rho + sum_j J_j s_ji/m,

J = N v, X_i the grammage, m the mass of gas per hydrogen atom, s the cross sections on the gas per
hydrogen atom. A disc of half-thickness h and density rho in a halo of half-thickness H that both
extend far in the plane is one with X = v rho h H/D (Giacinti, Kachelriess & Semikoz 2018, JCAP 07,
051) as h/H becomes small. For nuclei that decay at a rate w outside of the disc

    X = v rho h/[D k coth(k H)],    k^2 = w/D,

and their daughters gain what they lose beyond escape, 1/X less 1/X at w = 0: in the halo
D_i N_i + D_j N_j changes linearly with height.
"""

import numpy as np

from hpc_cr.constants import CM_PER_PC, PROTON_MASS_G
from hpc_cr.galaxy import nuclei


def gas_mass(helium=nuclei.HELIUM):
    """Mass of gas per hydrogen atom in g."""
    return PROTON_MASS_G * (1 + 4 * helium)


def grammage(coefficient_pc, beta=1.0, density=1.0, disc_pc=150.0, halo_pc=5000.0,
             helium=0.0, decay=0.0):  # fmt: skip
    """Matter crossed in a thin disc before escape from the halo.

    Parameters
    ----------
    coefficient_pc : float or array (...)
        D/c across the plane.
    beta : float or array (...)
        v/c.
    density : float
        Hydrogen atoms per cm^3 in the disc.
    disc_pc, halo_pc : float
        Half-thicknesses h and H.
    helium : float
        Helium atoms per hydrogen atom.
    decay : float or array (...)
        w/c in the halo, 1/pc.

    Returns
    -------
    float or ndarray (...)
        g/cm^2.
    """
    coefficient = np.asarray(coefficient_pc, float)
    depth = halo_pc * np.sqrt(np.asarray(decay, float) / coefficient)
    # x coth x = 1 + x^2/3 where x vanishes
    speed = np.where(depth > 1e-4, depth / np.tanh(np.maximum(depth, 1e-4)), 1 + depth**2 / 3)
    crossed = gas_mass(helium) * density * CM_PER_PC * disc_pc * halo_pc * beta / coefficient
    return (crossed / speed)[()]


def fluxes(species, nucleon_GeV, injection, stable, decaying=None, helium=nuclei.HELIUM):
    """J = N v of all species.

    Parameters
    ----------
    species : tuple of hpc_cr.galaxy.nuclei.Species
        Heaviest first.
    nucleon_GeV : float or array (n_energy)
        Kinetic energy per nucleon, the same for all.
    injection : array (n_species, ...)
        q per kinetic energy per nucleon, any unit.
    stable, decaying : array (n_species, ...)
        Grammage without and with decay, g/cm^2; without `decaying` nothing decays.
    helium : float
        Helium atoms per hydrogen atom.

    Returns
    -------
    ndarray (n_species, ...)
        In g/cm^2 times the unit of `injection`: q/rho comes out where nothing is lost but by
        escape after 1 g/cm^2.
    """
    stable = np.asarray(stable, float)
    decaying = stable if decaying is None else np.asarray(decaying, float)
    per_gram = 1 / (CM_PER_PC * gas_mass(helium))
    made = np.array(np.broadcast_arrays(np.asarray(injection, float), stable)[0])
    number = {one.name: i for i, one in enumerate(species)}
    found = np.empty_like(made)
    for i, one in enumerate(species):
        lost = per_gram * nuclei.collision_rate(one, nucleon_GeV, 1.0, helium)
        found[i] = made[i] / (1 / decaying[i] + lost)
        for j in range(i + 1, len(species)):
            if nuclei.makes(one, species[j]):
                rate = nuclei.production_rate(one, species[j], nucleon_GeV, 1.0, helium)
                made[j] += per_gram * rate * found[i]
        if one.daughter in number:
            made[number[one.daughter]] += (1 / decaying[i] - 1 / stable[i]) * found[i]
    return found
