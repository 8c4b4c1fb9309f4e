"""What one nearby burst adds to the density of cosmic rays at the Sun, and to its gradient.

A source that leaves q(R) = q0 (R/R_1)^-a exp(-R/R_c) particles per rigidity at one place and time
has, a displacement d from the Sun and a time t later, the density q(R) times the Gaussian of
`hpc_cr.sources.gaussian`. With q0 in 1/GV densities are in 1/(pc^3 GV). Losses and the halo's
boundaries are left out: they are farther away than such a source's cloud reaches.

Two kernels. **As printed** (Li, Yuan, Liu & Guo 2021, arXiv:2107.00313): isotropic, with the
coefficient D at the Sun, although the flow at the Sun is then taken as along the local field,
3 D_ij d_j n. The two do not fit together: a source alone has the dipole (3/2ct)[d_par + (D_perp/D)
d_perp] instead of 3 d/(2ct), shorter and turned to the field, while its flux is what isotropic
diffusion brings. **Consistent**: the Gaussian of the same tensor as the flow's, by which the dipole
alone is 3 d/(2ct) for every tensor, towards the source; what the field does is to raise the density
by D/D_perp and to cut it off by exp(-d_perp^2/(4 D_perp t)). With the paper's parameters this
kernel leaves 4e-6 of the printed flux of Geminga at 100 GV, 0.13 of it at 1 TV, and makes 1.9 times
it at 10 TV. The kernel is chosen by handing coefficients or tensors to `arrived`.

The paper gives q0 in 1/GeV next to a spectrum in rigidity; it is read as per GV here. Fluxes per
total energy are those per rigidity over Z beta.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.constants import PARSEC_M, SPEED_OF_LIGHT_M_PER_S
from hpc_cr.frames import unit_vector
from hpc_cr.sources import gaussian
from hpc_cr.sources.supernovae import YEAR_PC


class Burst(NamedTuple):
    """One source.

    Attributes
    ----------
    position : ndarray (3,)
        From the Sun, pc, Galactic Cartesian.
    age : float
        c t, pc.
    amount : float
        q0, 1/GV.
    slope, cutoff_GV : float
        a and R_c; infinite for none.
    reference_GV : float
        R_1; 1 GV in print.
    """

    position: np.ndarray
    age: float
    amount: float = 1.0
    slope: float = 0.0
    cutoff_GV: float = np.inf
    reference_GV: float = 1.0

    def spectrum(self, rigidity_GV):
        """q(R), 1/GV."""
        rigidity = np.asarray(rigidity_GV, float)
        power = (rigidity / self.reference_GV) ** -self.slope
        return self.amount * power * np.exp(-rigidity / self.cutoff_GV)


class Arrived(NamedTuple):
    """At the Sun.

    Attributes
    ----------
    density : ndarray (n,)
        1/(pc^3 GV).
    gradient : ndarray (n, 3)
        1/(pc^4 GV), Galactic Cartesian: towards the source if diffusion is isotropic.
    """

    density: np.ndarray
    gradient: np.ndarray


def burst(distance_pc, l_deg, b_deg, age_yr, amount=1.0, slope=0.0, cutoff_GV=np.inf):
    """A source by distance (pc), Galactic direction (degrees), age (Julian years) and spectrum.

    Raises
    ------
    ValueError
        Distance or age not positive, or something is not known; one line.
    """
    given = {"distance": distance_pc, "age": age_yr}
    for name, value in given.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"local source: {name} {value:g} must be above 0")
    if not np.all(np.isfinite([l_deg, b_deg])):
        raise ValueError("local source: its direction is not known; give l and b")
    position = distance_pc * unit_vector(l_deg, b_deg)
    return Burst(position, age_yr * YEAR_PC, amount, slope, cutoff_GV)


def arrived(source, rigidity_GV, diffusion):
    """Density and gradient at the Sun.

    Parameters
    ----------
    source : Burst
    rigidity_GV : array (n,)
    diffusion : array (n,) or (n, 3, 3)
        D/c at the Sun, pc: coefficients for the isotropic kernel, tensors for the anisotropic one.

    Returns
    -------
    Arrived

    Raises
    ------
    ValueError
        A coefficient is not positive, or shapes do not match; one line.
    """
    rigidity = np.atleast_1d(np.asarray(rigidity_GV, float))
    tensors = _tensors(diffusion, len(rigidity))
    to_sun = -np.asarray(source.position, float)
    steepness = gaussian.log_gradient(to_sun, source.age, tensors)
    density = source.spectrum(rigidity) * gaussian.density(to_sun, source.age, tensors)
    return Arrived(density, density[:, None] * steepness)


def _tensors(diffusion, count):
    """Tensors (count, 3, 3) of coefficients or tensors."""
    d = np.asarray(diffusion, float)
    if d.shape == (count,):
        d = d[:, None, None] * np.eye(3)
    if d.shape != (count, 3, 3):
        raise ValueError(f"diffusion of shape {d.shape} for {count} rigidities")
    if not (np.all(np.isfinite(d)) and np.all(np.linalg.eigvalsh(d) > 0)):
        raise ValueError("local source: diffusion must be positive")
    return d


def flux(density, beta=1.0):
    """J = c beta N/(4 pi).

    Parameters
    ----------
    density : array (...)
        1/(pc^3 GV), or per GeV.
    beta : float or array (...)
        v/c.

    Returns
    -------
    ndarray (...)
        1/(m^2 s sr GV), or per GeV.
    """
    speed = SPEED_OF_LIGHT_M_PER_S * np.asarray(beta, float)
    return speed * np.asarray(density, float) / (4 * np.pi * PARSEC_M**3)
