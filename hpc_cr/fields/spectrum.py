"""Power spectrum of the turbulence: variance of each Fourier mode of a periodic cube.

One-dimensional spectrum E(k) ~ k^-q between k = 2 pi/L_max and 2 pi/L_min (q = 5/3 Kolmogorov,
3/2 Kraichnan), normalised to int E dk = B_rms^2, isotropic in three dimensions: a mode of the
lattice with wave number k carries a variance ~ E(k)/(4 pi k^2) ~ k^-(q+2), shared by the two
polarisations perpendicular to k.
"""

from functools import lru_cache

import numpy as np

from hpc_cr.kernel import njit


def in_band(m2, lowest2, highest2):
    """Whether modes of squared length m2 (in units of 2 pi/box) lie in [lowest, highest)."""
    return (lowest2 <= m2) & (m2 < highest2)


@njit
def _modes_by_length(cells, highest2):
    """How many modes of a cube's lattice have the squared length m2 (table up to highest2)."""
    half = min(cells // 2, int(np.ceil(np.sqrt(highest2))))
    count = np.zeros(int(highest2) + 1, np.int64)
    for mx in range(half):
        for my in range(half):
            signs = (2 if mx > 0 else 1) * (2 if my > 0 else 1)
            for mz in range(half):
                m2 = mx * mx + my * my + mz * mz
                if m2 >= len(count):
                    break
                count[m2] += 2 * signs if mz > 0 else signs
    return count


def mode_variances(level, slope):
    """Expected |A|^2 of a mode by its squared length m2, a table (uG^2); zero outside of the band.

    Parameters and errors as of `mode_normalisation`.
    """
    lowest2, highest2 = (level.box / level.longest) ** 2, (level.box / level.shortest) ** 2
    m2 = np.arange(int(highest2) + 1)
    band = in_band(m2, lowest2, highest2) & (m2 > 0)
    variances = np.zeros(len(m2))
    variances[band] = mode_normalisation(level, slope) * m2[band] ** (-0.5 * (slope + 2.0))
    return variances


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
    lowest2, highest2 = (level.box / level.longest) ** 2, (level.box / level.shortest) ** 2
    count = _modes_by_length(level.cells, highest2)
    m2 = np.flatnonzero(count)
    m2 = m2[in_band(m2, lowest2, highest2) & (m2 > 0)]
    total = np.sum(count[m2] * m2 ** (-0.5 * (slope + 2.0)))
    if total <= 0.0:
        raise ValueError(
            f"no Fourier mode of a box of {level.box:g} pc with {level.cells} cells lies between "
            f"{level.longest:g} and {level.shortest:g} pc"
        )
    return level.rms**2 / total
