"""Energy that nuclei lose to the interstellar gas: ionisation and Coulomb collisions.

Formulas of Mannheim & Schlickeiser 1994, A&A 286, 983 (sections 4.5 and 4.6), for a nucleus of
charge Z, mass M and velocity beta c, with the electron's m and r_e:

    ionisation   2 pi r_e^2 m c^2 Z^2/beta sum_s n_s [ln(2 m c^2 beta^2 gamma^2 Q/I_s^2)
                 - 2 beta^2],    Q = 2 m c^2 beta^2 gamma^2/(1 + 2 gamma m/M),
    Coulomb      4 pi r_e^2 m c^2 Z^2 n_e L beta^2/(x^3 + beta^3),

both over c; n_s the electrons in hydrogen and helium atoms, n_e the free ones, L the Coulomb
logarithm of a cold plasma and x = (3 sqrt(pi)/4)^(1/3) sqrt(2 kT/m c^2). Free electrons are those
of hydrogen: helium is mostly neutral in the warm ionised gas too (Reynolds & Tufte 1995, ApJ 439,
L17).
"""

import numpy as np

from hpc_cr.constants import CM_PER_PC
from hpc_cr.galaxy.nuclei import HELIUM
from hpc_cr.galaxy.spectra import nucleon_mass

ELECTRON_RADIUS_CM = 2.817_940_320_5e-13
"""CODATA 2022, like the following."""
ELECTRON_MASS_GEV = 0.510_998_950_69e-3
HBAR_C_GEV_CM = 1.973_269_804e-14
BOLTZMANN_GEV_PER_K = 8.617_333_262e-14
HYDROGEN_GEV, HELIUM_GEV = 19e-9, 44e-9
"""Mean excitation energies of the electrons in hydrogen and helium, 19 and 44 eV."""
TEMPERATURE_K = 1e4
"""Of the ionised gas."""


def rate(species, nucleon_GeV, hydrogen_cm3, ionised_cm3=0.0, helium=HELIUM):
    """Kinetic energy per nucleon lost per path c dt.

    Parameters
    ----------
    species : hpc_cr.galaxy.nuclei.Species
    nucleon_GeV : float or array (...)
        Kinetic energy per nucleon.
    hydrogen_cm3, ionised_cm3 : float or array (...)
        Neutral hydrogen atoms, those in molecules included, and ionised ones per cm^3.
    helium : float
        Helium atoms per hydrogen atom, neutral or ionised.

    Returns
    -------
    float or ndarray (...)
        -dT/(c dt), GeV/pc, positive.
    """
    mass = nucleon_mass(species.a)
    gamma = 1 + np.asarray(nucleon_GeV, float) / mass
    squared = (gamma - 1) * (gamma + 1) / gamma**2
    neutral, ionised = np.asarray(hydrogen_cm3, float), np.asarray(ionised_cm3, float)
    common = (2 * np.pi * ELECTRON_RADIUS_CM**2 * ELECTRON_MASS_GEV * CM_PER_PC
              * species.z**2 / species.a)  # fmt: skip
    nucleus = mass * species.a
    return common * (_ionisation(gamma, squared, nucleus, neutral, helium * (neutral + ionised))
                     + 2 * _coulomb(gamma, squared, nucleus, ionised))  # fmt: skip


def _ionisation(gamma, squared, nucleus, hydrogen, helium):
    energy = 2 * ELECTRON_MASS_GEV * squared * gamma**2
    largest = energy / (1 + 2 * gamma * ELECTRON_MASS_GEV / nucleus)

    def bracket(excitation):
        return np.maximum(np.log(energy * largest / excitation**2) - 2 * squared, 0.0)

    # two electrons in an atom of helium
    both = hydrogen * bracket(HYDROGEN_GEV) + 2 * helium * bracket(HELIUM_GEV)
    return both / np.sqrt(squared)


def _coulomb(gamma, squared, nucleus, electrons):
    thermal = np.sqrt(2 * BOLTZMANN_GEV_PER_K * TEMPERATURE_K / ELECTRON_MASS_GEV)
    cubed = 0.75 * np.sqrt(np.pi) * thermal**3
    # without electrons their logarithm is not asked for
    present = np.where(electrons > 0, electrons, 1.0)
    plasma = ELECTRON_MASS_GEV**2 / (np.pi * ELECTRON_RADIUS_CM * HBAR_C_GEV_CM**2 * present)
    logarithm = 0.5 * np.log(plasma * nucleus * gamma**2 * squared**2
                             / (nucleus + 2 * gamma * ELECTRON_MASS_GEV))  # fmt: skip
    return electrons * np.maximum(logarithm, 0.0) * squared / (cubed + squared**1.5)
