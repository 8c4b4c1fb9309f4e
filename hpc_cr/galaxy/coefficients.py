"""Diffusion coefficients of the Galactic halo as functions of place and rigidity.

    uniform           D0
    exponential       D0 e^(|z|/H)
    source-dependent  D0 F (R/R0)^(s F), F = g + (1 - g)(|z|/(xi z_h))^n up to xi z_h and 1
                      above, g = N_m/(1 + f): slow diffusion near the plane and where sources are
                      dense (Li, Yuan, Liu & Guo 2021, arXiv:2107.00313)
    source-power      D0 e^(|z|/H) max[q^tau, k q^-tau]: diffusion across the field is faster where
                      sources stir it up; along the field it is the opposite, k q^-tau, which limits
                      the escape time where sources are few (Evoli, Gaggero, Grasso & Maccione 2012,
                      Phys. Rev. Lett. 108, 211102)

all times beta^x and, but for the third, (R/R0)^s. f is the density of the sources, 1 at the Sun,
q its radial part (`hpc_cr.sources.distributions`); both are the whole distributions, also where
sources are cut off at some radius.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.sources import distributions

KINDS = ("uniform", "exponential", "source-dependent", "source-power")
PRINTED_PREFACTOR = 4e2
"""Of the escape-time ratio in equation 1 of Evoli et al. 2012, for a half-height of 4 kpc."""


class DiffusionModel(NamedTuple):
    """A diffusion coefficient; what a kind does not name in the module's list is not used by it.

    Attributes
    ----------
    kind : str
        One of KINDS.
    coefficient_pc : float
        D0/c, pc.
    rigidity_GV : float
        R0.
    slope : float
        s.
    velocity_exponent : float
        x of beta^x.
    scale_height_pc : float
        H of e^(|z|/H).
    n_m, xi, index : float
        N_m, xi and n.
    half_height_pc : float
        z_h; the paper writes z_0, which it does not define.
    tau, floor : float
        The exponent and k; not printed, `floor` is common practice.
    frozen_radius_pc : float
        q keeps its value at this radius further inside, where pulsars and remnants are too few for
        the fit to mean anything (q = 0 at r = 0). Not printed.
    parallel_ratio : float
        D_par/D_perp at the Sun; if given, k = (scale_height_pc/R_arm)^2 of it replaces `floor`.
    distribution : str
        A name of `hpc_cr.sources.distributions`.
    source_height_pc : float
        Of the sources' density f.
    sun_radius_pc : float
        Where f and q are 1.
    """

    kind: str = "uniform"
    coefficient_pc: float = 1.0
    rigidity_GV: float = 4.0
    slope: float = 0.5
    velocity_exponent: float = 0.0
    scale_height_pc: float = 4000.0
    n_m: float = 0.62
    xi: float = 0.1
    index: float = 4.0
    half_height_pc: float = 5000.0
    tau: float = 0.0
    floor: float = 0.01
    frozen_radius_pc: float = 3000.0
    parallel_ratio: float = np.nan
    distribution: str = "lorimer2006"
    source_height_pc: float = 200.0
    sun_radius_pc: float = SUN_RADIUS

    def at(self, r, z, rigidity_GV, beta=1.0):
        """The coefficient at places and rigidities, broadcast together.

        Parameters
        ----------
        r, z : float or array (...)
            Galactocentric radius and height, pc.
        rigidity_GV, beta : float or array (...)
            Rigidity and v/c.

        Returns
        -------
        ndarray (...)
            D/c, pc.

        Raises
        ------
        ValueError
            No such kind or distribution; one line.
        """
        r, z, rigidity, beta = (np.asarray(a, float) for a in (r, z, rigidity_GV, beta))
        place, slope = self._place(r, z)
        speed = beta**self.velocity_exponent if self.velocity_exponent else np.ones_like(beta)
        return self.coefficient_pc * place * speed * (rigidity / self.rigidity_GV) ** slope

    def slope_at(self, r, z):
        """d ln D/d ln R there, beta apart."""
        r, z = np.broadcast_arrays(np.asarray(r, float), np.asarray(z, float))
        return np.broadcast_to(self._place(r, z)[1], r.shape)

    def _place(self, r, z):
        """Factor of the place at R0, and slope."""
        if self.kind == "uniform":
            return np.ones(np.broadcast_shapes(r.shape, z.shape)), self.slope
        if self.kind == "exponential":
            return np.exp(np.abs(z) / self.scale_height_pc) * np.ones_like(r), self.slope
        if self.kind == "source-power":
            return (self._turbulence(r) * np.exp(np.abs(z) / self.scale_height_pc)), self.slope
        if self.kind == "source-dependent":
            reduced = self._reduced(r, z)
            return reduced, self.slope * reduced
        raise ValueError(f"no diffusion model {self.kind!r}; there are {', '.join(KINDS)}")

    def _reduced(self, r, z):
        """F of the source-dependent model."""
        f = distributions.density(self.distribution, r, z, self.source_height_pc)
        at_sun = distributions.surface_density(self.distribution, self.sun_radius_pc)
        g = self.n_m / (1.0 + f / at_sun)
        share = np.minimum(np.abs(z) / (self.xi * self.half_height_pc), 1.0)
        return g + (1.0 - g) * share**self.index

    def _turbulence(self, r):
        """max[q^tau, k q^-tau] of the source-power model."""
        q = self._radial(r) / self._radial(self.sun_radius_pc)
        return np.maximum(q**self.tau, self.least_share * q**-self.tau)

    def _radial(self, r):
        return distributions.surface_density(self.distribution,
                                             np.maximum(r, self.frozen_radius_pc))

    @property
    def least_share(self):
        """k: what diffusion along the arms adds at the Sun, relative to that across."""
        if np.isnan(self.parallel_ratio):
            return self.floor
        return self.parallel_ratio / arm_factor(self.scale_height_pc, self.sun_radius_pc)


def arm_factor(half_height_pc, radius=SUN_RADIUS):
    """(R_arm/H)^2 with R_arm = pi r, what particles travel along an arm to escape.

    44.6 at the Sun for 4 kpc.
    """
    return (np.pi * radius / np.asarray(half_height_pc, float)) ** 2


def escape_time_ratio(half_height_pc, perpendicular_over_parallel, printed=False):
    """T_par/T_perp of the escape along the arms and across them, equation 1 of Evoli et al. 2012.

    Parameters
    ----------
    half_height_pc : float or array (...)
        H of the halo, pc.
    perpendicular_over_parallel : float or array (...)
        D_perp/D_par.
    printed : bool
        With the printed prefactor of 4e2 for 4 kpc. (R_arm/H)^2 with R_arm = pi r_Sun, as the
        paper says, is 9 times smaller: with the least D_perp/D_par = 0.01 that it quotes, escape
        along the arms is then the faster of the two, not the slower.

    Returns
    -------
    ndarray (...)
        Above 1 where most particles escape across the field.
    """
    ratio = np.asarray(perpendicular_over_parallel, float)
    if printed:
        return PRINTED_PREFACTOR * (np.asarray(half_height_pc, float) / 4000.0) ** -2 * ratio
    return arm_factor(half_height_pc) * ratio
