"""All that is kept of one sky: response tensors, multipoles and their noise at every stop."""

import numpy as np

from hpc_cr.anisotropy.multipoles import alm_of, alm_size, half_samples, spherical_harmonics
from hpc_cr.anisotropy.response import nested_quads, response_of

MEMORY_L = 8
"""Highest multipole whose decay is recorded."""


class SkyObservables:
    """Measures trajectories that started along fixed directions.

    Parameters
    ----------
    directions : ndarray (n_pix, 3)
        Unit vectors n on the sky, Galactic Cartesian.
    nside : int or None
        The directions are all HEALPix centres of this nside in RING order, or any (None).
    l_max : int
        Multipoles kept.
    whole : bool
        Whether the directions cover the whole sky. A part of it determines neither a dipole nor
        multipoles: `measure` then gives NaN.
    """

    def __init__(self, directions, nside, l_max, whole=True):
        self.directions = directions
        self.l_max, self.whole = l_max, whole
        if not whole:
            return
        self._quads = nested_quads(nside) if nside is not None and nside > 1 else None
        self._halves = half_samples(self._quads, len(directions))
        self._scattered = None
        if nside is None:
            self._scattered = (directions, spherical_harmonics(directions, l_max))

    def measure(self, displacement, direction, gradient, poll=None):
        """Observables of one set of trajectories.

        Parameters
        ----------
        displacement, direction : ndarray (n_stop, n_pix, 3)
            X in pc and U; NaN where a particle did not get there.
        gradient : ndarray (3,)
            1/pc, for the dipole.
        poll : callable, optional
            Called after each stop.

        Returns
        -------
        dict of ndarray, leading axis n_stop
            response, response_error (pc), direction_response (1), noise (pc^2), each
            (n_stop, 3, 3); dipole (n_stop, 3); alm (n_stop, 3, n_lm) and alm_half
            (n_stop, 2, 3, n_lm) in pc; direction_alm_half (n_stop, 2, 3, n_lm), the same of U;
            memory (n_stop, MEMORY_L + 1), <P_l(n.U)>.
        """
        if not self.whole:
            return self._nothing(len(displacement))
        result = {name: [] for name in ("response", "response_error", "direction_response",
                                        "noise", "dipole", "alm", "alm_half", "direction_alm_half",
                                        "memory")}
        for x, u in zip(displacement, direction, strict=True):
            response = response_of(self.directions, x, self._quads)
            maps = np.ascontiguousarray(x.T)
            result["response"].append(response.response)
            result["response_error"].append(response.error)
            result["direction_response"].append(response_of(self.directions, u).response)
            result["memory"].append(direction_memory(self.directions, u))
            result["noise"].append(response.noise)
            result["dipole"].append(response.response @ gradient)
            result["alm"].append(alm_of(maps, self.l_max, scattered=self._scattered))
            result["alm_half"].append(self._halves_of(maps))
            result["direction_alm_half"].append(self._halves_of(np.ascontiguousarray(u.T)))
            if poll is not None:
                poll()
        return {name: np.array(values) for name, values in result.items()}

    def _halves_of(self, maps):
        return [alm_of(maps, self.l_max, half, self._scattered) for half in self._halves]

    def _nothing(self, n_stop):
        n_lm = alm_size(self.l_max)
        tensors = ("response", "response_error", "direction_response", "noise")
        shapes = dict.fromkeys(tensors, (3, 3))
        shapes |= {"dipole": (3,), "alm": (3, n_lm), "alm_half": (2, 3, n_lm),
                   "direction_alm_half": (2, 3, n_lm), "memory": (MEMORY_L + 1,)}
        kinds = {name: complex if "alm" in name else float for name in shapes}
        return {name: np.full((n_stop, *shape), np.nan, kinds[name])
                for name, shape in shapes.items()}


def direction_memory(directions, final):
    """Mean Legendre polynomials of the angle between first and last direction, <P_l(n.U)>.

    Of a sky that at -T is a multipole l in the directions, the ensemble mean of what arrives is
    that multipole times the ensemble mean of this, in isotropic turbulence; pitch-angle diffusion
    gives exp(-l(l + 1) T/(2 tau)) with tau = 3 D/c^2 (Ahlers 2014, PRL 112, 021101).

    Parameters
    ----------
    directions, final : ndarray (n_pix, 3)
        n and U; NaN where a particle did not finish.

    Returns
    -------
    ndarray (MEMORY_L + 1,)
        From l = 0; NaN if no particle finished.
    """
    cosine = np.einsum("ij,ij->i", directions, final)
    cosine = cosine[np.isfinite(cosine)]
    if not len(cosine):
        return np.full(MEMORY_L + 1, np.nan)
    return np.polynomial.legendre.legvander(cosine, MEMORY_L).mean(axis=0)
