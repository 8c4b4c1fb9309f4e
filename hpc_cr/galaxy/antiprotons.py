"""Antiprotons that cosmic rays make in the interstellar gas, diffusing in the Galaxy.

For a kinetic energy T,

    div(D grad N) - div(v N) - beta n sigma_inel N + (n/c) [q(T) + q_3(T)] = 0,

n the gas, q the production by cosmic rays (`emissivity.antiproton_kernel`, with antineutrons), D
that of protons at the same rigidity. Collisions in which the antiproton survives leave it anywhere
below its energy with equal probability (Tan & Ng 1983, J. Phys. G 9, 227):

    q_3(T) = c int_T^inf beta' (sigma_inel - sigma_ann)(T') N(T') dT'/T',

so that energies are solved from the highest down. Cross sections of antiprotons on hydrogen are the
fits of Tan & Ng 1983; on helium they are 4^(2/3) times as large. Left out: losses by ionisation,
reacceleration, and what the wind's expansion takes.
"""

import numpy as np

from hpc_cr.constants import CM_PER_PC
from hpc_cr.galaxy import emissivity, spectra, transport
from hpc_cr.galaxy.nuclei import CM2_PER_MB

HELIUM_RATIO = 4 ** (2 / 3)
"""sigma on helium over sigma on hydrogen."""
_CM2_PER_M2 = 1e4


def inelastic(kinetic_GeV):
    """All inelastic collisions with hydrogen, annihilation included; Tan & Ng 1983.

    Parameters
    ----------
    kinetic_GeV : array (...)
        From 0.05 GeV.

    Returns
    -------
    ndarray (...)
        mb; NaN below 0.05 GeV.
    """
    t = np.asarray(kinetic_GeV, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 24.7 * (1 + 0.584 * t**-0.115 + 0.856 * t**-0.566)
    return np.where(t >= 0.05, found, np.nan)[()]


def annihilation(kinetic_GeV):
    """Annihilation on hydrogen; Tan & Ng 1983.

    Parameters
    ----------
    kinetic_GeV : array (...)
        From 0.05 GeV.

    Returns
    -------
    ndarray (...)
        mb; NaN below 0.05 GeV.
    """
    t = np.asarray(kinetic_GeV, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = 661 * (1 + 0.0115 * t**-0.774 - 0.948 * t**0.0151)
        found = np.where(t < 15.5, low, 36 / np.sqrt(t))
    return np.where(t >= 0.05, found, np.nan)[()]


def production(antiproton_GeV, nucleon_GeV, mass_numbers, currents, helium):
    """Production per hydrogen atom and pc of path.

    Parameters
    ----------
    antiproton_GeV : array (n,)
        Kinetic energies.
    nucleon_GeV : sequence of array (n_energy,)
        Kinetic energies per nucleon, of each species.
    mass_numbers : sequence of int
    currents : sequence of array (n_energy, ...)
        beta N of each species, N per GeV of kinetic energy per nucleon in any unit.
    helium : float
        He/H of the gas by number.

    Returns
    -------
    ndarray (n, ...)
        Antiprotons per GeV per pc for one hydrogen atom per cm^3, in the unit of N.
    """
    found = 0.0
    for energy, a, current in zip(nucleon_GeV, mass_numbers, currents, strict=True):
        kernel = emissivity.antiproton_kernel(energy, antiproton_GeV, a, helium)
        found = found + np.tensordot(kernel.matrix, np.asarray(current, float), 1)
    return found * _CM2_PER_M2 * CM_PER_PC


def solve(setting, kinetic_GeV, made, tertiary=True):
    """Densities of antiprotons.

    Parameters
    ----------
    setting : hpc_cr.galaxy.network.Setting
        Grid, diffusion, gas, wind and helium are used.
    kinetic_GeV : array (n,)
        Ascending.
    made : array (n, n_r, n_z)
        From `production`, in the cells of the grid.
    tertiary : bool
        Whether antiprotons that lost energy in a collision are kept.

    Yields
    ------
    (int, ndarray (n_r, n_z))
        Number of the energy, from the highest down, and density per GeV.
    """
    kinetic = np.asarray(kinetic_GeV, float)
    made = np.asarray(made, float)
    if made.shape != (len(kinetic), *setting.grid.shape):
        raise ValueError(f"antiprotons made of shape {made.shape} for {len(kinetic)} energies on a"
                         f" grid of {setting.grid.shape}")
    if not (np.diff(kinetic) > 0).all():
        raise ValueError("kinetic energies of antiprotons must ascend")
    scale = CM2_PER_MB * CM_PER_PC * (1 + setting.helium * HELIUM_RATIO)
    rigidity = spectra.rigidity(kinetic, 1, 1)
    beta = spectra.velocity(rigidity, 1, 1)
    lost = scale * beta * inelastic(kinetic)  # 1/pc at 1 atom per cm^3
    survived = scale * beta * (inelastic(kinetic) - annihilation(kinetic)) * tertiary
    width = np.diff(np.log(kinetic))
    above = np.zeros(setting.grid.shape)  # int of survived N dln T over the energies above
    upper = np.zeros(setting.grid.shape)  # its integrand at the energy above
    for k in reversed(range(len(kinetic))):
        # trapezoids in ln T; this energy's own half is a smaller loss
        half = 0.5 * width[k] if k < len(width) else 0.0
        through = transport.medium(setting.grid, _coefficient(setting, rigidity[k], beta[k]),
                                   (lost[k] - half * survived[k]) * setting.gas, setting.wind)
        source = setting.gas * (made[k] + above + half * upper)
        density = transport.Factorised(setting.grid, through).solve(source)
        yield k, density
        above, upper = above + half * (upper + survived[k] * density), survived[k] * density


def _coefficient(setting, rigidity, beta):
    return lambda r, z: setting.diffusion.at(r, z, rigidity, beta)
