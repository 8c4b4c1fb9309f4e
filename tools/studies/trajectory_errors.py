"""Errors of single trajectories against the work of following them, integrator by integrator.

Error: angle between directions (rad) and distance of positions (gyroradii) from the reference, the
same field followed with very short steps, after 5 and 20 gyroradii. Work: evaluations of the
field per gyroradius of path. Grids are in double precision, so that rounding hides nothing.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.config import parse_job
from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.fields.interpolation import coarsest_levels
from hpc_cr.fields.nested import MagneticField, make_field
from hpc_cr.trajectories.backtrack import backtrack
from hpc_cr.trajectories.directions import healpix_directions
from tools.studies.integrators import (
    SPLITTINGS,
    follow_adaptive,
    follow_lie_group,
    follow_rates,
    follow_splitting,
)

GYRORADII = (5.0, 20.0)
"""Path lengths at which errors are taken."""
REFERENCE_STEPS = 1024
REFERENCE_TOLERANCE = 1e-9
SMOOTH = "b-spline"

_JOB = """
[run]
realisations = {realisations}
[turbulence]
rms = "{rms} uG"
outer_scale = "100 pc"
[grids]
cells = {cells}
interpolation = "{interpolation}"
layout = "nodes"
precision = "double"
[regular]
{regular}
[particles]
rigidities = ["1 PV"]
nside = {nside}
"""
FIELDS = {
    "isotropic": ("4", ""),
    "strong field": ("1.265", 'model = "uniform"\nstrength = "3.795 uG"\ndirection = [0, 0]'),
}
"""Name -> B_rms in uG and the regular field."""


class Curve(NamedTuple):
    """One integrator in one field, at several settings."""

    name: str
    settings: list  # steps per gyroradius, tolerance or angle
    work: np.ndarray  # (n_setting,) evaluations per gyroradius
    error: np.ndarray  # (n_setting, n_stop, 2, 2) direction, position; median, 90 % quantile


def make_job(name, interpolation, realisations=4, cells=128, nside=2):
    """A field of `FIELDS` with r_g/5 as its shortest wave (Job)."""
    rms, regular = FIELDS[name]
    return parse_job(_JOB.format(rms=rms, regular=regular, interpolation=interpolation,
                                 realisations=realisations, cells=cells, nside=nside), name)


class Particles:
    """Particles of 1 PV from the origin of one realisation, and where each stop finds them."""

    def __init__(self, job, realisation):
        self.job = job
        self.field = make_field(job, realisation)
        self.r_g = job.gyroradii[0]
        self.turn = -1 / (GYRORADIUS_PC_UG_PER_PV * job.particles.rigidities[0])
        self.directions = healpix_directions(job.particles.nside)
        self.origins = np.zeros_like(self.directions)
        self.stops = self.r_g * np.array(GYRORADII)

    def production(self, **settings):
        """The program's integrators: (out, evaluations per gyroradius)."""
        tracks = backtrack(self._without_limit(), self.job.particles.rigidities[0],
                           self.directions, self.stops, **settings)
        stages = 6 if settings.get("method") == "cash-karp" else 1
        return (np.concatenate([tracks.displacement, tracks.direction], axis=2),
                stages * tracks.steps.mean() / GYRORADII[-1])

    def _without_limit(self):
        """The field, with steps that are not limited by its shortest wave."""
        return MagneticField(self.field.arrays, self.field.b_ref, np.inf)

    def _arguments(self):
        return self.turn, self.origins, self.directions, self.stops

    def _out(self):
        return np.empty((len(self.stops), len(self.directions), 6))

    def splitting(self, name, evaluations, exact=True):
        """A splitting of `integrators.SPLITTINGS` at so many evaluations per gyroradius."""
        out, (drifts, rotations) = self._out(), SPLITTINGS[name]
        step = self.r_g * len(rotations) / evaluations
        count = follow_splitting(self.field.arrays, *self._arguments(), step, drifts, rotations,
                                 exact, out)
        return out, count / GYRORADII[-1]

    def adaptive(self, steps):
        """Reversible Boris, so many steps per gyroradius in the reference field."""
        out, floor = self._out(), 0.5 * self.job.b_ref
        # the same angle in the reference field as that of equal steps
        angle = np.hypot(1, 0.5) / steps
        count = follow_adaptive(self.field.arrays, *self._arguments(), angle, floor, out)
        return out, count / GYRORADII[-1]

    def lie_group(self, evaluations):
        """Commutator-free method at so many evaluations per gyroradius."""
        out = self._out()
        count = follow_lie_group(self.field.arrays, *self._arguments(),
                                 4 * self.r_g / evaluations, out)
        return out, count / GYRORADII[-1]

    def rates(self, steps, coarse, every, order):
        """Boris with the `coarse` first levels evaluated every so many steps.

        The work is in evaluations of all levels.
        """
        out, arrays = self._out(), self.field.arrays
        n_level = len(arrays.to_box)
        rest = arrays._replace(regular=np.zeros(3), grid=arrays.grid[coarse:],
                               to_box=arrays.to_box[coarse:])
        count = follow_rates(coarsest_levels(arrays, coarse), rest, *self._arguments(),
                             self.r_g / steps, every, order, out)
        return out, count / GYRORADII[-1] * (1 - coarse / n_level * (1 - 1 / every))


STEPS = (2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 64, 128)
TOLERANCES = tuple(10.0**-n for n in range(2, 8))
HIGHER = (8, 12, 16, 24, 32, 48, 64, 96, 128)
CURVES = {
    "Boris": (STEPS, lambda p, n: p.production(steps_per_gyroradius=n)),
    "Boris, plain angle": (STEPS, lambda p, n: p.splitting("Boris", n, exact=False)),
    "Boris, adaptive": (STEPS, Particles.adaptive),
    "Boris, 2 coarsest levels every 4 steps": (STEPS, lambda p, n: p.rates(n, 2, 4, 1)),
    "Boris, 3 coarsest levels every 2 steps": (STEPS, lambda p, n: p.rates(n, 3, 2, 1)),
    "Boris, 2 coarsest levels held 2 steps": (STEPS, lambda p, n: p.rates(n, 2, 2, 0)),
    "Yoshida": (HIGHER, lambda p, n: p.splitting("Yoshida", n)),
    "Suzuki": (HIGHER, lambda p, n: p.splitting("Suzuki", n)),
    "Blanes-Moan": (HIGHER, lambda p, n: p.splitting("Blanes-Moan", n)),
    "commutator-free": (HIGHER, Particles.lie_group),
    "Cash-Karp": (TOLERANCES, lambda p, t: p.production(method="cash-karp", tolerance=t)),
}
"""Name -> settings and how to follow particles at one: (out, evaluations per gyroradius)."""


def distances(found, reference, r_g):
    """Errors of direction (rad) and position (r_g): (2, n_stop, n)."""
    across = found[..., 3:] - reference[..., 3:]
    chord = np.minimum(np.linalg.norm(across, axis=-1), 2.0)
    return np.stack([2 * np.arcsin(chord / 2),
                     np.linalg.norm(found[..., :3] - reference[..., :3], axis=-1) / r_g])


def quantiles(errors):
    """Median and 90 % quantile over particles: (n_stop, 2, 2) of (2, n_stop, n)."""
    return np.quantile(errors, [0.5, 0.9], axis=-1).transpose(2, 1, 0)


def measure(job, names=tuple(CURVES), say=lambda text: None):
    """Curves of the named integrators in a job's fields.

    Returns
    -------
    curves : list of Curve
    agreement : ndarray (n_stop, 2, 2)
        How far the two references are apart, as the errors of a `Curve`.
    """
    errors, works, apart = {name: [] for name in names}, {name: [] for name in names}, []
    for realisation in range(job.run.realisations):
        say(f"field {realisation + 1} of {job.run.realisations}: reference")
        particles = Particles(job, realisation)
        reference, _ = particles.production(steps_per_gyroradius=REFERENCE_STEPS)
        other, _ = particles.production(method="cash-karp", tolerance=REFERENCE_TOLERANCE)
        apart.append(distances(other, reference, particles.r_g))
        for name in names:
            say(f"field {realisation + 1} of {job.run.realisations}: {name}")
            settings, follow = CURVES[name]
            runs = [follow(particles, setting) for setting in settings]
            errors[name].append([distances(out, reference, particles.r_g) for out, _ in runs])
            works[name].append([work for _, work in runs])
    curves = []
    for name in names:
        every = np.concatenate(errors[name], axis=-1)
        curves.append(Curve(name, list(CURVES[name][0]), np.mean(works[name], axis=0),
                            np.array([quantiles(one) for one in every])))
    return curves, quantiles(np.concatenate(apart, axis=-1))
