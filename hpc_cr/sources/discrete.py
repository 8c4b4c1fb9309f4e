"""Fluctuations that sources at single places and times bring to the density and its gradient.

Sources burst one after the other, at places drawn from a radial distribution
(`hpc_cr.sources.distributions`) and exp(-|z|/h). In uniform diffusion between absorbing boundaries
at z = +-H each adds to the Sun the Gaussian of its age: in the plane that of the tensor, across it
the sum over images at z = 2 n H + (-1)^n z_s, or for old sources over the modes of the slab, which
is the same and then converges faster. Losses and the halo's rim are left out. The same sources
count at all rigidities, so that spectra and dipoles are smooth curves of one Galaxy.

The mean over Galaxies is the steady disc's density, here by quadrature over the age (`mean`).
A source younger than t and nearer than (D t)^(1/2) makes a density above x ~ (D t)^(-3/2), and
there is one with a probability ~ t (D t)^(3/2) ~ x^(-5/3) (x^(-4/3) while clouds are wider than the
disc): the density has a mean but no variance, until causality (d < c t) steepens the tail to
x^(-8/3), at densities that no set of Galaxies reaches. The gradient's tail is x^(-5/4) (x^-1 while
clouds are wider than the disc); the dipole of a young source that dominates is 3 d/(2 c t) ~ D/d,
with a tail of exponent -5 (-4), so that its mean and variance exist. Hence medians and quantiles;
means of densities converge slowly (`youngest_yr` makes their variance finite).

Lengths and times in pc, D/c in pc; vectors are Galactic Cartesian. Densities are per particle that
a source injects. Tails: Genolini, Salati, Serpico & Taillet 2017 (A&A 600, A68).
"""

from functools import lru_cache
from math import cos, exp, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.kernel import njit
from hpc_cr.sources.distributions import radius_of_share, surface_density
from hpc_cr.sources.supernovae import YEAR_PC

_LAST = 8.0
"""Oldest age in decay times of the slab's slowest mode: exp(-8) of the mean is left out."""
_BLOCK = 200_000
_IMAGES_BELOW = 0.15
"""D t/H^2 below which images and above which modes are summed; either misses exp(-23)."""


class Population(NamedTuple):
    """The Galaxy's sources.

    Attributes
    ----------
    distribution : str
        A name of `hpc_cr.sources.distributions`.
    largest_pc, scale_height_pc : float
        Radius of the disc, and h.
    half_height_pc : float or array (n,)
        H of the halo, or one per rigidity: D(0) int_0^H dz/D(z) stands for a D that grows away
        from the plane, since it gives a thin disc the same density.
    interval_yr : float
        Mean time between two sources; three in a century.
    youngest_yr, oldest_yr : float
        Younger and older sources are left out. The sum of the old ones hardly fluctuates and is
        known from a steady solution (`hpc_cr.sources.discrete.completed`).
    causal : bool
        Leave out what would have come faster than light.
    """

    distribution: str = "case1996"
    largest_pc: float = 15000.0
    scale_height_pc: float = 200.0
    half_height_pc: float | tuple = 4000.0
    interval_yr: float = 100 / 3
    youngest_yr: float = 0.0
    oldest_yr: float = np.inf
    causal: bool = True

    @property
    def rate_at_sun(self):
        """Sources per area of the disc and time at the Sun's radius, 1/(pc^2 pc)."""
        r = np.linspace(0, self.largest_pc, 20_001)
        area = np.trapezoid(2 * np.pi * r * surface_density(self.distribution, r), r)
        return 1 / (area * self.interval_yr * YEAR_PC)

    def oldest(self, tensors):
        """Largest age that counts, (n,) pc, for tensors (n, 3, 3)."""
        decay = (2 * np.asarray(self.half_height_pc) / np.pi) ** 2 / tensors[:, 2, 2]
        return np.minimum(_LAST * decay, self.oldest_yr * YEAR_PC)


class Densities(NamedTuple):
    """At the Sun, per particle of a source.

    Attributes
    ----------
    density : ndarray (..., n)
        1/pc^3.
    gradient : ndarray (..., n, 3)
        1/pc^4, Galactic Cartesian.
    """

    density: np.ndarray
    gradient: np.ndarray


def fluctuations(population, diffusion, *, seed=1, realisations=100):
    """Densities and gradients in a number of Galaxies.

    Parameters
    ----------
    population : Population
    diffusion : array (n,) or (n, 3, 3)
        D/c at n rigidities, pc: coefficients, or tensors without x-z and y-z components, since
        images mirror the plane.
    seed, realisations : int
        SeedSequence(seed, spawn_key=(realisation,)): a Galaxy is the same however many there are;
        its sources are numbered by age, and each is the same whatever ages are asked for.

    Returns
    -------
    Densities
        (realisations, n) and (realisations, n, 3).

    Raises
    ------
    ValueError
        Diffusion is not positive or has components that images cannot treat; one line.
    """
    tensors = _tensors(diffusion)
    inverse = np.linalg.inv(tensors[:, :2, :2])
    plane = np.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1],
                      np.sqrt(np.linalg.det(tensors[:, :2, :2]))], axis=1)
    oldest = population.oldest(tensors)
    found = np.zeros((realisations, len(tensors), 4))
    youngest = population.youngest_yr * YEAR_PC
    across = np.stack([tensors[:, 2, 2], _heights(population, len(tensors))], axis=1)
    for number in range(realisations):
        for place, age in _galaxy(population, seed, number, oldest.max()):
            _add(place, age, plane, across, oldest, youngest, population.causal, found[number])
    return Densities(found[..., 0], found[..., 1:])


def mean(population, diffusion, times=240):
    """What the fluctuating densities are on average: the steady disc, by quadrature over the age.

    Parameters
    ----------
    population, diffusion
        As for `fluctuations`. Causality is not looked at.
    times : int
        Nodes in the logarithm of the age.

    Returns
    -------
    Densities
        (n,) and (n, 3), within 1e-3.
    """
    rate = population.rate_at_sun
    tensors = _tensors(diffusion)
    found = np.zeros((len(tensors), 4))
    heights = _heights(population, len(tensors))
    for k, (tensor, oldest) in enumerate(zip(tensors, population.oldest(tensors), strict=True)):
        # a disc's cloud spreads in one dimension: sources younger than 1e-6 h^2/D add nothing
        first = max(population.youngest_yr * YEAR_PC,
                    1e-6 * population.scale_height_pc**2 / tensor[2, 2])
        age = np.geomspace(min(first, oldest), oldest, times)
        per_age = np.array([_disc(population, tensor, t) for t in age])
        per_age *= _height(population, heights[k], tensor[2, 2] * age)[:, None]
        found[k, :3] = rate * np.trapezoid(per_age * age[:, None], np.log(age), axis=0)
    return Densities(found[:, 0], found[:, 1:])


def completed(realised, sea, share):
    """Galaxies whose old sources are a steady solution of the transport equation.

    Parameters
    ----------
    realised : Densities
        From `fluctuations` of the younger sources.
    sea, share : Densities
        All of the steady solution, and the part of it that `realised` fluctuates about (`mean`);
        in the same unit.

    Returns
    -------
    Densities
    """
    return Densities(realised.density + (sea.density - share.density),
                     realised.gradient + (sea.gradient - share.gradient))


def dipoles(realised, tensors):
    """3 D_ij d_j N/N of each Galaxy and rigidity.

    Parameters
    ----------
    realised : Densities
    tensors : array (n, 3, 3)
        D/c at the Sun, pc; not necessarily what spreads the clouds.

    Returns
    -------
    ndarray (..., n, 3)
        Towards the excess; v = c.
    """
    flow = 3 * np.einsum("nij,...nj->...ni", tensors, realised.gradient)
    with np.errstate(invalid="ignore", divide="ignore"):
        return flow / realised.density[..., None]


def _tensors(diffusion):
    d = np.asarray(diffusion, float)
    if d.ndim == 1:
        d = d[:, None, None] * np.eye(3)
    if d.ndim != 3 or d.shape[1:] != (3, 3):
        raise ValueError(f"discrete sources: diffusion of shape {d.shape}, not (n,) or (n, 3, 3)")
    if not (np.all(np.isfinite(d)) and np.all(np.linalg.eigvalsh(d) > 0)):
        raise ValueError("discrete sources: diffusion must be positive")
    if np.any(d[:, :2, 2]):
        raise ValueError("discrete sources: the field must lie in the plane or across it")
    return d


def _heights(population, count):
    """H at each rigidity, (n,) pc."""
    return np.broadcast_to(np.asarray(population.half_height_pc, float), (count,))


@lru_cache(maxsize=4)
def _radii(distribution, largest):
    """Shares of the sources and radii (pc): their inverse is slow for millions of sources."""
    share = np.linspace(0, 1, 10_001)
    return share, radius_of_share(share, distribution, largest)


def _galaxy(population, seed, number, oldest):
    """Places (n, 3) from the Sun and ages (n,), pc, the youngest first, block by block."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    reached = 0.0
    block = int(min(_BLOCK, 1.1 * oldest / (population.interval_yr * YEAR_PC) + 100))
    while reached < oldest:
        draw = rng.random((block, 4))
        waits = -np.log1p(-draw[:, 0]) * population.interval_yr * YEAR_PC
        waits[0] += reached
        age = np.cumsum(waits)
        reached = age[-1]
        radius = np.interp(draw[:, 1], *_radii(population.distribution, population.largest_pc))
        angle = 2 * np.pi * draw[:, 2]
        side = 2 * draw[:, 3] - 1
        height = -np.sign(side) * np.log1p(-np.abs(side)) * population.scale_height_pc
        place = np.stack([SUN_RADIUS - radius * np.cos(angle), radius * np.sin(angle), height], 1)
        yield place, age


@njit
def _across(z, spread, half_height):
    """Density per height in the plane of a source at z, and its slope; spread = D t."""
    if abs(z) >= half_height:
        return 0.0, 0.0
    scaled = spread / half_height**2
    value = 0.0
    slope = 0.0
    if scaled < _IMAGES_BELOW:
        norm = 1.0 / sqrt(4 * pi * spread)
        for n in (-1, 0, 1):
            sign = -1.0 if n else 1.0
            place = 2 * n * half_height + sign * z
            part = sign * norm * exp(-place * place / (4 * spread))
            value += part
            slope += part * place / (2 * spread)
        return value, slope
    decay = exp(-((pi / 2) ** 2) * scaled)
    for m in range(4):
        value += cos((m + 0.5) * pi * z / half_height) * decay ** ((2 * m + 1) ** 2)
        slope += m * pi / half_height * sin(m * pi * z / half_height) * decay ** (4 * m * m)
    return value / half_height, slope / half_height


@njit
def _add(place, age, plane, across, oldest, youngest, causal, out):
    """Add density and gradient of sources to out (n, 4); plane (n, 4), across (n, 2), oldest (n,).

    plane: xx, xy and yy of the inverse of the tensor in the plane, and the root of its
    determinant; across: D_zz and H.
    """
    for i in range(len(age)):
        t = age[i]
        x, y, z = place[i]
        if t < youngest or (causal and x * x + y * y + z * z > t * t):
            continue
        for k in range(len(across)):
            if t > oldest[k]:
                continue
            along_x = plane[k, 0] * x + plane[k, 1] * y
            along_y = plane[k, 1] * x + plane[k, 2] * y
            exponent = (along_x * x + along_y * y) / (4 * t)
            if exponent > 60.0:
                continue
            flat = exp(-exponent) / (4 * pi * t * plane[k, 3])
            value, slope = _across(z, across[k, 0] * t, across[k, 1])
            out[k, 0] += flat * value
            out[k, 1] += flat * value * along_x / (2 * t)
            out[k, 2] += flat * value * along_y / (2 * t)
            out[k, 3] += flat * slope


def _disc(population, tensor, t):
    """Mean surface density that a cloud of age t around the Sun covers, and its gradient, (3,).

    Relative to the surface density at the Sun; sums over a Gaussian's whole width converge
    exponentially where the disc is smooth.
    """
    node = np.linspace(-6, 6, 121)
    weight = np.exp(-(node**2) / 2)
    weight /= weight.sum()
    width = np.linalg.cholesky(2 * t * tensor[:2, :2])
    unit = np.stack(np.meshgrid(node, node, indexing="ij"))
    x, y = np.einsum("ij,jab->iab", width, unit)
    r = np.hypot(SUN_RADIUS - x, y)
    covered = surface_density(population.distribution, r) * weight[:, None] * weight
    covered[r > population.largest_pc] = 0.0
    steep = np.linalg.inv(width).T @ np.einsum("jab,ab->j", unit, covered)
    return np.concatenate([[covered.sum()], steep])


def _height(population, half, spread):
    """Mean density per height in the plane of sources with exp(-|z|/h), (n,) for D t (n,)."""
    from scipy.special import erfcx

    h = population.scale_height_pc
    k = (np.arange(16) + 0.5) * np.pi / half
    # of the sources within the halo
    cut = 1 + np.exp(-half / h) * k * h * np.sin(k * half)
    modes = np.exp(-np.outer(spread, k**2)) @ (cut / (1 + (k * h) ** 2)) / half
    free = erfcx(np.sqrt(spread) / h) / (2 * h)
    return np.where(spread < 0.02 * half**2, free, modes)
