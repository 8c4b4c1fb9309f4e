"""Matter crossed in a disc and halo, and the fields that B/C allows.

A disc of half-thickness h with one proton per cm^3 in a halo of half-thickness H: particles that
leave it by diffusion have crossed

    X = c rho h H/D_z,    D_z = D_perp cos^2(tilt) + D_par sin^2(tilt),

tilt the angle between the regular field and the Galactic plane (Giacinti, Kachelriess & Semikoz
2018, JCAP 07, 051, arXiv:1710.08205). D is D/c in pc; X in g/cm^2.
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize

from hpc_cr.config.scales import gyroradius
from hpc_cr.constants import CM_PER_PC, PROTON_MASS_G
from hpc_cr.measurements.diffusion import BAND_PV, boron_to_carbon_band

DISC_PC = 150.0
"""h."""
HALO_PC = 5000.0
"""H."""
DENSITY_G_PER_CM3 = PROTON_MASS_G * 1.0
"""One proton per cm^3."""
ALLOWED = (5.0, 15.0)
"""g/cm^2 at about 10 GV."""


def vertical(parallel, perp, tilt):
    """D_z = D_perp cos^2 + D_par sin^2.

    Parameters
    ----------
    parallel, perp : float or array (...)
        In one unit.
    tilt : float or array (...)
        Angle between the field and the plane, degrees.
    """
    sine2 = np.sin(np.radians(tilt)) ** 2
    return perp * (1.0 - sine2) + parallel * sine2


def grammage(d_z):
    """X = c rho h H/D_z.

    Parameters
    ----------
    d_z : float or array (...)
        D_z/c in pc.

    Returns
    -------
    float or ndarray (...)
        g/cm^2.
    """
    return DENSITY_G_PER_CM3 * CM_PER_PC * DISC_PC * HALO_PC / np.asarray(d_z, float)


def allowed(x):
    """Whether a grammage in g/cm^2 lies within ALLOWED."""
    x = np.asarray(x, float)
    return (x >= ALLOWED[0]) & (x <= ALLOWED[1])


class TiltPlane(NamedTuple):
    """Grammage in the plane of tilt and level.

    Attributes
    ----------
    tilt : ndarray (n_tilt,)
        Degrees.
    eta : ndarray (n_eta,)
        B_rms/B0.
    x : ndarray (n_tilt, n_eta)
        g/cm^2.
    """

    tilt: np.ndarray
    eta: np.ndarray
    x: np.ndarray


def at_low_rigidity(levels, eta, reference, rigidity=BAND_PV, exponents=(1 / 3, 1 / 3)):
    """D_par and D_perp of a level fit, scaled from its rigidity to another by power laws.

    Parameters
    ----------
    levels : hpc_cr.diffusion.fits.LevelFit
        D/c in pc.
    eta : float or array (...)
    reference, rigidity : float
        PV: of the fit, and the one to scale to.
    exponents : (float, float)
        Of D_par and D_perp with rigidity. 1/3 holds for resonant scattering in Kolmogorov
        turbulence as long as the spectrum goes down to the gyroradius at `rigidity`.

    Returns
    -------
    parallel, perp : ndarray (...)
        pc.
    """
    ratio = rigidity / reference
    return (levels.parallel(eta)[0] * ratio ** exponents[0],
            levels.perp(eta)[0] * ratio ** exponents[1])


def tilt_plane(levels, reference, tilt, eta, rigidity=BAND_PV, exponents=(1 / 3, 1 / 3)):
    """Grammage at `rigidity` for every tilt and level.

    Parameters
    ----------
    tilt : array (n_tilt,)
        Degrees.
    eta : array (n_eta,)
    levels, reference, rigidity, exponents
        As for `at_low_rigidity`.

    Returns
    -------
    TiltPlane
    """
    tilt, eta = np.asarray(tilt, float), np.asarray(eta, float)
    parallel, perp = at_low_rigidity(levels, eta, reference, rigidity, exponents)
    return TiltPlane(tilt, eta, grammage(vertical(parallel, perp, tilt[:, None])))


def allowed_levels(levels, reference, tilt, within, rigidity=BAND_PV, exponents=(1 / 3, 1 / 3)):
    """Levels eta between which the grammage at one tilt is allowed, with their errors.

    Parameters
    ----------
    tilt : float
        Degrees.
    within : (float, float)
        Range of eta that is looked at.
    levels, reference, rigidity, exponents
        As for `at_low_rigidity`.

    Returns
    -------
    list of (eta, error, x)
        Where the grammage is x, one of ALLOWED, from the lowest eta on; a range that goes beyond
        `within` has one end only. The error is the fit's.
    """
    nodes = np.geomspace(*within, 200)
    ratio = rigidity / reference
    found = []
    for limit in ALLOWED:

        def away(eta, values, limit=limit):
            parallel, perp = levels.curves(values, eta)
            d_z = vertical(parallel * ratio ** exponents[0], perp * ratio ** exponents[1], tilt)
            return np.log(grammage(d_z) / limit)

        values = levels.fit.values
        height = away(nodes, values)
        for i in np.flatnonzero(np.diff(np.sign(height))):
            root = optimize.brentq(away, nodes[i], nodes[i + 1], args=(values,))
            # d eta = -(d away/d parameters)/(d away/d eta) where away = 0
            _, error = levels.fit.propagate(lambda v, eta=root, away=away: away(eta, v))
            slope = (away(1.001 * root, values) - away(0.999 * root, values)) / (0.002 * root)
            found.append((float(root), float(error / abs(slope)), limit))
    return sorted(found)


class Limit(NamedTuple):
    """A level at which the grammage is one of ALLOWED."""

    eta: float
    error: float  # of the level fit
    systematic: float  # largest change by other ways to scale; NaN without any
    x: float  # g/cm^2

    @property
    def total(self):
        """Both errors in quadrature."""
        return float(np.hypot(self.error, 0.0 if np.isnan(self.systematic) else self.systematic))


def allowed_range(levels, reference, tilt, within, others, rigidity=BAND_PV,
                  exponents=(1 / 3, 1 / 3)):  # fmt: skip
    """`allowed_levels`, with a systematic error from other exponents.

    The grammage at 10 GV rests on a power law over five decades of rigidity: what its exponent is,
    and from which of the measured rigidities on it holds, matters more than the level fit's error.

    Parameters
    ----------
    others : iterable of (float, float)
        Exponents of D_par and D_perp instead of the given ones.
    levels, reference, tilt, within, rigidity, exponents
        As for `allowed_levels`.

    Returns
    -------
    list of Limit
        The others are looked for in a range a hundred times wider at both ends; systematic is
        infinite where one of them has no such level.
    """
    arguments = levels, reference, tilt, within, rigidity
    wider = within[0] / 100, within[1] * 100
    every = [allowed_levels(levels, reference, tilt, wider, rigidity, one) for one in others]
    found = []
    for eta, error, x in allowed_levels(*arguments, exponents=exponents):
        ends = [[one for one, _, limit in other if limit == x] for other in every]
        away = [min(abs(one - eta) for one in end) if end else np.inf for end in ends]
        found.append(Limit(eta, error, float(max(away, default=np.nan)), x))
    return found


def field_strengths(isotropic, length, rigidity=BAND_PV, band=None):
    """Turbulent fields in which D at a rigidity is what B/C asks for.

    Parameters
    ----------
    isotropic : hpc_cr.diffusion.fits.IsotropicFit
        D/(c L) = f(x).
    length : array (n,)
        L = two-sided L_c of a long spectrum, pc.
    rigidity : float
        PV.
    band : (float, float), optional
        D/c in pc; default `boron_to_carbon_band`.

    Returns
    -------
    strength : ndarray (2, n)
        B_rms in uG for the lower and the upper D: the larger D takes the weaker field. NaN where
        x lies outside of 1e-12 to 1e6.
    x : ndarray (2, n)
        r_g/L there: outside of the fit's points the strength is an extrapolation.
    """
    length = np.asarray(length, float)
    band = boron_to_carbon_band(rigidity) if band is None else band
    nodes = np.geomspace(1e-12, 1e6, 4000)
    curve = isotropic.curve(isotropic.fit.values, nodes)
    if not np.all(np.diff(curve) > 0):
        raise ValueError("the isotropic fit does not rise everywhere: no field strength follows")
    wanted = np.array(band)[:, None] / length
    x = np.exp(np.interp(np.log(wanted), np.log(curve), np.log(nodes), np.nan, np.nan))
    return gyroradius(rigidity, 1.0) / (x * length), x
