"""Multipoles of the displacement maps, whole and in two half-samples.

a_lm = (4 pi / N) sum_i X(n_i) Y*_lm(n_i): plain sums without iteration or weights, so that the
l = 1 part is 3 <n X>. For random directions monopole and dipole are fitted and taken out first,
since their sum over scattered points would leak into every l.

Half-samples: pixels whose NESTED number modulo 4 is 0 or 3 against 1 or 2, opposite corners of
each group of four, so that a map linear across a group is the same in both; for random directions
the parity of the index.
"""

from functools import partial

import numpy as np

from hpc_cr.anisotropy.response import dipole_matrix


def alm_size(l_max):
    """Number of (l, m >= 0) pairs up to l_max in healpy's order."""
    return (l_max + 1) * (l_max + 2) // 2


def half_samples(quads, count):
    """Masks (2, n_pix) of the two half-samples.

    Parameters
    ----------
    quads : ndarray (n_quad, 4) or None
        From `nested_quads`; None for random directions.
    count : int
        Number of directions.
    """
    first = np.zeros(count, bool)
    if quads is None:
        first[::2] = True
    else:
        first[quads[:, [0, 3]]] = True
    return np.stack([first, ~first])


def spherical_harmonics(directions, l_max):
    """Conjugate spherical harmonics Y*_lm (n_lm, n) at unit vectors (n, 3), healpy's order."""
    from scipy.special import sph_harm_y

    theta = np.arccos(np.clip(directions[:, 2], -1, 1))
    phi = np.arctan2(directions[:, 1], directions[:, 0])
    rows = [sph_harm_y(ell, m, theta, phi).conj()
            for m in range(l_max + 1) for ell in range(m, l_max + 1)]
    return np.array(rows)


def alm_of(maps, l_max, use=None, scattered=None):
    """a_lm of maps, the mean over the directions used times 4 pi.

    Missing values are left out: the mean of what is there replaces them, which adds nothing to
    l > 0.

    Parameters
    ----------
    maps : ndarray (n_map, n_pix)
        HEALPix RING maps, or values at random directions; NaN where missing.
    l_max : int
    use : ndarray (n_pix,) of bool, optional
        Directions to use, default all.
    scattered : tuple (directions (n_pix, 3), harmonics (n_lm, n_pix)), optional
        Random directions and their `spherical_harmonics`; without it the maps are HEALPix.

    Returns
    -------
    ndarray (n_map, n_lm), complex
        healpy's order, unit of the maps.
    """
    used = np.isfinite(maps) if use is None else np.isfinite(maps) & use
    if not (used.sum(axis=1) > 4).all():
        return np.full((len(maps), alm_size(l_max)), np.nan + 0j)
    one_sky = _healpix_alm if scattered is None else partial(_scattered_alm, *scattered)
    return np.array([one_sky(row, keep, l_max) for row, keep in zip(maps, used, strict=True)])


def _healpix_alm(values, used, l_max):
    import healpy

    mean = values[used].mean()
    centred = np.where(used, values - mean, 0.0)
    alm = healpy.map2alm(centred, lmax=l_max, iter=0, use_weights=False)
    alm *= len(values) / np.count_nonzero(used)
    alm[0] += np.sqrt(4 * np.pi) * mean
    return alm


def _scattered_alm(directions, harmonics, values, used, l_max):
    n, values = directions[used], values[used]
    dipole = dipole_matrix(n, values)
    mean = values.mean() - n.mean(axis=0) @ dipole
    residual = values - mean - n @ dipole
    alm = 4 * np.pi / len(residual) * (harmonics[:, used] @ residual)
    alm[0] += np.sqrt(4 * np.pi) * mean
    if l_max > 0:
        alm[1] += np.sqrt(4 * np.pi / 3) * dipole[2]
        alm[l_max + 1] -= np.sqrt(2 * np.pi / 3) * (dipole[0] - 1j * dipole[1])
    return alm


def power(alm, other=None):
    """C_l (..., l_max + 1) of a_lm (..., n_lm) in healpy's order, or the cross power with `other`.

    C_l = [a_l0 b_l0 + 2 Re sum_{m>0} a_lm b*_lm] / (2l + 1).
    """
    alm = np.asarray(alm)
    other = alm if other is None else np.asarray(other)
    l_max = int((np.sqrt(8 * alm.shape[-1] + 1) - 3) / 2 + 0.5)
    product = (alm * other.conj()).real
    result = np.zeros((*alm.shape[:-1], l_max + 1))
    start = 0
    for m in range(l_max + 1):
        length = l_max + 1 - m
        result[..., m:] += (1 if m == 0 else 2) * product[..., start:start + length]
        start += length
    return result / (2 * np.arange(l_max + 1) + 1)
