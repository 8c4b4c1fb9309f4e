"""Gamma rays and antiprotons from collisions of cosmic rays with the interstellar gas.

Per hydrogen atom of the gas (with its helium, He/H by number),

    q(E) = sum_i int J_i(T) [dsigma_iH/dE + (He/H) dsigma_iHe/dE] dT,

J_i the flux of a species against kinetic energy per nucleon T. Cross sections are those of
QGSJET-II-04m as tabulated by AAfrag (Kachelriess, Moskalenko & Ostapchenko 2019, CPC 245, 106846;
package: Koldobskiy et al. 2021, PRD 104, 123027), which has nuclei as projectiles and helium as
target, from a total energy of 4 GeV per nucleon. Below, gamma rays are those of p + p by Kamae et
al. 2006 (ApJ 647, 692) times the yield of the nuclei relative to p + p (`YIELD_GeV`); where they
meet the two differ by 40 % in number. Left out: bremsstrahlung and inverse Compton emission of
electrons, which matter below a few 100 MeV, and off the plane.

A `Kernel` holds the integral over T as a matrix on the energies of a solver's densities: the
emissivity of any number of places is one matrix product. Between these energies a flux enters as
T^-2.7 times a function linear in ln T; below and above them there are no cosmic rays. About a
seventh of the photons above 100 MeV is from protons below 1 GeV, of those above 1 GeV none.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.galaxy.spectra import PROTON_MASS_GEV, nucleon_mass

HELIUM = 0.11
"""He/H of the gas by number."""
JOIN_GeV = 4.0
"""Total energy per nucleon above which the tables of AAfrag are used."""
YIELD_GeV = 30.0
"""Total energy per nucleon at which the yield of nuclei relative to p + p is taken for lower ones:
the tables' own ratios at 4 GeV are raised by the lack of pions in their p + p."""
MASS_EXPONENT = 0.9
"""Photons per collision rate of a nucleus as A^0.9 between the tables' nuclei (He, C, Al, Fe on p
have A^0.87 to A^0.96 at 30 GeV per nucleon)."""
ENHANCEMENT = 1.84
"""Gamma rays of all cosmic rays on all gas over those of p + p (Mori 2009, Astropart. Phys. 31,
341), for spectra of protons alone."""
MB_M2 = 1e-31
"""One millibarn in m^2: fluxes are per m^2."""
LOCAL_MeV, FERMI_MeV = (100.0, np.inf), (1104.0, 1442.0)
"""Energy ranges of integrated emissivities and of the longitude profile of Evoli et al. 2012."""

_TABLES = {1: "p", 4: "He", 12: "C", 27: "Al", 56: "Fe"}
_STEEPNESS = 2.7
_STEP = 0.06  # of ln T in the integral: 1e-4 of the emissivity (test_kernel_converges)
_HIGHEST_GeV = 1e3  # of photons, for ranges without an end: fewer than 1e-6 above


class Kernel(NamedTuple):
    """Production of one secondary by one species.

    Attributes
    ----------
    secondary_GeV : ndarray (n_secondary,)
        Energy of photons, kinetic energy of antiprotons.
    nucleon_GeV : ndarray (n_energy,)
        Kinetic energy per nucleon of the species.
    matrix : ndarray (n_secondary, n_energy)
        Times a flux per kinetic energy per nucleon in 1/(GeV m2 s sr): 1/(GeV s sr H atom).
    """

    secondary_GeV: np.ndarray
    nucleon_GeV: np.ndarray
    matrix: np.ndarray

    def __call__(self, flux):
        """Source spectrum per hydrogen atom, 1/(GeV s sr).

        Parameters
        ----------
        flux : array (..., n_energy)
            Per kinetic energy per nucleon, 1/(GeV m2 s sr).

        Returns
        -------
        ndarray (..., n_secondary)
        """
        return np.asarray(flux, float) @ self.matrix.T


def gamma_kernel(nucleon_GeV, gamma_GeV, mass_number=1, helium=HELIUM, below="kamae2006"):
    """Gamma rays of one species.

    Parameters
    ----------
    nucleon_GeV : array (n_energy,)
        Kinetic energy per nucleon, ascending.
    gamma_GeV : array (n_gamma,)
    mass_number : int
    helium : float
        He/H of the gas by number; 0 for hydrogen alone.
    below : "kamae2006" or "kafexhiu2014"
        p + p below the tables (the latter: PRD 90, 123014, with GEANT).

    Returns
    -------
    Kernel

    Raises
    ------
    ValueError
        Energies that are not positive and ascending.
    """
    return _kernel(nucleon_GeV, gamma_GeV,
                   lambda t: gamma_cross_section(t, gamma_GeV, mass_number, helium, below))


def antiproton_kernel(nucleon_GeV, antiproton_GeV, mass_number=1, helium=HELIUM):
    """Antiprotons of one species, with the antineutrons that decay to them.

    Parameters
    ----------
    nucleon_GeV : array (n_energy,)
        Kinetic energy per nucleon, ascending.
    antiproton_GeV : array (n_antiproton,)
        Kinetic energy.
    mass_number : int
    helium : float

    Returns
    -------
    Kernel
    """
    total = np.asarray(antiproton_GeV, float) + PROTON_MASS_GEV
    return _kernel(nucleon_GeV, antiproton_GeV, lambda t: sum(
        _aafrag(t, total, mass_number, helium, name) for name in ("ap", "an")))


def band(nucleon_GeV, mass_number=1, range_MeV=LOCAL_MeV, helium=HELIUM, below="kamae2006"):
    """Photons within a range of energies.

    Parameters
    ----------
    nucleon_GeV : array (n_energy,)
    mass_number : int
    range_MeV : (float, float)
    helium, below
        As of `gamma_kernel`.

    Returns
    -------
    ndarray (n_energy,)
        Times a flux in 1/(GeV m2 s sr): photons/(s sr H atom).
    """
    low, high = np.minimum(np.asarray(range_MeV, float) / 1e3, _HIGHEST_GeV)
    if not 0 < low < high:
        raise ValueError(f"range of gamma energies {range_MeV} MeV: must be positive and ascending")
    pieces = max(4, int(np.ceil(np.log(high / low) / 0.3)))
    edges = np.linspace(np.log(low), np.log(high), pieces + 1)
    nodes, weights = np.polynomial.legendre.leggauss(3)
    half = 0.5 * (edges[1] - edges[0])
    energy = np.exp((0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes).ravel())
    weight = np.tile(half * weights, pieces) * energy
    return weight @ gamma_kernel(nucleon_GeV, energy, mass_number, helium, below).matrix


def integrated(fluxes, mass_numbers, nucleon_GeV, range_MeV=LOCAL_MeV, **options):
    """Integrated emissivity of several species.

    Parameters
    ----------
    fluxes : sequence of array (..., n_energy)
        Of each species, per kinetic energy per nucleon, 1/(GeV m2 s sr).
    mass_numbers : sequence of int
    nucleon_GeV : sequence of array (n_energy,)
        Of each species.
    range_MeV : (float, float)
    **options
        Of `band`.

    Returns
    -------
    ndarray (...)
        Photons/(s sr H atom).
    """
    return sum(np.asarray(flux, float) @ band(energy, a, range_MeV, **options)
               for flux, a, energy in zip(fluxes, mass_numbers, nucleon_GeV, strict=True))


def gamma_cross_section(kinetic_GeV, gamma_GeV, mass_number=1, helium=HELIUM, below="kamae2006"):
    """dsigma/dE of photons per hydrogen atom of the gas.

    Parameters
    ----------
    kinetic_GeV : array (n,)
        Kinetic energy per nucleon.
    gamma_GeV : array (n_gamma,)
    mass_number, helium, below
        As of `gamma_kernel`.

    Returns
    -------
    ndarray (n, n_gamma)
        mb/GeV.
    """
    t = np.asarray(kinetic_GeV, float)
    high = t + PROTON_MASS_GEV >= JOIN_GeV
    found = np.zeros((len(t), len(gamma_GeV)))
    found[high] = _aafrag(t[high], gamma_GeV, mass_number, helium, "gam")
    if not high.all():
        found[~high] = _yield(mass_number, helium) * _low(t[~high], gamma_GeV, below)
    return found


def _low(kinetic_GeV, gamma_GeV, below):
    """p + p -> gamma by one of the parametrisations, mb/GeV."""
    frag = _package()
    laws = {"kamae2006": lambda e: frag.get_cross_section_Kamae2006("gam", e, gamma_GeV)[0],
            "kafexhiu2014": lambda e: frag.get_cross_section_Kafexhiu2014(e, gamma_GeV)[0]}
    if below not in laws:
        raise ValueError(f"gamma rays below {JOIN_GeV:g} GeV: {below!r} is none of"
                         f" {', '.join(laws)}")
    with np.errstate(invalid="ignore", divide="ignore"):
        # NaN: a power of a negative number where kinematics allow no photon
        return np.nan_to_num(laws[below](np.asarray(kinetic_GeV) + PROTON_MASS_GEV), nan=0.0)


def _yield(mass_number, helium):
    """Photons of a nucleus on the gas over those of p + p, in number, at YIELD_GeV."""
    gamma = np.geomspace(1e-3, YIELD_GeV, 200)
    kinetic = np.array([YIELD_GeV - PROTON_MASS_GEV])
    number = [np.trapezoid(_aafrag(kinetic, gamma, a, he, "gam")[0], gamma)
              for a, he in ((mass_number, helium), (1, 0.0))]
    return number[0] / number[1]


def _aafrag(kinetic_GeV, secondary_GeV, mass_number, helium, secondary):
    """Tables of AAfrag for the gas; nuclei heavier than helium on helium by He + He over He + p."""
    nucleus = min(_TABLES, key=lambda a: abs(np.log(a / mass_number)))
    scale = (mass_number / nucleus) ** MASS_EXPONENT
    name = _TABLES[nucleus]
    found = _table(kinetic_GeV, secondary_GeV, secondary, name, "p", nucleus)
    if helium and nucleus <= 4:
        found = found + helium * _table(kinetic_GeV, secondary_GeV, secondary, name, "He", nucleus)
    elif helium:
        over = [_table(kinetic_GeV, secondary_GeV, secondary, "He", gas, 4) for gas in ("He", "p")]
        found = found * (1 + helium * np.divide(*over, out=np.zeros_like(found),
                                                where=over[1] > 0))
    return scale * found


def _table(kinetic_GeV, secondary_GeV, secondary, projectile, target, nucleus):
    """One table, mb/GeV; its primary energies are total ones of the nucleus."""
    energy = nucleus * (np.asarray(kinetic_GeV, float) + nucleon_mass(nucleus))
    if not energy.size:
        return np.zeros((0, len(secondary_GeV)))
    found = _package().get_cross_section(secondary, f"{projectile}-{target}", energy,
                                         secondary_GeV, outside_bounds="zeros")[0]
    return np.asarray(found).reshape(len(energy), len(secondary_GeV))


def _package():
    """aafragpy without the filters of warnings that it sets when it is imported."""
    import warnings

    with warnings.catch_warnings():
        import aafragpy
    return aafragpy


def _kernel(nucleon_GeV, secondary_GeV, cross_section):
    """Integrals over T of a cross section times T^-2.7 and each point's linear function of ln T."""
    energy = np.asarray(nucleon_GeV, float)
    if energy.ndim != 1 or len(energy) < 2 or not (energy[0] > 0 and (np.diff(energy) > 0).all()):
        raise ValueError("energies of a production kernel must be positive and ascending")
    log = np.log(energy)
    parts = np.maximum(1, np.ceil(np.diff(log) / _STEP).astype(int))
    edges = np.concatenate([np.linspace(a, b, n, endpoint=False) for a, b, n
                            in zip(log, log[1:], parts, strict=False)] + [log[-1:]])
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    left = np.repeat(np.arange(len(parts)), parts)
    right_share = (middle - log[left]) / np.diff(log)[left]
    t = np.exp(middle)
    sigma = MB_M2 * cross_section(t) * (t ** (1 - _STEEPNESS) * width)[:, None]  # (n, n_secondary)
    matrix = np.zeros((sigma.shape[1], len(energy)))
    np.add.at(matrix.T, left, (1 - right_share)[:, None] * sigma)
    np.add.at(matrix.T, left + 1, right_share[:, None] * sigma)
    return Kernel(np.asarray(secondary_GeV, float), energy, matrix * energy**_STEEPNESS)
