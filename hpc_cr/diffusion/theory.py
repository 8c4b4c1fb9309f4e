"""Diffusion coefficients and field-line wandering in theory, each with where it holds.

All in pc: D/c for particles with v = c, D_FL = <x_i^2>/(2 s) for field lines. Symbols: r_g
gyroradius, L_c two-sided coherence length, dB = B_rms, B0 uniform field, k_min = 2 pi/L_max.
VALID has a function for each that says where it can be used.
"""

import numpy as np

from hpc_cr.config.scales import isotropic_mean_free_path, quasilinear_mean_free_path

WEAK = 0.3
"""Largest dB/B0 of weak turbulence."""


def small_angle(r_g, l_c):
    """D/c without a regular field where every coherence length turns particles by little.

    Parameters
    ----------
    r_g : float or array (...)
        Gyroradius in B_rms, pc.
    l_c : float or array (...)
        Two-sided coherence length of the turbulence itself, pc.

    Returns
    -------
    float or ndarray (...)
        (4/3) r_g^2/L_c, pc; a mean free path 3 D/c = 4 r_g^2/L_c.

    Notes
    -----
    Per length the direction gains <|du|^2> = L_c/(2 r_g^2), since the two transverse components
    of the field turn it and each carries <int B_i B_i dr> = L_c B_rms^2/4 along the way; hence
    <u(t).u(0)> = exp(-c t L_c/(4 r_g^2)). Corrections are of order (L_c/r_g)^2. Any spectrum.
    Valid for r_g >= 3 L_c.
    """
    return (4 / 3 * np.asarray(r_g, float) ** 2 / l_c)[()]


def harari(r_g, l_c):
    """D/c without a regular field at all energies, a fit to simulations.

    Parameters
    ----------
    r_g : float or array (...)
        Gyroradius in B_rms, pc.
    l_c : float or array (...)
        L_max/5, pc: the coherence length of Kolmogorov turbulence with L_min -> 0.

    Returns
    -------
    float or ndarray (...)
        (L/3) [4 x^2 + 0.9 x + 0.23 x^(1/3)], x = r_g/L, pc.

    Notes
    -----
    Harari, Mollerach & Roulet 2014, PRD 89, 123001, for Kolmogorov turbulence. A fit: simulations
    agree with it to 20 %. Valid for L_min << r_g; here for r_g >= 0.01 L.
    """
    return isotropic_mean_free_path(r_g, 5 * np.asarray(l_c, float))[()] / 3


def quasilinear_parallel(r_g0, ratio, k_min):
    """D_par/c along a uniform field with weak slab turbulence of Kolmogorov's slope.

    Parameters
    ----------
    r_g0 : float or array (...)
        Gyroradius in the uniform field B0 alone, pc.
    ratio : float or array (...)
        dB/B0.
    k_min : float or array (...)
        2 pi/L_max, 1/pc.

    Returns
    -------
    float or ndarray (...)
        (27/(7 pi)) r_g (B0/dB)^2 (k_min r_g)^(-2/3), pc.

    Notes
    -----
    (c/8) int (1 - mu^2)^2/D_mumu dmu with D_mumu = (pi/4) (c/r_g) (1 - mu^2) k W(k)/B0^2 at
    resonance, k = 1/(r_g |mu|), and int W dk = dB^2 all in waves along B0 (Jokipii 1966, ApJ 146,
    480). Isotropic turbulence has other waves too; the shipped diffusion jobs give 0.9 to 1.15 of
    it where k_min r_g <= 0.4 and dB/B0 = 0.25 to 0.7, up to 1.8 of it for weaker turbulence or
    k_min r_g near 1. Valid for dB/B0 <= 0.3 and k_min r_g <= 1 (waves for every pitch angle),
    L_min << r_g.
    """
    ratio, k_min = np.asarray(ratio, float), np.asarray(k_min, float)
    return quasilinear_mean_free_path(r_g0, 2 * np.pi / k_min, 1 / ratio)[()] / 3


def field_line_walk(ratio, l_c):
    """D_FL = <x_i^2>/(2 s) of field lines along a uniform field with weak isotropic turbulence.

    Parameters
    ----------
    ratio : float or array (...)
        dB/B0.
    l_c : float or array (...)
        Two-sided coherence length, pc.

    Returns
    -------
    float or ndarray (...)
        (L_c/8) (dB/B0)^2, pc, for one component across.

    Notes
    -----
    Jokipii & Parker 1969, ApJ 155, 777: D_FL = int_0^inf <B_x(0) B_x(z)> dz/B0^2 with z along B0.
    In isotropic turbulence this transverse correlation integrates to half of the longitudinal
    one, L_c dB^2/8 in all. Valid for dB/B0 <= 0.3, s >> L_c.
    """
    return (np.asarray(l_c, float) / 8 * np.asarray(ratio, float) ** 2)[()]


def perpendicular_along_lines(d_field_line):
    """D_perp/c of particles that stream freely along wandering field lines.

    Parameters
    ----------
    d_field_line : float or array (...)
        D_FL, pc.

    Returns
    -------
    float or ndarray (...)
        D_FL/2, pc.

    Notes
    -----
    <x^2> = 2 D_FL <|s|> with s = mu c t, <|mu|> = 1/2. Nothing turns a particle back along its
    line: for small gyroradii an upper estimate, valid for c t below the parallel mean free path.
    """
    return (np.asarray(d_field_line, float) / 2)[()]


def perpendicular_compound(d_field_line, d_parallel, time):
    """Running D_perp/c of particles that diffuse along field lines which they never leave.

    Parameters
    ----------
    d_field_line, d_parallel : float or array (...)
        D_FL and D_par/c, pc.
    time : float or array (...)
        c t, pc.

    Returns
    -------
    float or ndarray (...)
        <x^2>/(2 t) = 2 D_FL sqrt(D_par/(pi t)), pc: falls for ever.

    Notes
    -----
    <x^2> = 2 D_FL <|s|>, s Gaussian with <s^2> = 2 D_par t (Getmantsev 1963; Kota & Jokipii 2000,
    ApJ 531, 1067). Valid from the parallel mean free path on until particles leave their lines.
    """
    along = np.asarray(d_parallel, float) / (np.pi * np.asarray(time, float))
    return (2 * np.asarray(d_field_line, float) * np.sqrt(along))[()]


def small_angle_holds(r_g, l_c):
    """Whether `small_angle` does: r_g >= 3 L_c."""
    return np.asarray(r_g, float) >= 3 * np.asarray(l_c, float)


def harari_holds(r_g, l_c):
    """Whether `harari` does: r_g >= 0.01 L, L = L_max/5."""
    return np.asarray(r_g, float) >= 0.01 * np.asarray(l_c, float)


def quasilinear_holds(r_g0, ratio, k_min):
    """Whether `quasilinear_parallel` does: dB/B0 <= 0.3 and k_min r_g <= 1."""
    return (np.asarray(ratio, float) <= WEAK) & (np.asarray(r_g0, float) * k_min <= 1)


def field_line_walk_holds(ratio, l_c):
    """Whether `field_line_walk` does: dB/B0 <= 0.3, whatever L_c."""
    ratio, _ = np.broadcast_arrays(np.asarray(ratio, float), l_c)
    return ratio <= WEAK



VALID = {
    "small_angle": small_angle_holds,
    "harari": harari_holds,
    "quasilinear_parallel": quasilinear_holds,
    "field_line_walk": field_line_walk_holds,
}
"""Name of a formula -> whether it holds, with the same arguments."""
