"""How many supernovae make the flux at the Sun, by Monte Carlo.

One supernova in 30 years, its place drawn from the surface density of remnants (Case & Bhattacharya
1998, ApJ 504, 761; `hpc_cr.sources.distributions`) up to 15 kpc, and exp(-|z|/0.2 kpc).
Each contributes the Gaussian of `hpc_cr.sources.gaussian` of its age t, in a uniform field in the
plane along the azimuth (the local arm), times exp(-t/tau_esc): what escapes is taken as lost at
this rate everywhere, instead of at boundaries of the halo, which the diffusion does not see. All
sources inject alike; only their densities relative to each other count, so that spectra and
energies drop out.

The coefficients are those of Kachelriess 2018 (arXiv:1811.02419): D_iso = (3-8)e28 cm^2/s
(R/10 GV)^(1/3), D_par = 5 D_iso, D_perp = D_iso/500, tau_esc = few 1e7 yr (R/5 GV)^(-1/3) (few: 3
here).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hpc_cr.constants import PC_C_CM2_PER_S, PC_PER_C_S
from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.sources.distributions import radius_of_share
from hpc_cr.sources.gaussian import PARALLEL_GAIN, PERPENDICULAR_LOSS

YEAR_PC = 365.25 * 86400 / PC_PER_C_S
"""c times a Julian year, pc."""
INTERVAL_YR = 30.0
DISC_PC, SCALE_HEIGHT_PC = 15000.0, 200.0
SHARES = (0.5, 0.9)


class Galaxy(NamedTuple):
    """What the numbers of sources depend on.

    Attributes
    ----------
    diffusion : float
        D_iso at 10 GV, cm^2/s.
    escape_yr : float
        tau_esc at 5 GV, years.
    interval_yr : float
        Between two supernovae.
    slope : float
        D_iso grows and tau_esc falls with rigidity to this power.
    gain, loss : float
        D_par/D_iso and D_iso/D_perp; 1 and 1 for isotropic diffusion.
    ages : float
        Oldest sources, in tau_esc: 1e-3 of the flux come from older ones than 6, where the clouds
        of the disc's sources grow in one dimension only (erfc(sqrt(6))), and less where in three.
    """

    diffusion: float = 5e28
    escape_yr: float = 3e7
    interval_yr: float = INTERVAL_YR
    slope: float = 1 / 3
    gain: float = PARALLEL_GAIN
    loss: float = PERPENDICULAR_LOSS
    ages: float = 6.0

    def coefficients(self, rigidity):
        """D_par/c and D_perp/c (pc) at a rigidity (PV)."""
        isotropic = self.diffusion / PC_C_CM2_PER_S * (rigidity / 1e-5) ** self.slope
        return isotropic * self.gain, isotropic / self.loss

    def escape_time(self, rigidity):
        """tau_esc at a rigidity (PV), pc."""
        return self.escape_yr * YEAR_PC * (rigidity / 5e-6) ** -self.slope


ANISOTROPIC = Galaxy()
ISOTROPIC = Galaxy(gain=1.0, loss=1.0)


class Contributions(NamedTuple):
    """Of one Monte Carlo set; densities in 1/pc^3 per particle of a source, the largest first.

    Attributes
    ----------
    total : float
        Sum over all sources.
    effective : float
        N_eff = (sum f)^2/sum f^2.
    makes : tuple of int
        Sources that make each of SHARES of the flux, the brightest first.
    age_yr : float
        Median age of those that make the first share, each with its flux as weight.
    """

    total: float
    effective: float
    makes: tuple
    age_yr: float


def places(rng, count):
    """Places of supernovae, (count, 3) pc, relative to the Sun.

    x towards the Galactic centre, y along the azimuth, z from the plane.
    """
    radius = np.interp(rng.random(count), *_radii())
    angle = rng.uniform(0, 2 * np.pi, count)
    height = rng.laplace(scale=SCALE_HEIGHT_PC, size=count)
    return np.stack([SUN_RADIUS - radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)


@lru_cache(maxsize=1)
def _radii():
    """Shares of the sources and radii (pc): their inverse is slow for millions of sources."""
    share = np.linspace(0, 1, 10001)
    return share, radius_of_share(share, "case1998", DISC_PC)


def densities(position, age, rigidity, galaxy):
    """What sources add at the Sun.

    Parameters
    ----------
    position : ndarray (n, 3)
        pc from the Sun, the second axis along the field.
    age : ndarray (n,)
        pc, above 0.
    rigidity : float
        PV.
    galaxy : Galaxy

    Returns
    -------
    ndarray (n,)
        1/pc^3 per particle of a source.
    """
    parallel, perpendicular = galaxy.coefficients(rigidity)
    along, across = position[:, 1] ** 2, position[:, 0] ** 2 + position[:, 2] ** 2
    exponent = (along / parallel + across / perpendicular) / (4 * age)
    wide = 4 * np.pi * age
    volume = wide * np.sqrt(wide) * np.sqrt(parallel) * perpendicular
    return np.exp(-exponent - age / galaxy.escape_time(rigidity)) / volume


def contributions(rigidity, galaxy=ANISOTROPIC, *, seed=1, sets=20, block=500_000):
    """Monte Carlo sets of the Galaxy's supernovae, and how many of them count.

    Parameters
    ----------
    rigidity : float
        PV.
    galaxy : Galaxy
    seed, sets : int
        SeedSequence(seed, spawn_key=(set,)): set by set the same, however many there are.
    block : int
        Sources held at a time.

    Returns
    -------
    list of Contributions
        One per set.
    """
    return [_one_set(rigidity, galaxy, np.random.SeedSequence(seed, spawn_key=(number,)), block)
            for number in range(sets)]


def _one_set(rigidity, galaxy, seed, block):
    rng = np.random.default_rng(seed)
    oldest = galaxy.ages * galaxy.escape_time(rigidity)
    left = rng.poisson(oldest / (galaxy.interval_yr * YEAR_PC))
    kept, ages, total = [], [], 0.0
    while left:
        count = min(left, block)
        age = oldest * (1.0 - rng.random(count))
        flux = densities(places(rng, count), age, rigidity, galaxy)
        total += flux.sum()
        some = flux > flux.max(initial=0.0) * 1e-12
        kept.append(flux[some])
        ages.append(age[some])
        left -= count
    return summarise(np.concatenate(kept), np.concatenate(ages))


def summarise(flux, age):
    """Contributions of given sources.

    Parameters
    ----------
    flux : ndarray (n,)
        Any unit, not negative.
    age : ndarray (n,)
        pc.

    Returns
    -------
    Contributions
    """
    order = np.argsort(flux)[::-1]
    flux, age = flux[order], age[order]
    total = flux.sum()
    if not total > 0:
        return Contributions(0.0, np.nan, (0,) * len(SHARES), np.nan)
    grown = np.cumsum(flux) / total
    makes = tuple(int(np.searchsorted(grown, share) + 1) for share in SHARES)
    young = np.argsort(age[: makes[0]])
    weight = np.cumsum(flux[: makes[0]][young])
    middle = age[: makes[0]][young][np.searchsorted(weight, weight[-1] / 2)]
    return Contributions(float(total), float(total**2 / np.sum(flux**2)), makes,
                         float(middle / YEAR_PC))


class Numbers(NamedTuple):
    """Medians over sets with their standard errors and 16 and 84 % of the sets."""

    effective: tuple
    half: tuple
    most: tuple
    age_yr: tuple


def numbers(found):
    """Over Monte Carlo sets: (median, its error, 16 %, 84 %) of N_eff, N(50 %), N(90 %), the age.

    The median, since a very young source near by makes most of the flux in a few sets. Its error
    is that of the median of a normal distribution of the same central 68 %.
    """
    values = np.array([(c.effective, *c.makes, c.age_yr) for c in found])
    low, middle, high = np.percentile(values, [16, 50, 84], axis=0)
    error = np.sqrt(np.pi / 2) * (high - low) / 2 / np.sqrt(len(values))
    return Numbers(*zip(middle, error, low, high, strict=True))


SETS = 10
"""Monte Carlo sets behind the tables: a set at 10 GV has millions of supernovae."""


@lru_cache(maxsize=8)
def sources_that_count(rigidity, galaxy):
    """`Numbers` over SETS sets of the Galaxy at a rigidity (PV), and the mean density (1/pc^3).

    One table for all pages; the density is per particle of a source, its error over the sets.
    """
    found = contributions(rigidity, galaxy, sets=SETS)
    total = np.array([one.total for one in found])
    return numbers(found), (float(total.mean()), float(total.std(ddof=1) / np.sqrt(SETS)))
