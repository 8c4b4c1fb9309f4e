"""Reading the escapes of an escape job."""

from typing import NamedTuple

import numpy as np

from hpc_cr.constants import PC_PER_C_S
from hpc_cr.io.results import Results
from hpc_cr.jf12 import SUN_RADIUS

MYR_PER_PC = PC_PER_C_S / (1e6 * 365.25 * 86400)
"""One pc/c in million years (3.26e-6)."""
NEAR_SUN = (SUN_RADIUS - 2e3, SUN_RADIUS + 2e3)
"""Distances from the Galaxy's centre of starts that count as the Sun's part of the disc, pc."""


class Escapes(NamedTuple):
    """The particles of one rigidity; errors are standard errors of the means.

    Particles that start in the same field may not be independent of one another: the error is
    the larger of the one from the scatter of all particles and, from four realisations on, the
    one from the scatter of the realisations' means. NaN where nothing escaped.
    """

    n: int  # particles that escaped
    n_realisation: int
    unfinished: float  # share that did not within boundary.limit; the means leave it out
    aside: float  # share of the escapes through the cylinder's side
    time: float  # mean c t, pc
    time_error: float
    median_time: float  # pc
    grammage: float  # mean, g/cm^2
    grammage_error: float


class EscapeResults(Results):
    """One case of a file of kind "escape".

    Arrays have the axes (n_row, n_rig, n_particle), rows are realisations; NaN for particles that
    did not leave the halo within boundary.limit. Places are pc in the observer's Galactic frame,
    the Galaxy's centre at x = 8500 pc.
    """

    @property
    def start(self):
        """Where particles started, one more axis (3), pc."""
        return self.array("escape/start")

    @property
    def time(self):
        """Escape time c t, pc."""
        return self.array("escape/escape_time")

    @property
    def grammage(self):
        """Gas crossed, g/cm^2."""
        return self.array("escape/grammage")

    @property
    def exit(self):
        """Where they left the halo, one more axis (3), pc."""
        return self.array("escape/exit")

    def escapes(self, rig, radii=None):
        """Means over the particles of all finished realisations of one rigidity (Escapes).

        Parameters
        ----------
        rig : int
            Its index.
        radii : (float, float), optional
            Only particles that started between these distances from the Galaxy's axis, pc.
        """
        done = self.done[:, rig]
        time, grammage = self.time[done, rig], self.grammage[done, rig]
        chosen = np.ones(time.shape, bool)
        if radii is not None:
            start = self.start[done, rig]
            r = np.hypot(start[..., 0] - SUN_RADIUS, start[..., 1])
            chosen = (r >= radii[0]) & (r < radii[1])
        escaped = np.isfinite(time) & chosen
        height = np.abs(self.exit[done, rig, :, 2][escaped])
        count = int(escaped.sum())
        if not count:
            share = 1.0 if chosen.any() else np.nan
            return Escapes(0, int(done.sum()), share, *[np.nan] * 6)
        aside = height < self.job.boundary.half_height * (1 - 1e-9)
        return Escapes(count, int(done.sum()), 1 - count / int(chosen.sum()), float(aside.mean()),
                       float(time[escaped].mean()), _error(time, escaped),
                       float(np.median(time[escaped])), float(grammage[escaped].mean()),
                       _error(grammage, escaped))


LEAST_REALISATIONS = 4


def _error(values, escaped):
    """Standard error of the mean over all escaped particles of (n_row, n_particle)."""
    count = int(escaped.sum())
    error = values[escaped].std(ddof=1) / np.sqrt(count) if count > 1 else np.nan
    means = np.array([row[there].mean() for row, there in zip(values, escaped, strict=True)
                      if there.any()])
    if len(means) >= LEAST_REALISATIONS:
        error = max(error, means.std(ddof=1) / np.sqrt(len(means)))
    return float(error)
