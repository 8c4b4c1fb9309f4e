"""Which declinations an experiment sees, and how much of each.

Over whole sidereal days the exposure is uniform in right ascension and depends on declination
alone. Either every declination of a band counts alike, or the site's acceptance decides: a
detector at geographical latitude phi whose acceptance goes with the cosine of the zenith angle up
to z_max has the relative exposure (Sommers 2001, Astropart. Phys. 14, 271)

    omega(dec) ~ cos phi cos dec sin a + a sin phi sin dec,
    cos a = (cos z_max - sin phi sin dec) / (cos phi cos dec), a in [0, pi].
"""

from typing import NamedTuple

import numpy as np

POINTS = 8192
"""Declinations of a mean, equidistant in their sine: an edge of the exposure is met to 1e-4 of the
band, a smooth one to 1e-8."""


class Band(NamedTuple):
    """Declinations that are seen; the default is the whole sky, uniformly.

    Attributes
    ----------
    low, high : float
        Degrees.
    latitude, zenith : float or None
        Geographical latitude of a site and largest zenith angle (below 90) in degrees; None for a
        uniform exposure between low and high.
    """

    low: float = -90.0
    high: float = 90.0
    latitude: float | None = None
    zenith: float | None = None


def exposure(band, declination):
    """Relative exposure per solid angle.

    Parameters
    ----------
    band : Band
    declination : float or array (...)
        Degrees.

    Returns
    -------
    ndarray (...)
        1 where uniform; cos(zenith) averaged over the day for a site, 1 at most; 0 outside.
    """
    declination = np.asarray(declination, float)
    seen = (declination >= band.low) & (declination <= band.high)
    if band.latitude is None:
        return seen.astype(float)
    phi, dec = np.radians(band.latitude), np.radians(declination)
    across, along = np.cos(phi) * np.cos(dec), np.sin(phi) * np.sin(dec)
    # at a pole the zenith angle does not change: always or never within reach
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num((np.cos(np.radians(band.zenith)) - along) / across, nan=np.inf)
    angle = np.arccos(np.clip(ratio, -1.0, 1.0))
    return np.where(seen, np.maximum(across * np.sin(angle) + angle * along, 0.0) / np.pi, 0.0)


def band_mean(function, band):
    """Mean of a function of declination over the exposure, <f> = int omega f dOmega / int omega.

    Parameters
    ----------
    function : callable
        Of declinations (n,) in radians; returns (..., n).
    band : Band

    Returns
    -------
    ndarray (...)

    Raises
    ------
    ValueError
        The band is empty, or the site does not see it; one line.
    """
    if not -90.0 <= band.low < band.high <= 90.0:
        raise ValueError(
            f"declinations {band.low:g} to {band.high:g} deg: give two that ascend, within -90"
            " and 90"
        )
    if band.latitude is not None and not (abs(band.latitude) <= 90 and 0 < band.zenith <= 90):
        raise ValueError(
            f"site at latitude {band.latitude:g} deg, zenith angles up to {band.zenith:g} deg:"
            " latitudes lie within -90 and 90, zenith angles within 0 and 90"
        )
    edges = np.sin(np.radians([band.low, band.high]))
    sine = edges[0] + (np.arange(POINTS) + 0.5) / POINTS * (edges[1] - edges[0])
    declination = np.arcsin(sine)
    weights = exposure(band, np.degrees(declination))
    if not weights.any():
        raise ValueError(
            f"declinations {band.low:g} to {band.high:g} deg do not rise within"
            f" {band.zenith:g} deg of the zenith at latitude {band.latitude:g} deg"
        )
    return function(declination) @ weights / weights.sum()


def mean_cosine(band):
    """<cos dec>: first harmonic in right ascension of the band per equatorial dipole."""
    return float(band_mean(np.cos, band))
