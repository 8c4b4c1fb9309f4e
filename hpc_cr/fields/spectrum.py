"""Power spectrum of the turbulence: variance of each Fourier mode of a periodic cube.

One-dimensional spectrum E(k) ~ k^-q between k = 2 pi/L_max and 2 pi/L_min (q = 5/3 Kolmogorov,
3/2 Kraichnan), normalised to int E dk = B_rms^2, isotropic in three dimensions: a mode of the
lattice with wave number k carries a variance ~ E(k)/(4 pi k^2) ~ k^-(q+2), shared by the two
polarisations perpendicular to k.
"""

from functools import lru_cache

import numpy as np

from hpc_cr.kernel import njit


@njit
def in_band(m2, lowest2, highest2):
    """Whether a mode of squared length m2 (in units of 2 pi/box) lies in [lowest, highest)."""
    return lowest2 <= m2 and m2 < highest2


@njit
def _sum_of_weights(cells, lowest2, highest2, exponent):
    half = min(cells // 2, int(np.ceil(np.sqrt(highest2))))
    total = 0.0
    for mx in range(-half + 1, half):
        for my in range(-half + 1, half):
            # one partial sum per column keeps the rounding error of 1e7 terms small
            column = 0.0
            for mz in range(-half + 1, half):
                m2 = float(mx * mx + my * my + mz * mz)
                if in_band(m2, lowest2, highest2):
                    column += m2 ** (-0.5 * exponent)
            total += column
    return total


@lru_cache(maxsize=256)
def mode_normalisation(level, slope):
    """Factor C such that a mode of length m (in units of 2 pi/box) has variance C m^-(q+2).

    The sum over the modes that the lattice really holds equals the band's share of B_rms^2:
    a spherical shell on a small lattice would otherwise be off by several per cent. The factor
    is deterministic, so that the scatter of B^2 between realisations stays as it is.

    Parameters
    ----------
    level : Level
        Box, longest and shortest wavelength in pc, rms of the band in uG, cells per side.
    slope : float
        q of E(k) ~ k^-q.

    Returns
    -------
    float
        C in uG^2 (variance of the vector amplitude A of a mode of B = sum_m A_m exp(i k_m x)).

    Raises
    ------
    ValueError
        If no mode of the lattice lies in the band.
    """
    lowest, highest = level.box / level.longest, level.box / level.shortest
    total = _sum_of_weights(level.cells, lowest**2, highest**2, slope + 2.0)
    if total <= 0.0 or not np.isfinite(total):
        raise ValueError(
            f"no Fourier mode of a box of {level.box:g} pc with {level.cells} cells lies between "
            f"{level.longest:g} and {level.shortest:g} pc"
        )
    return level.rms**2 / total
