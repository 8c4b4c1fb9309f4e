"""Likeness of two skies without their dipoles, free of shot noise.

Smoothed maps f and g of the same sky at two radii, or of two rigidities, have over the sphere the
correlation

    r = <f g> / sqrt(<f f> <g g>),   <f g> = sum_l>=2 (2l + 1) W_l^2 C_l(f, g) / 4 pi,

with the window W_l of the top hat. Each C_l comes from two different half-samples of the
particles, whose noises are independent: noise neither lowers the correlation of two maps nor, for
two spheres crossed by the same particles, raises it. Estimates scatter around the true value and
may leave the range from -1 to 1; products are averaged over realisations first, then divided.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.multipoles import power


class Correlation(NamedTuple):
    """Correlation of two sets of skies; see `correlation`."""

    value: float  # of the products summed over all skies
    error: float  # standard error, jackknife over realisations; NaN for one
    single: np.ndarray  # (n_row,) of each sky by itself
    slope: float  # regression of the second on the first, unit of second / unit of first
    slope_error: float


def top_hat_window(l_max, radius):
    """Factor by which averaging over discs multiplies a_lm.

    [P_(l-1)(c) - P_(l+1)(c)] / [(2l + 1)(1 - c)], c = cos radius.

    Parameters
    ----------
    l_max : int
    radius : float
        Degrees; 0 for no smoothing.

    Returns
    -------
    ndarray (l_max + 1,)
        From l = 0, where it is 1.
    """
    from scipy.special import eval_legendre

    if radius <= 0:
        return np.ones(l_max + 1)
    ell, c = np.arange(1, l_max + 1), np.cos(np.radians(radius))
    window = eval_legendre(ell - 1, c) - eval_legendre(ell + 1, c)
    return np.append(1.0, window / ((2 * ell + 1) * (1 - c)))


def cross_power(first, second):
    """C_l of two maps from unlike half-samples, without shot noise.

    Parameters
    ----------
    first, second : ndarray (..., 2, n_lm), complex
        a_lm of the two half-samples of each map, healpy's order.

    Returns
    -------
    ndarray (..., l_max + 1)
    """
    forth = power(first[..., 0, :], second[..., 1, :])
    return (forth + power(first[..., 1, :], second[..., 0, :])) / 2


def covariance(first, second, radius=0.0, multipoles=(2, None)):
    """<f g> over the sphere of two smoothed maps, without shot noise.

    Parameters
    ----------
    first, second : ndarray (..., 2, n_lm), complex
        As for `cross_power`.
    radius : float
        Of the top hat in degrees.
    multipoles : (int, int or None)
        First and last l that count; None for l_max. (1, 1) compares dipoles.

    Returns
    -------
    ndarray (...)
    """
    spectrum = cross_power(first, second)
    l_max = spectrum.shape[-1] - 1
    ell = np.arange(l_max + 1)
    low, high = multipoles[0], l_max if multipoles[1] is None else multipoles[1]
    weight = (2 * ell + 1) / (4 * np.pi) * top_hat_window(l_max, radius) ** 2
    return spectrum @ np.where((ell >= low) & (ell <= high), weight, 0.0)


def correlation(first, second, radius=0.0, multipoles=(2, None), group=None):
    """Correlation of two sets of skies, sky by sky and of all together.

    Parameters
    ----------
    first, second : ndarray (n_row, 2, n_lm), complex
        As for `cross_power`, one row per sky.
    radius, multipoles
        As for `covariance`.
    group : array (n_row,) of int, optional
        Realisation of each row; default: each row its own.

    Returns
    -------
    Correlation
    """
    products = products_of(first, second, radius, multipoles)
    group = np.arange(len(products)) if group is None else group
    single = ratio(products)
    value, error = ensembles.function_of_mean(ratio, products, group)
    slope, slope_error = ensembles.function_of_mean(_slope, products, group)
    return Correlation(float(value), float(error), single, float(slope), float(slope_error))


def products_of(first, second, radius=0.0, multipoles=(2, None)):
    """<f g>, <f f> and <g g> of each sky, (n_row, 3), for `ratio` of their means.

    The parameters are those of `correlation`.
    """
    pairs = ((first, second), (first, first), (second, second))
    return np.stack([covariance(*pair, radius, multipoles) for pair in pairs], axis=-1)


def rms(halves, radius=0.0, multipoles=(2, None), group=None):
    """Root-mean-square deviation of smoothed skies, sqrt(<f f>), over all of them.

    Parameters
    ----------
    halves : ndarray (n_row, 2, n_lm), complex
        As for `cross_power`.
    radius, multipoles, group
        As for `correlation`.

    Returns
    -------
    value, error : float
        Unit of the maps; NaN where noise leaves a negative square, the error for one sky.
    """
    square = covariance(halves, halves, radius, multipoles)
    group = np.arange(len(square)) if group is None else group
    with np.errstate(invalid="ignore"):
        value, error = ensembles.function_of_mean(np.sqrt, square, group)
    return float(value), float(error)


def common_share(halves, multipoles=(2, None)):
    """Share of the power that all realisations have in common, |<a_lm>|^2 / <|a_lm|^2>.

    1 where every realisation shows the same sky, 0 where they have only the spectrum in common.
    What n skies and their noise leave of a vanishing mean, <|a_lm|^2>/n, is subtracted; the
    power below is free of noise.

    Parameters
    ----------
    halves : ndarray (n, 2, n_lm), complex
        As for `cross_power`, one row per realisation; at least two.
    multipoles : (int, int or None)
        As for `covariance`.

    Returns
    -------
    value, error : float
    """
    n, whole = len(halves), halves.mean(axis=-2)

    def square(alm):
        both = np.repeat(alm[..., None, :], 2, axis=-2)
        return covariance(both, both, 0.0, multipoles)

    def share(means):
        own, signal = means[..., 0], means[..., 1]
        real, imaginary = np.split(means[..., 2:], 2, axis=-1)
        return (n * square(real + 1j * imaginary) - own) / ((n - 1) * signal)

    own = square(whole)
    signal = covariance(halves, halves, 0.0, multipoles)
    rows = np.column_stack([own, signal, whole.real, whole.imag])
    value, error = ensembles.function_of_mean(share, rows, np.arange(n))
    return float(value), float(error)


def ratio(products):
    """<f g>/sqrt(<f f><g g>) from (..., 3); NaN where noise leaves a negative square."""
    with np.errstate(invalid="ignore", divide="ignore"):
        # two negative squares have a positive product
        return products[..., 0] / (np.sqrt(products[..., 1]) * np.sqrt(products[..., 2]))


def _slope(products):
    """<f g>/<f f> from (..., 3)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return products[..., 0] / np.sqrt(products[..., 1]) ** 2
