"""What the statements on Giacinti & Sigl 2012 read from its job's file, and their verdict rules.

The paper shows one realisation. What it says of it is compared with what single realisations do
over the ensemble (`verdict_of_one`), what it says of averages with averages (`verdict_of`), and
what depends on where a line is drawn with two lines (`verdict_between`). The ranges are ours.
"""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.papers import Statement

LOW, HIGH = 10.0, 50.0  # PV
SMOOTHING = 20.0  # degrees

OVER_REALISATIONS = "error over realisations"
SAMPLING = "error: sampling of one realisation's particles"
NO_ERROR = "one realisation, no error"


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

    def traces(self, rig, stop=-1):
        """tr M/3 of each row, (n,) pc."""
        return ensembles.coefficients(self.response(rig, stop), "isotropic")[:, 0]

    def mean_free_path(self, rig, stop=-1):
        """lambda = 3 D/c as <tr M>/3, with its error, pc."""
        return ensembles.mean_and_error(self.traces(rig, stop), self.rows)

    def radius(self, pc):
        """Index of the stop nearest to a radius."""
        return int(np.argmin(np.abs(np.log(self.stops / pc))))


def statement(where, text, paper, measured, unit, verdict, note="", kind=OVER_REALISATIONS):
    """A Statement that names the kind of its error.

    Parameters
    ----------
    measured : tuple (value, error)
        Without a finite value the verdict is "open".
    kind : str
        OVER_REALISATIONS, SAMPLING or NO_ERROR; a missing error makes it NO_ERROR.

    The other parameters are those of `hpc_cr.papers.Statement`.
    """
    value, error = map(float, measured)
    if not np.isfinite(error):
        kind = NO_ERROR
    verdict = verdict if np.isfinite(value) else "open"
    parts = [part for part in (note, kind) if part]
    return Statement(where, text, paper, value, error, unit, verdict, "; ".join(parts))


def words(value, error, digits=2):
    """A number with its error for a note; says so where there is none."""
    if not np.isfinite(value):
        return "not known"
    if not np.isfinite(error):
        return f"{value:.{digits}g} (no error)"
    return f"{value:.{digits}g} +- {error:.1g}"


def verdict_of(value, error, low, high):
    """A mean against a range: whether 2 standard errors exclude it, and whether they could have.

    Parameters
    ----------
    value, error : float
    low, high : float
        Range that the paper's words allow.

    Returns
    -------
    str
        "differs" if value +- 2 errors misses the range; "open" without an error, or if 2 errors
        exceed half of the range's width, or half of the value where the range excludes zero;
        else "agrees".
    """
    if not np.isfinite(error) or not np.isfinite(value):
        return "open"
    if not low - 2 * error <= value <= high + 2 * error:
        return "differs"
    limit = (high - low) / 2
    if low * high > 0:
        limit = min(limit, abs(value) / 2)
    return "agrees" if 2 * error <= limit else "open"


def verdict_between(value, error, agrees, differs):
    """A number against two lines: beyond one it agrees, beyond the other it differs.

    Parameters
    ----------
    value, error : float
    agrees, differs : float
        The two lines; where `agrees` is not the larger, small numbers agree.

    Returns
    -------
    str
        "open" between the lines, within 2 errors of the one crossed, or without an error.
    """
    if not np.isfinite(error) or not np.isfinite(value):
        return "open"
    sense = 1 if agrees > differs else -1
    if sense * (value - agrees) > 2 * error:
        return "agrees"
    return "differs" if sense * (differs - value) > 2 * error else "open"


def verdict_of_one(paper, values):
    """What the paper says of one realisation against the same of many.

    Parameters
    ----------
    paper : float
    values : array (n,)
        Of single realisations.

    Returns
    -------
    str
        "differs" outside of their central 95 % (20 realisations at least); inside "open" where
        half of that range exceeds half of the median, since hardly anything would be outside,
        else "agrees".
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if len(values) < 20:
        return "open"
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    if not low <= paper <= high:
        return "differs"
    return "agrees" if high - low <= abs(middle) else "open"
