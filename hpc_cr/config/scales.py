"""Scales of a job by pure arithmetic: gyroradius, coherence length, mean free path, kept power.

Lengths in pc, fields in uG, rigidities in PV.
"""

import numpy as np

from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.transfer import LEAST_TRANSFER, axis_power, axis_transfer

MOST_STEPS = 1e15
"""Steps of a particle beyond which a run is a mistake: years of computing, still exact floats."""


def gyroradius(rigidity, b):
    """Gyroradius r_g = R/(c B), 1.0810076 pc per PV and uG, of a momentum perpendicular to B.

    Parameters
    ----------
    rigidity : float or array (...)
        PV.
    b : float or array (...)
        uG.

    Returns
    -------
    float or ndarray (...)
        pc; infinite without a field.
    """
    with np.errstate(divide="ignore"):
        return np.divide(GYRORADIUS_PC_UG_PER_PV * np.asarray(rigidity, float), b)[()]


def power_integral(longest, shortest, exponent):
    """Integral of k^-exponent from 2 pi/longest to 2 pi/shortest, k in 1/pc."""
    low, high = 2 * np.pi / longest, 2 * np.pi / shortest
    if abs(exponent - 1.0) < 1e-9:
        return float(np.log(high / low))
    return float((high ** (1 - exponent) - low ** (1 - exponent)) / (1 - exponent))


def coherence_length(longest, shortest, slope):
    """Two-sided coherence length of isotropic turbulence, pc.

    Parameters
    ----------
    longest, shortest : float
        L_max and L_min, wavelengths in pc.
    slope : float
        q of E(k) ~ k^-q.

    Returns
    -------
    float
        int_-inf^inf <B(x).B(x + r)> dr / B_rms^2, pc.

    Notes
    -----
    pi int E/k dk / int E dk = (L_max/2) ((q-1)/q) [1-(L_min/L_max)^q]/[1-(L_min/L_max)^(q-1)].
    One-sided definitions give half of it.
    """
    return (np.pi * power_integral(longest, shortest, slope + 1)
            / power_integral(longest, shortest, slope))


def isotropic_mean_free_path(gyroradii, outer_scale):
    """Estimate of lambda = 3 D/c without a regular field, pc.

    Notes
    -----
    lambda = L_c [4 x^2 + 0.9 x + 0.23 x^(1/3)], x = r_g/L_c, L_c = L_max/5: fit to trajectories in
    Kolmogorov turbulence (Harari, Mollerach & Roulet 2014, PRD 89 123001). It chooses times, it is
    no result; other slopes use it as it stands.
    """
    length = outer_scale / 5
    x = np.asarray(gyroradii, float) / length
    return length * (4 * x**2 + 0.9 * x + 0.23 * np.cbrt(x))


def quasilinear_mean_free_path(gyroradii, outer_scale, field_ratio):
    """Estimate of lambda_par = 3 D_par/c along a strong uniform field, pc.

    Parameters
    ----------
    gyroradii : array (n,)
        pc, in the uniform field B0 alone.
    outer_scale : float
        L_max, pc.
    field_ratio : float
        B0 over the r.m.s. turbulent field.

    Notes
    -----
    3 (27/(7 pi)) r_g (B0/dB)^2 (k_min r_g)^(-2/3), k_min = 2 pi/L_max: quasi-linear theory with
    all of a Kolmogorov spectrum in waves along B0, an estimate for isotropic turbulence.
    """
    r_g = np.asarray(gyroradii, float)
    k_min = 2 * np.pi / outer_scale
    return 3 * (27 / (7 * np.pi)) * r_g * field_ratio**2 * (k_min * r_g) ** (-2.0 / 3.0)


def mean_free_paths(rigidities, rms, uniform, outer_scale):
    """Estimated mean free path 3 D/c per rigidity, parallel to a field that dominates.

    Parameters
    ----------
    rigidities : array (n,)
        PV.
    rms, uniform : float
        Turbulent (r.m.s.) and uniform field, uG.
    outer_scale : float
        L_max, pc.

    Returns
    -------
    ndarray (n,)
        pc; infinite without turbulence. With a uniform field stronger than the turbulence the
        larger of the two estimates.
    """
    rigidities = np.asarray(rigidities, float)
    if rms == 0.0:
        return np.full(rigidities.shape, np.inf)
    total = np.hypot(rms, uniform)
    isotropic = isotropic_mean_free_path(gyroradius(rigidities, total), outer_scale)
    if uniform <= rms:
        return isotropic
    along = quasilinear_mean_free_path(gyroradius(rigidities, uniform), outer_scale, uniform / rms)
    return np.maximum(isotropic, along)


def negligible_wavelength(rigidities, mean_free_paths, gyroradii, turbulence, share):
    """Wavelength below which waves cause no more than a share of the scattering.

    Parameters
    ----------
    rigidities : array (n,)
        PV.
    mean_free_paths : array (n,)
        Estimated mean free path in all of the turbulence, pc.
    gyroradii : array (n,)
        In the reference field, pc: the result stays below a fifth of it, where the theory holds.
    turbulence : Turbulence
        Its rms (uG), outer_scale, inner_scale (pc) and slope.
    share : float
        Of 1/(mean free path), at least 0.

    Returns
    -------
    ndarray (n,)
        pc, L_min or longer.

    Notes
    -----
    Waves far below the gyroradius scatter by many small angles, whatever the pitch angle:
    1/lambda = L_c dB^2/(4 (R/c)^2) with their own coherence length and field (lambda = 4 r_g^2/L_c
    for a turbulent field alone, the limit of `isotropic_mean_free_path`). For a band
    L_c dB^2 = pi int E/k dk, a power law between its ends.
    """
    t, q = turbulence, turbulence.slope
    per_energy = t.rms**2 / power_integral(t.outer_scale, t.inner_scale, q)
    momentum2 = (GYRORADIUS_PC_UG_PER_PV * np.asarray(rigidities, float)) ** 2  # pc^2 uG^2
    allowed = share / np.asarray(mean_free_paths, float)  # 1/pc
    integral = 4 * momentum2 * allowed / (np.pi * per_energy)
    shortest = t.inner_scale / (2 * np.pi)
    wave = 2 * np.pi * (shortest**q + q * integral) ** (1 / q)
    return np.maximum(np.minimum(wave, np.asarray(gyroradii, float) / 5), t.inner_scale)


def _direction_nodes():
    """Directions (n, 3) and weights (n,) of a quadrature over one octant of the sphere."""
    x, w = np.polynomial.legendre.leggauss(24)
    cosine, azimuth = 0.5 * (x + 1), 0.25 * np.pi * (x + 1)
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([np.outer(sine, np.cos(azimuth)), np.outer(sine, np.sin(azimuth)),
                     np.outer(cosine, np.ones_like(azimuth))], axis=-1)
    return unit.reshape(-1, 3), (np.outer(w, w) / 4).ravel()


def kept_power_of_wave(cells, compensate=False, interpolation="trilinear"):
    """Share of a plane wave's power that interpolation keeps, averaged over directions.

    Parameters
    ----------
    cells : float or array (n,)
        Cells per wavelength.
    compensate : bool
        Whether synthesis divides the transfer out.
    interpolation : {"trilinear", "catmull-rom", "b-spline"}

    Returns
    -------
    float or ndarray (n,)

    Notes
    -----
    Averaged over positions inside a cell, aliases included; each axis multiplies (see
    `hpc_cr.transfer`). Synthesis divides by the amplitude transfer T, at least
    LEAST_TRANSFER, so that the result is near 1 down to 4, 3, 2.5 cells per wavelength in the
    order above and falls below.
    """
    unit, weight = _direction_nodes()
    waves = unit / np.asarray(cells, float)[..., None, None]
    kept = np.prod(axis_power(interpolation, waves), axis=-1)
    if compensate:
        transfer = np.prod(axis_transfer(interpolation, waves), axis=-1)
        kept = kept / np.maximum(transfer, LEAST_TRANSFER[interpolation]) ** 2
    return (kept @ weight)[()]


def kept_power(level, slope, compensate, interpolation="trilinear"):
    """Share of a level's power that is left after interpolation, weighted with E(k).

    Parameters
    ----------
    level : Level
        Band and lattice.
    slope : float
        q of E(k) ~ k^-q.
    compensate : bool
        Whether synthesis divides the transfer out.
    interpolation : {"trilinear", "catmull-rom", "b-spline"}

    Returns
    -------
    float
    """
    x, w = np.polynomial.legendre.leggauss(16)
    span = np.log(level.longest / level.shortest)
    wavelength = level.longest * np.exp(-0.5 * span * (x + 1))
    energy = w * wavelength ** (slope - 1)  # E(k) dk = k^(1-q) dln k
    kept = kept_power_of_wave(wavelength * level.cells / level.box, compensate,
                              interpolation)
    return float(energy @ kept / energy.sum())
