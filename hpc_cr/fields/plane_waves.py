"""Turbulence as a sum of plane waves: no grid, no interpolation, no period.

B(x) = sum_n sqrt(2) b_n [p_n cos(k_n.x + phi_n) + p'_n sin(k_n.x + phi_n)] with random directions
k_n, two perpendicular polarisations p, p' mixed at random and b_n^2 from the spectrum in
logarithmic shells (Giacalone & Jokipii 1999, ApJ 520, 204, in the isotropic form of Tautz &
Dosch 2013, Phys. Plasmas 20, 022302). An independent check of the gridded fields; Gaussian only
in the limit of many waves and slow.
"""

import numpy as np


def plane_waves(rms, longest, shortest, slope, count, generator):
    """Wave vectors and amplitudes of one realisation.

    Parameters
    ----------
    rms : float
        B_rms in uG (three components together).
    longest, shortest : float
        L_max and L_min in pc.
    slope : float
        q of E(k) ~ k^-q.
    count : int
        Number of waves.
    generator : numpy.random.Generator

    Returns
    -------
    wave_vector, wave_cos, wave_sin : ndarray (count, 3)
        1/pc, uG, uG: B = sum wave_cos cos(k.x) + wave_sin sin(k.x).
    """
    edges = np.geomspace(2 * np.pi / longest, 2 * np.pi / shortest, count + 1)
    # a random place inside each shell: equally spaced wave numbers would beat
    k = edges[:-1] * (edges[1:] / edges[:-1]) ** generator.random(count)
    if slope == 1.0:
        shell = np.log(edges[1:] / edges[:-1])
    else:
        shell = (edges[1:] ** (1 - slope) - edges[:-1] ** (1 - slope)) / (1 - slope)
    variance = rms**2 * shell / shell.sum()
    cosine = generator.uniform(-1, 1, count)
    azimuth = generator.uniform(0, 2 * np.pi, count)
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    e1 = np.stack([-np.sin(azimuth), np.cos(azimuth), np.zeros(count)], axis=1)
    e2 = np.cross(unit, e1)
    # four normal numbers per wave: Gaussian amplitudes, as on the grids
    a, b, c, d = generator.standard_normal((4, count, 1))
    scale = np.sqrt(variance / 2)[:, None]
    return k[:, None] * unit, scale * (a * e1 + b * e2), scale * (c * e1 + d * e2)
