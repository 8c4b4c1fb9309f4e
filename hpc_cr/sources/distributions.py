"""Where sources of cosmic rays lie in the Galaxy: radial distributions by name, and their height.

Surface densities of supernova remnants and pulsars are fitted with

    f(r) = [(r + r_1)/(r_Sun + r_1)]^a exp[-b (r - r_Sun)/(r_Sun + r_1)],

1 at the Sun, r_Sun = 8.5 kpc; `SHAPES` has a, b and r_1 with their references. Ferriere (2001, Rev.
Mod. Phys. 73, 1031) gives rates of supernovae instead, of type II as Gaussians and of type I as an
exponential disc; here integrated over the height. The density is f(r) exp(-|z|/h).
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.jf12 import SUN_RADIUS


class Shape(NamedTuple):
    """Exponents a and b, r_1 (pc), what was counted, and where it was published."""

    a: float
    b: float
    offset_pc: float
    tracer: str
    reference: str


SHAPES = {
    "lorimer2006": Shape(1.9, 5.0, 0.0, "pulsars", "Lorimer et al. 2006, MNRAS 372, 777, model C"),
    "case1996": Shape(1.69, 3.33, 0.0, "remnants", "Case & Bhattacharya 1996, A&AS 120, 437"),
    "case1998": Shape(2.00, 3.53, 0.0, "remnants", "Case & Bhattacharya 1998, ApJ 504, 761"),
    "green2015": Shape(1.09, 3.87, 0.0, "remnants", "Green 2015, MNRAS 454, 1517"),
    "yusifov2004": Shape(1.64, 4.01, 550.0, "pulsars", "Yusifov & Kucuk 2004, A&A 422, 545"),
    "faucher2006": Shape(1.64, 4.0, 550.0, "pulsars",
                         "Faucher-Giguere & Kaspi 2006, ApJ 643, 332"),
    # r^2.35 exp(-r/1.528 kpc)
    "lorimer2004": Shape(2.35, SUN_RADIUS / 1528.0, 0.0, "pulsars",
                         "Lorimer 2004, IAU Symp. 218, 105"),
    "trotta2011": Shape(1.25, 3.56, 0.0, "fit to gamma rays",
                        "Trotta et al. 2011, ApJ 729, 106"),
}  # fmt: skip
NAMES = (*SHAPES, "ferriere2001", "uniform")

_FERRIERE_BREAK, _NODES = 3700.0, 40_001


def surface_density(name, radius):
    """Sources per area, relative to that at the Sun.

    Parameters
    ----------
    name : str
        One of NAMES.
    radius : float or array (...)
        Galactocentric, pc.

    Returns
    -------
    ndarray (...)
        1 at 8.5 kpc.

    Raises
    ------
    ValueError
        No such distribution.
    """
    r = np.asarray(radius, float)
    if name == "uniform":
        return np.ones_like(r)
    if name == "ferriere2001":
        return _ferriere(r) / _ferriere(SUN_RADIUS)
    shape = _shape(name)
    whole = SUN_RADIUS + shape.offset_pc
    power = ((r + shape.offset_pc) / whole) ** shape.a
    return power * np.exp(-shape.b * (r - SUN_RADIUS) / whole)


def density(name, radius, height, scale_height=200.0, largest=np.inf):
    """Sources per volume, relative to that at the Sun's radius in the plane.

    Parameters
    ----------
    name, radius
        As for `surface_density`.
    height : float or array (...)
        z, pc; broadcast with the radius.
    scale_height : float
        h of exp(-|z|/h), pc.
    largest : float
        No sources beyond this radius, pc.

    Returns
    -------
    ndarray (...)
    """
    r = np.asarray(radius, float)
    inside = np.where(r <= largest, surface_density(name, r), 0.0)
    return inside * np.exp(-np.abs(height) / scale_height)


def radius_of_share(share, name, largest):
    """Galactocentric radius within which a share of a disc's sources lies.

    Parameters
    ----------
    share : float or array (...)
        0 to 1.
    name : str
        One of NAMES.
    largest : float
        Radius of the disc, pc.

    Returns
    -------
    ndarray (...)
        pc; of a closed form where there is one, else from a sum over 40,000 rings.
    """
    from scipy.special import gammainc, gammaincinv

    if name == "uniform":
        return largest * np.sqrt(share)
    shape = SHAPES.get(name)
    if shape and not shape.offset_pc:
        # r f(r) is a Gamma distribution, cut off
        scale = SUN_RADIUS / shape.b
        return scale * gammaincinv(shape.a + 2, share * gammainc(shape.a + 2, largest / scale))
    radius = np.linspace(0, largest, _NODES)
    per_radius = radius * surface_density(name, radius)
    grown = np.concatenate([[0.0], np.cumsum(per_radius[1:] + per_radius[:-1])])
    return np.interp(share, grown / grown[-1], radius)


def _shape(name):
    from hpc_cr.config.errors import nearest

    if name not in SHAPES:
        guess = nearest(name, NAMES)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(NAMES)}"
        raise ValueError(f"no distribution of sources {name!r}; {hint}")
    return SHAPES[name]


def _ferriere(r):
    """Supernovae per kpc^2 and Myr: type II and type I."""
    # int exp(-(z/a)^2) dz = sqrt(pi) a of both Gaussians, int exp(-|z|/h) dz = 2 h; kpc
    height_two = np.sqrt(np.pi) * (0.79 * 0.212 + 0.21 * 0.636)
    outer = 50.0 * np.exp(-(r**2 - SUN_RADIUS**2) / 6800.0**2)
    inner = 177.5 * np.exp(-(((r - _FERRIERE_BREAK) / 2100.0) ** 2))
    type_one = 7.3 * np.exp(-(r - SUN_RADIUS) / 4500.0) * 2 * 0.325
    return np.where(r > _FERRIERE_BREAK, outer, inner) * height_two + type_one
