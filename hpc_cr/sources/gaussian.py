"""A burst in homogeneous anisotropic diffusion: density, gradient, dipole, suppression.

N particles that leave one place at t = 0 have, a displacement r from there and a time t later,

    n = N (4 pi t)^(-3/2) det(D)^(-1/2) exp(-r D^-1 r/(4 t)),

the Green's function of dn/dt = D_ij d_i d_j n in infinite space; lengths and times (c t) in pc, D
(D/c) in pc. Kachelriess 2018 (arXiv:1811.02419) writes the volume of the Gaussian as
pi^(3/2) D_perp D_par^(1/2) t^(3/2); that is 8 times smaller than the (4 pi t)^(3/2) det(D)^(1/2)
that keeps N. Ratios of volumes, such as the gain of `density_gain`, do not see the difference.

The dipole on the sky is delta_i = +3 D_ij d_j n/(c n) (the excess comes from the dense side) and
here -(3/(2 c t)) r for any tensor: towards the source, 3 R/(2 c T) long (Savchenko, Kachelriess &
Semikoz 2015, ApJ 809, L23).
"""

import numpy as np

PARALLEL_GAIN, PERPENDICULAR_LOSS = 5.0, 500.0
"""D_par = 5 D_iso and D_perp = D_iso/500 near B_rms/B0 = 0.25, with D_iso what B/C asks of
isotropic diffusion (Giacinti, Kachelriess & Semikoz 2018, JCAP 07, 051; Kachelriess 2018)."""


def uniaxial(parallel, perpendicular, axis):
    """Tensor with one value along an axis and another across it.

    Parameters
    ----------
    parallel, perpendicular : float
    axis : array (3,)
        Of any length, Galactic Cartesian.

    Returns
    -------
    ndarray (3, 3)
    """
    b = np.asarray(axis, float) / np.linalg.norm(axis)
    along = np.outer(b, b)
    return parallel * along + perpendicular * (np.eye(3) - along)


def density(position, time, tensor):
    """Number density per particle of the burst.

    Parameters
    ----------
    position : ndarray (..., 3)
        Displacement from the source, pc.
    time : float
        Since the burst, pc.
    tensor : ndarray (3, 3) or (..., 3, 3)
        D/c, pc, symmetric and positive definite.

    Returns
    -------
    ndarray (...)
        1/pc^3.
    """
    r = np.asarray(position, float)
    tensor = np.asarray(tensor, float)
    exponent = np.einsum("...i,...ij,...j->...", r, np.linalg.inv(tensor), r) / (4 * time)
    volume = (4 * np.pi * time) ** 1.5 * np.sqrt(np.linalg.det(tensor))
    return np.exp(-exponent) / volume


def mean_in_cells(along, across, time, parallel, perpendicular):
    """Mean density per particle in rings around the axis of a uniaxial tensor.

    Parameters
    ----------
    along : array (n_along + 1,)
        Edges by distance from the source, pc.
    across : array (n_perp + 1,)
        Edges by distance from the axis, pc.
    time, parallel, perpendicular : float
        pc.

    Returns
    -------
    ndarray (n_along, n_perp)
        1/pc^3, on one side of the source.
    """
    across = np.asarray(across, float)
    line = mean_along(along, time, parallel)
    ring = -np.diff(np.exp(-(across**2) / (4 * perpendicular * time)))
    return line[:, None] * ring / (np.pi * np.diff(across**2))


def mean_along(along, time, parallel):
    """Mean density per particle and length along the axis between edges, 1/pc, on one side.

    Parameters
    ----------
    along : array (n_along + 1,)
    time, parallel : float
        As for `mean_in_cells`.

    Returns
    -------
    ndarray (n_along,)
    """
    from scipy.special import erf

    along = np.asarray(along, float)
    return np.diff(erf(along / np.sqrt(4 * parallel * time))) / (2 * np.diff(along))


def log_gradient(position, time, tensor):
    """grad(n)/n = -D^-1 r/(2 t).

    Parameters
    ----------
    position, time, tensor
        As for `density`.

    Returns
    -------
    ndarray (..., 3)
        1/pc.
    """
    r = np.asarray(position, float)
    return -np.einsum("...i,...ij->...j", r, np.linalg.inv(tensor)) / (2 * time)


def dipole(position, time, tensor):
    """Dipole on the sky of an observer in the cloud, delta_i = 3 D_ij d_j n/(c n).

    Parameters
    ----------
    position, time, tensor
        As for `density`; the position is the observer's from the source.

    Returns
    -------
    ndarray (..., 3)
        Galactic Cartesian, towards the excess: the source.
    """
    return 3 * log_gradient(position, time, tensor) @ np.asarray(tensor, float)


def amplitude(distance, time):
    """3 R/(2 c T), the dipole of one source alone, whatever the diffusion tensor.

    Parameters
    ----------
    distance : float or array (...)
        R, pc.
    time : float or array (...)
        T, pc.
    """
    return 1.5 * np.asarray(distance, float) / time


def density_gain(isotropic, parallel, perpendicular):
    """How much denser a cloud is than in isotropic diffusion, at its centre and the same time.

    D_iso^(3/2)/(D_par^(1/2) D_perp): 500/sqrt(5) = 224 for the coefficients of `PARALLEL_GAIN`.
    """
    return isotropic**1.5 / (np.sqrt(parallel) * perpendicular)


def suppression(distance, time, perpendicular):
    """exp(-d^2/(4 D_perp T)): density a distance d across the field over that at d = 0.

    Parameters
    ----------
    distance : float or array (...)
        d_perp of the observer from the source's field line, pc.
    time : float or array (...)
        pc.
    perpendicular : float or array (...)
        D_perp/c, pc.
    """
    return np.exp(-np.square(distance) / (4 * np.asarray(time, float) * perpendicular))


def coefficient_at_suppression(distance, time, share=0.5):
    """D_perp/c (pc) that leaves a share of the density, the inverse of `suppression`."""
    return np.square(distance) / (4 * time * np.log(1 / share))


def suppression_rigidity(distance, time, perpendicular, exponent, share=0.5):
    """Rigidity below which less than a share of the density is left, D_perp ~ R^exponent.

    Parameters
    ----------
    distance, time : float
        pc.
    perpendicular : float
        D_perp/c at 1 PV, pc.
    exponent : float
        Above 0.
    share : float

    Returns
    -------
    float
        PV.
    """
    needed = coefficient_at_suppression(distance, time, share)
    return (needed / perpendicular) ** (1 / exponent)
