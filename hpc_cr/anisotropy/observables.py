"""All that is kept of one sky: response tensors, multipoles and their noise at every stop."""

import numpy as np

from hpc_cr.anisotropy.multipoles import alm_of, half_samples, spherical_harmonics
from hpc_cr.anisotropy.response import nested_quads, response_of


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
    """

    def __init__(self, directions, nside, l_max):
        self.directions = directions
        self.l_max = l_max
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
            (n_stop, 2, 3, n_lm) in pc.
        """
        result = {name: [] for name in ("response", "response_error", "direction_response",
                                        "noise", "dipole", "alm", "alm_half")}
        for x, u in zip(displacement, direction, strict=True):
            response = response_of(self.directions, x, self._quads)
            maps = np.ascontiguousarray(x.T)
            result["response"].append(response.response)
            result["response_error"].append(response.error)
            result["direction_response"].append(response_of(self.directions, u).response)
            result["noise"].append(response.noise)
            result["dipole"].append(response.response @ gradient)
            result["alm"].append(alm_of(maps, self.l_max, scattered=self._scattered))
            result["alm_half"].append([alm_of(maps, self.l_max, half, self._scattered)
                                       for half in self._halves])
            if poll is not None:
                poll()
        return {name: np.array(values) for name, values in result.items()}
