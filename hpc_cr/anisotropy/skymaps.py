"""Sky maps of the intensity: smoothing, dipole-subtracted residuals, their noise and significance.

Experiments show the small-scale anisotropy as the relative intensity with monopole and dipole
taken out, averaged over a disc around each pixel (a top hat; 20 or 10 degrees across and more).
The same is done here with one realisation's map. Maps are HEALPix, RING, Galactic, NaN where a
particle did not finish; a map at random directions has no pixels to smooth.

The noise is what neighbouring pixels do not share (chaotic trajectories). Averages over discs
and the subtraction of the dipole are linear, so the noise of the result follows exactly from
the noise of a pixel.

A disc average changes little over a small part of the disc's radius. Where the pixels are much
smaller than that, it is evaluated at the centres of a coarser HEALPix grid (`smooth_nside`): each
value is the exact average over all pixels of the fine map in its disc, and the result is a map of
the coarser nside.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy.discs import disc_sums
from hpc_cr.anisotropy.liouville import gradient_intensity, local_term
from hpc_cr.anisotropy.response import nested_quads, quad_covariance

PIXELS_PER_RADIUS = 20
"""A smoothed map has about as many of its own pixels across a disc's radius."""


class DipoleFit(NamedTuple):
    """A map without its monopole and dipole; see `subtract_dipole`."""

    residual: np.ndarray  # (n_pix,)
    monopole: float
    dipole: np.ndarray  # (3,), in units of the map, not divided by the monopole


class SmoothedMap(NamedTuple):
    """A residual map with its noise; see `residual_map`."""

    values: np.ndarray  # (n_pix,) of `smooth_nside`
    noise: np.ndarray  # (n_pix,) standard deviation predicted from the scatter of pixels
    significance: np.ndarray  # (n_pix,) values / noise; 0 where both vanish


def intensity_map(displacement, gradient, direction=None, diffusion=None):
    """Relative intensity I(n)/I0 = 1 + g_j X_j(n), with or without the local anisotropy term.

    Parameters
    ----------
    displacement : ndarray (3, n_pix)
        X_j(n) in pc, NaN where a particle did not finish.
    gradient : array_like (3,)
        g = grad(n)/n in 1/pc, Galactic Cartesian, towards the dense side.
    direction : ndarray (3, n_pix), optional
        U_j(n) at -T. With `diffusion` adds 3 U_i K_ij g_j, the dipole that diffusion has built
        up there by then (Ahlers & Mertsch 2015, ApJ 815, L2).
    diffusion : ndarray (3, 3), optional
        K = D/c in pc.

    Returns
    -------
    ndarray (n_pix,)

    Raises
    ------
    ValueError
        Only one of `direction` and `diffusion` is given.
    """
    if (direction is None) != (diffusion is None):
        raise ValueError("the local term needs both the final directions and the diffusion tensor")
    result = 1.0 + gradient_intensity(np.asarray(displacement, float).T, gradient)
    if direction is not None:
        result += local_term(np.asarray(direction, float).T, diffusion, gradient)
    return result


def map_from_alm(alm, gradient, nside):
    """Relative intensity of the stored multipoles, l <= l_max only.

    Parameters
    ----------
    alm : ndarray (3, n_lm), complex
        a_lm of the displacement maps X_j, pc, healpy's order.
    gradient : array_like (3,)
        1/pc.
    nside : int
        Resolution of the result.

    Returns
    -------
    ndarray (12 nside^2,)
    """
    import healpy

    combined = np.ascontiguousarray(np.asarray(gradient, float) @ np.asarray(alm))
    return 1.0 + healpy.alm2map(combined, nside)


def subtract_dipole(values):
    """Take the monopole and the dipole out of a map, by least squares over its finite pixels.

    Parameters
    ----------
    values : ndarray (n_pix,)
        HEALPix RING map.

    Returns
    -------
    DipoleFit
        residual is an ordinary array with NaN where `values` is (healpy's own remove_dipole
        returns a masked one, whose masked pixels later spoil sums silently).
    """
    import healpy

    values = np.asarray(values, float)
    finite = np.isfinite(values)
    monopole, dipole = healpy.fit_dipole(np.where(finite, values, healpy.UNSEEN))
    directions = _pixel_centres(values)
    residual = np.where(finite, values - monopole - directions @ dipole, np.nan)
    return DipoleFit(residual, float(monopole), np.asarray(dipole))


def smooth_nside(nside, radius):
    """Resolution at which a map of `nside` is evaluated after a top hat of `radius` degrees.

    The lowest power of two times the odd part of nside whose pixels are at most a twentieth of
    the radius, but not above nside: 64 for 20 degrees, 256 for 5.
    """
    wanted = np.radians(radius) / PIXELS_PER_RADIUS
    while nside % 2 == 0 and np.sqrt(np.pi / 3) / (nside // 2) <= wanted:
        nside //= 2
    return nside


def smooth_top_hat(values, radius, nside=None):
    """Average over the pixels whose centres lie within a radius of given places.

    Parameters
    ----------
    values : ndarray (n_pix,)
        HEALPix RING map; NaN pixels are left out of the averages.
    radius : float
        Radius of the disc in degrees, at most 90; 0 for no smoothing.
    nside : int, optional
        The places are the pixel centres of this resolution, at most that of `values`; default
        `smooth_nside`. Without smoothing the map stays as it is.

    Returns
    -------
    smoothed : ndarray (12 nside^2,)
        RING; NaN where a disc holds no finite pixel.
    count : ndarray (12 nside^2,) of int
        Finite pixels in each disc.
    """
    values = np.asarray(values, float)
    finite = np.isfinite(values)
    columns = np.column_stack([finite, np.where(finite, values, 0.0)])
    count, total = _sums_at_pixels(columns, radius, nside).T
    count = np.rint(count)
    smoothed = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return smoothed, count.astype(int)


def pixel_noise(values):
    """Standard deviation of one pixel that neighbouring pixels do not share, same unit.

    From the second differences inside groups of four NESTED neighbours once monopole and dipole
    are out (see `hpc_cr.anisotropy.response.quad_covariance`): a smooth map has none.
    """
    import healpy

    quads = nested_quads(healpy.npix2nside(len(values)))
    return float(np.sqrt(quad_covariance(subtract_dipole(values).residual[:, None], quads)[0, 0]))


def predicted_noise(nside, radius, sigma):
    """Noise of a map of independent pixels after a top hat, before it is computed.

    Parameters
    ----------
    nside : int
        Of the map whose pixels are averaged.
    radius : float
        Of the disc in degrees.
    sigma : float
        Standard deviation of a pixel; for particles that have forgotten where they started when
        they cross a sphere of radius R it is R |g| / sqrt(3) of the relative intensity.

    Returns
    -------
    float
        sigma / sqrt(m), m = 12 nside^2 (1 - cos radius) / 2, at least one pixel.
    """
    inside = 6.0 * nside**2 * (1 - np.cos(np.radians(radius)))
    return float(sigma / np.sqrt(max(inside, 1.0)))


def nside_for_noise(noise, radius, sigma):
    """The lowest power of two for nside whose `predicted_noise` is not above `noise`."""
    nside = 1
    while predicted_noise(nside, radius, sigma) > noise:
        nside *= 2
    return nside


def smoothed_noise(values, radius, sigma, dipole_subtracted=True, nside=None):
    """Noise of a top-hat average of a map, with its dipole subtracted before or not.

    The average over a disc d with m pixels of the residual (1 - H) x, H = F (F^T F)^-1 F^T the
    projection on monopole and dipole, F = (1, n), of independent noise has the variance

        sigma^2 [1/m - f_d^T (F^T F)^-1 f_d],   f_d = (1, <n>_d).

    Parameters
    ----------
    values : ndarray (n_pix,)
        The map; only which pixels are finite matters.
    radius : float
        Radius of the disc in degrees; 0 for no smoothing.
    sigma : float
        Noise of one pixel.
    dipole_subtracted : bool
    nside : int, optional
        As for `smooth_top_hat`.

    Returns
    -------
    ndarray (12 nside^2,)
        Unit of `sigma`; NaN where a disc holds no finite pixel.
    """
    finite = np.isfinite(values)
    columns = np.column_stack([np.ones(len(finite)), _pixel_centres(values)]) * finite[:, None]
    inverse = np.linalg.inv(columns.T @ columns)
    sums = _sums_at_pixels(columns, radius, nside)
    count = np.rint(sums[:, 0])
    count[count == 0] = np.nan
    variance = 1 / count
    if dipole_subtracted:
        mean = sums / count[:, None]
        variance = variance - np.einsum("pi,ij,pj->p", mean, inverse, mean)
    return sigma * np.sqrt(np.maximum(variance, 0.0))


def residual_map(values, radius=0.0, subtract=True, sigma=None, nside=None):
    """Relative intensity, dipole-subtracted and smoothed, with its noise and significance.

    Parameters
    ----------
    values : ndarray (n_pix,)
        Intensity, such as from `intensity_map`.
    radius : float
        Radius of the top hat in degrees; 0 for none.
    subtract : bool
        Take out the dipole too, not only the monopole.
    sigma : float, optional
        Noise of one pixel; default `pixel_noise` of the map itself.
    nside : int, optional
        Resolution of the smoothed map, as for `smooth_top_hat`.

    Returns
    -------
    SmoothedMap
        values: the deviation from isotropy, in units of `values`.
    """
    values = np.asarray(values, float)
    sigma = pixel_noise(values) if sigma is None else sigma
    fit = subtract_dipole(values)
    deviation = fit.residual if subtract else values - fit.monopole
    smoothed, _ = smooth_top_hat(deviation, radius, nside)
    noise = smoothed_noise(values, radius, sigma, subtract, nside)
    ratio = np.divide(smoothed, noise, out=np.zeros_like(smoothed), where=noise > 0)
    return SmoothedMap(smoothed, noise, np.where(np.isfinite(smoothed), ratio, np.nan))


def _pixel_centres(values):
    """Unit vectors (n_pix, 3) of the pixels of a RING map, or of an array of maps (n_pix, k)."""
    import healpy

    nside = healpy.npix2nside(len(values))
    return np.column_stack(healpy.pix2vec(nside, np.arange(len(values))))


def _sums_at_pixels(columns, radius, nside=None):
    """Sums of columns (n_pix, k) in discs of `radius` degrees around pixel centres of `nside`."""
    import healpy

    # a disc far smaller than any pixel holds the pixel at its centre only
    if radius < 1e-4:
        return columns.astype(float)
    own = healpy.npix2nside(len(columns))
    nside = smooth_nside(own, radius) if nside is None else nside
    places = np.column_stack(healpy.pix2vec(nside, np.arange(12 * nside**2)))
    return disc_sums(columns, radius, places)
