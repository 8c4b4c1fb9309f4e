"""Gamma rays along lines of sight: gas times emissivity, averaged over a band of latitudes.

    I(l) = <int_0^inf n_H(r, z) q(r, z) ds>,   r^2 = R_sun^2 + (s cos b)^2 - 2 R_sun s cos b cos l,
    z = s sin b,

with the mean over solid angle, both sides of the plane. The Galaxy is symmetric about its axis, so
that I(l) = I(-l); absorption is left out. I is linear in the emissivity q: a `Projection` holds it
as a matrix on the map of q, and any number of models and energies is one product with it.

The steps along a line are equal, with the gas taken at their middles; latitudes are Gauss nodes in
(sin b)^(1/2), dense at the plane, where distant gas is thin.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.constants import CM_PER_PC

SUN_PC = 8500.0
PLANE_DEG, MIDDLE_DEG = (0.0, 5.0), (10.0, 20.0)
"""|b| of the longitude profile of Evoli et al. 2012, and of the spectrum at middle latitudes."""
STEP_PC = 25.0


class Projection(NamedTuple):
    """Lines of sight through the gas, as a matrix on a map of the emissivity.

    Attributes
    ----------
    longitude_deg : ndarray (n_l,)
    radii, heights : ndarray (n_radius,), (n_height,)
        Of the map, pc.
    matrix : ndarray (n_l, n_radius, n_height)
        Column density of hydrogen that has the map's value, cm^-2.
    column : ndarray (n_l,)
        All hydrogen within the map, cm^-2: the row sums.
    """

    longitude_deg: np.ndarray
    radii: np.ndarray
    heights: np.ndarray
    matrix: np.ndarray
    column: np.ndarray

    def __call__(self, emissivity):
        """Intensity of a map of the emissivity.

        Parameters
        ----------
        emissivity : array (..., n_radius, n_height)
            Photons/(s sr H atom), or per GeV.

        Returns
        -------
        ndarray (..., n_l)
            Photons/(cm2 s sr), or per GeV.
        """
        return np.tensordot(np.asarray(emissivity, float), self.matrix, ((-2, -1), (1, 2)))


def projection(gas, longitude_deg, radii, heights, latitude_deg=PLANE_DEG, sun_radius=SUN_PC,
               step=STEP_PC, latitudes=32):
    """Lines of sight through the Galaxy.

    Parameters
    ----------
    gas : callable
        (r, z) in pc -> H atoms per cm^3, broadcasting (`hpc_cr.galaxy.gas.hydrogen`).
    longitude_deg : array (n_l,)
    radii, heights : array (n_radius,), (n_height,)
        Of the map of the emissivity, pc, ascending, heights above the plane. Between the points it
        is bilinear; inside of the first ones it has their value, beyond the last ones it is 0.
    latitude_deg : (float, float)
        Range of |b|.
    sun_radius, step : float
        pc.
    latitudes : int
        Number of nodes.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        Ranges that are empty, axes that do not ascend.
    """
    low, high = latitude_deg
    if not (0 <= low < high <= 90 and step > 0 and latitudes > 0):
        raise ValueError(f"latitudes |b| = {low} to {high} degrees in {latitudes} nodes, steps of"
                         f" {step} pc: the range must ascend within 0 to 90, steps be positive")
    radii, heights = (np.asarray(axis, float) for axis in (radii, heights))
    for name, axis in (("radii", radii), ("heights", heights)):
        if axis.ndim != 1 or len(axis) < 2 or axis[0] < 0 or not (np.diff(axis) > 0).all():
            raise ValueError(f"{name} of the emissivity's map must ascend from 0 or more")
    if not 0 <= sun_radius < radii[-1]:
        raise ValueError(f"the Sun at {sun_radius:g} pc is outside of the map of the emissivity")
    longitude = np.atleast_1d(np.asarray(longitude_deg, float))
    nodes = _latitudes(low, high, latitudes)
    matrix = np.stack([_line(gas, np.radians(angle), *nodes, radii, heights, sun_radius, step)
                       for angle in longitude])
    return Projection(longitude, radii, heights, matrix, matrix.sum((1, 2)))


def _latitudes(low, high, count):
    """Sines of latitudes and weights of the mean over solid angle."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    ends = np.sqrt(np.sin(np.radians([low, high])))
    root = ends[0] + 0.5 * (ends[1] - ends[0]) * (1 + nodes)
    weights = weights * root
    return root**2, weights / weights.sum()


def _line(gas, longitude, sine, weight, radii, heights, sun_radius, step):
    """Row of the matrix, (n_radius, n_height)."""
    cosine = np.sqrt(1 - sine**2)
    edge = (sun_radius * np.cos(longitude)
            + np.sqrt(radii[-1]**2 - (sun_radius * np.sin(longitude))**2))
    end = np.minimum(edge / cosine, heights[-1] / sine)  # where the line leaves the map
    count = int(np.ceil(end.max() / step))
    s = end[:, None] * (0.5 + np.arange(count)) / count
    flat, z = s * cosine[:, None], s * sine[:, None]
    r = np.sqrt(sun_radius**2 + flat**2 - 2 * sun_radius * flat * np.cos(longitude))
    length = np.broadcast_to((weight * end)[:, None] * (CM_PER_PC / count), s.shape)
    hydrogen = (0.5 * (gas(r, z) + gas(r, -z)) * length).ravel()
    (i, x), (k, y) = _cell(radii, r.ravel()), _cell(heights, z.ravel())
    found = np.zeros(radii.size * heights.size)
    for di, wx in ((0, 1 - x), (1, x)):
        for dk, wy in ((0, 1 - y), (1, y)):
            found += np.bincount((i + di) * heights.size + k + dk, hydrogen * wx * wy, found.size)
    return found.reshape(radii.size, heights.size)


def _cell(axis, x):
    """Index of the point below and the share of the one above."""
    i = np.clip(np.searchsorted(axis, x, "right") - 1, 0, axis.size - 2)
    return i, np.clip((x - axis[i]) / (axis[i + 1] - axis[i]), 0.0, 1.0)


def middle_latitudes(gas, radii, heights, latitude_deg=MIDDLE_DEG, longitudes=19, **options):
    """Mean column density of hydrogen over all longitudes in a band of |b|.

    The intensity there is this times the local emissivity, as far as cosmic rays are as at the Sun.
    It holds what comes from the gas within the map only: no inverse Compton or isotropic emission,
    sources, or bremsstrahlung, which observed spectra at middle latitudes have.

    Parameters
    ----------
    gas, radii, heights
        As of `projection`; radii and heights bound the gas.
    latitude_deg : (float, float)
    longitudes : int
        Number of longitudes from 0 to 180 degrees.
    **options
        Of `projection`.

    Returns
    -------
    float
        cm^-2.
    """
    # middles of equal parts: a mean over a period converges fast with them
    longitude = 180 * (np.arange(longitudes) + 0.5) / longitudes
    return float(projection(gas, longitude, radii, heights, latitude_deg, **options).column.mean())


def residual(profile, reference):
    """Shape of a profile against another: their ratio, each divided by its mean.

    Parameters
    ----------
    profile, reference : array (..., n)
        At the same, equally spaced longitudes.

    Returns
    -------
    ndarray (..., n)
        1 where the shapes agree.
    """
    one, other = (np.asarray(p, float) for p in (profile, reference))
    return one / one.mean(-1, keepdims=True) / (other / other.mean(-1, keepdims=True))


def centre_over_anticentre(longitude_deg, profile, width_deg=30.0):
    """Mean within a distance in longitude of the Galactic centre over that of the anticentre.

    Parameters
    ----------
    longitude_deg : array (n,)
    profile : array (..., n)
    width_deg : float

    Returns
    -------
    ndarray (...)
    """
    away = np.abs((np.asarray(longitude_deg, float) + 180) % 360 - 180)
    inner, outer = away <= width_deg, away >= 180 - width_deg
    if not (inner.any() and outer.any()):
        raise ValueError(f"no longitude within {width_deg:g} degrees of the centre and of the"
                         " anticentre")
    profile = np.asarray(profile, float)
    return profile[..., inner].mean(-1) / profile[..., outer].mean(-1)


def radial_fall(radii, emissivity, between=(5000.0, 15000.0)):
    """Mean of -d ln q/dr over a range of radii, by a straight line through ln q.

    Parameters
    ----------
    radii : array (n,)
        pc.
    emissivity : array (..., n)
    between : (float, float)
        pc.

    Returns
    -------
    ndarray (...)
        1/kpc.
    """
    radii = np.asarray(radii, float)
    chosen = (radii >= between[0]) & (radii <= between[1])
    if chosen.sum() < 2:
        raise ValueError(f"fewer than two radii between {between[0]:g} and {between[1]:g} pc")
    x = (radii[chosen] - radii[chosen].mean()) / 1e3
    return -(np.log(np.asarray(emissivity, float)[..., chosen]) @ x) / (x @ x)
