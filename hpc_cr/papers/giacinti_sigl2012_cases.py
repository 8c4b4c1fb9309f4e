"""What the statements on Giacinti & Sigl 2012 read from a case of its job's result file."""

import numpy as np

from hpc_cr.anisotropy import ensembles

LOW, HIGH = 10.0, 50.0  # PV
SMOOTHING = 20.0  # degrees


class Case:
    """Finished rows of a case, at 10 and 50 PV, with the intensity's multipoles for its gradient.

    Attributes
    ----------
    rig : dict
        Rigidity in PV -> its index, of those the file has.
    stops : ndarray (n_stop,)
        Radii in pc.
    """

    def __init__(self, results):
        self.results = results
        self.rig = {
            value: int(np.argmin(np.abs(results.rigidities - value)))
            for value in (LOW, HIGH)
            if np.isclose(results.rigidities, value, rtol=1e-6).any()
        }
        self.stops = results.stops[0]
        self.rows = np.flatnonzero(results.done.all(axis=1))
        self._halves = None

    @property
    def ready(self):
        """Whether there is a row finished at every rigidity, with 10 PV among them."""
        return bool(len(self.rows)) and LOW in self.rig

    def gradient(self, rig):
        """(3,) 1/pc."""
        return self.results.gradient[rig]

    def halves(self, rig, stop=-1):
        """a_lm of the intensity's half-samples, (n, 2, n_lm)."""
        if self._halves is None:
            self._halves = self.results.alm_half[self.rows]
        return np.einsum("ahjm,j->ahm", self._halves[:, rig, stop], self.gradient(rig))

    def response(self, rig, stop=-1):
        """(n, 3, 3) pc."""
        return self.results.response[self.rows, rig, stop]

    def mean_free_path(self, rig, stop=-1):
        """lambda = 3 D/c as <tr M>/3, with its error, pc."""
        trace = ensembles.coefficients(self.response(rig, stop), "isotropic")[:, 0]
        return ensembles.mean_and_error(trace, self.rows)

    def radius(self, pc):
        """Index of the stop nearest to a radius."""
        return int(np.argmin(np.abs(np.log(self.stops / pc))))


def verdict_of(value, error, low, high):
    """"agrees" if value +- 2 errors meets the range from low to high."""
    if not np.isfinite(error) or not np.isfinite(value):
        return "open"
    if not low - 2 * error <= value <= high + 2 * error:
        return "differs"
    return "agrees" if 2 * error <= max(high - low, 0.5 * abs(value)) else "open"
