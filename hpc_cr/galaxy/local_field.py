"""The dipole where the field around the Sun decides which way cosmic rays flow.

Within some 20 pc of the Sun the field has one direction b, and

    D_ij = D_perp delta_ij + (D_par - D_perp) b_i b_j,   D_perp/D_par = min[1, e (R/R0)^s],

with D_par the coefficient that transport in the Galaxy has at the Sun (Li, Yuan, Liu & Guo 2021,
arXiv:2107.00313: e = 0.01, s = 0.32). A component - the sea or a local source of one species - of
density N and speed beta c then has the dipole

    delta_i = +3 D_ij d_j N/(c beta N),

positive towards where the excess comes from. Several components at one energy weigh with their
intensities c beta N/(4 pi): delta = sum 3 D_ij d_j N/sum beta N, so that it is the flows 3 D grad N
that are added up. Where D_perp << D_par only the gradient along the field counts, and the dipole
points along b, to the side on which density grows.

Vectors are Galactic Cartesian. Experiments on the ground see the equatorial part
(`hpc_cr.detector.harmonics`): amplitude |delta| cos(dec) and right ascension of the maximum.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.detector import harmonics

DEGREES_PER_HOUR = 15.0


class LocalField(NamedTuple):
    """The field around the Sun and how it guides cosmic rays.

    Attributes
    ----------
    direction : ndarray (3,)
        b, of any length and either sign, Galactic Cartesian.
    ratio : float
        e, D_perp/D_par at R0.
    ratio_slope : float
        s.
    rigidity_GV : float
        R0, in print the one of the diffusion coefficient.
    """

    direction: np.ndarray
    ratio: float = 0.01
    ratio_slope: float = 0.32
    rigidity_GV: float = 4.0

    def ratio_at(self, rigidity_GV):
        """D_perp/D_par, at most 1."""
        power = (np.asarray(rigidity_GV, float) / self.rigidity_GV) ** self.ratio_slope
        return np.minimum(1.0, self.ratio * power)

    def tensor(self, parallel_pc, rigidity_GV):
        """Diffusion tensors at the Sun.

        Parameters
        ----------
        parallel_pc, rigidity_GV : float or array (...)
            D_par/c in pc, and rigidity.

        Returns
        -------
        ndarray (..., 3, 3)
            D/c, pc.

        Raises
        ------
        ValueError
            The field has no direction, or the ratio is not above 0; one line.
        """
        b = np.asarray(self.direction, float)
        if not (b.shape == (3,) and np.all(np.isfinite(b)) and np.any(b)):
            raise ValueError("local field: its direction must be a vector that is not zero")
        if not self.ratio > 0:
            raise ValueError(f"local field: D_perp/D_par = {self.ratio:g} must be above 0")
        b = b / np.linalg.norm(b)
        share = np.asarray(self.ratio_at(rigidity_GV))[..., None, None]
        along = np.outer(b, b)
        parallel = np.asarray(parallel_pc, float)[..., None, None]
        return parallel * (share * np.eye(3) + (1.0 - share) * along)


def isotropic(coefficient_pc):
    """Tensors (..., 3, 3) of isotropic diffusion: no local field."""
    return np.asarray(coefficient_pc, float)[..., None, None] * np.eye(3)


def flow(tensor, gradient):
    """3 D_ij d_j N of a component.

    Parameters
    ----------
    tensor : array (..., 3, 3)
        D/c, pc.
    gradient : array (..., 3)
        d_j N, the unit of N per pc.

    Returns
    -------
    ndarray (..., 3)
        In the unit of N, Galactic Cartesian, towards the excess.
    """
    return 3.0 * np.einsum("...ij,...j->...i", np.asarray(tensor, float),
                           np.asarray(gradient, float))


def dipole(flows, densities, beta=1.0):
    """Dipole of all components together.

    Parameters
    ----------
    flows : array (n_component, ..., 3)
        Of `flow`; a species and the sea or a source is a component.
    densities : array (n_component, ...)
        N, all per the same unit of the same energy axis, as the flows.
    beta : float or array (n_component, ...)
        v/c of each.

    Returns
    -------
    ndarray (..., 3)
        delta, Galactic Cartesian; NaN where there are no particles.
    """
    flows, densities = np.asarray(flows, float), np.asarray(densities, float)
    total = np.sum(densities * beta, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sum(flows, axis=0) / total[..., None]
    return np.where((total > 0)[..., None], found, np.nan)


def equatorial(dipoles):
    """What an experiment that turns with the Earth sees of a dipole.

    Parameters
    ----------
    dipoles : array (..., 3)
        Galactic Cartesian.

    Returns
    -------
    amplitude, hours : ndarray (...)
        |delta| cos(declination), and the right ascension of the maximum, [0, 24) h.
    """
    harmonic = harmonics.first_harmonic(dipoles, band=None)
    amplitude, degrees = harmonics.amplitude_and_phase(harmonic)
    return amplitude, degrees / DEGREES_PER_HOUR
