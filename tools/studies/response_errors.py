"""How response and diffusion coefficient depend on the Boris step: the same skies, many steps.

Every step length is run on the same fields, observers and directions, so that the differences
from the finest ones are free of cosmic variance; what is left is the sampling noise of chaotic
trajectories. Errors are those of the mean over skies. The step is chosen freely (`make_plan`
without a shortest wave): the program's own limit is one of the things judged.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy.response import dipole_matrix
from hpc_cr.config import parse_job
from hpc_cr.config.scales import power_integral
from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.fields.interpolation import coarsest_levels
from hpc_cr.fields.nested import make_field
from hpc_cr.frames import unit_vector
from hpc_cr.trajectories.backtrack import advance, make_plan
from hpc_cr.trajectories.directions import healpix_directions, observer_positions
from hpc_cr.trajectories.state import FINISHED, empty_state, start
from tools.studies.integrators import follow_adaptive, follow_rates

PER_GYRORADIUS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 32.0)
PER_SHORTEST_WAVE = (1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1.0, 2.0, 4.0)
"""Steps per L_min where the gyroradius is above the coherence length."""
FINE = 4
"""Steps of up to so many times the finest serve as the reference together."""

_JOB = """
[run]
realisations = {realisations}
[turbulence]
rms = "{rms} uG"
outer_scale = "100 pc"
inner_scale = "{inner} pc"
[regular]
{regular}
[particles]
rigidities = ["{rigidity} PV"]
nside = {nside}
observers = {observers}
[boundary]
times = {times}
times_in = "{unit}"
"""
_STRONG = 'model = "uniform"\nstrength = "3.795 uG"\ndirection = [0, 0]'


class Regime(NamedTuple):
    """One field and rigidity, followed with several steps."""

    name: str
    job: object  # Job of one rigidity
    steps: np.ndarray  # (n_step,) pc, descending
    candidates: tuple = ()  # labels of CANDIDATES that are followed, too


class Differences(NamedTuple):
    """Relative differences from the fine steps, with the error of their mean over skies."""

    values: np.ndarray  # (n_stop,) response or diffusion coefficient with fine steps, pc
    errors: np.ndarray  # (n_stop,) scatter of the mean over skies (cosmic variance), pc
    change: np.ndarray  # (n_step + n_candidate, n_stop)
    change_error: np.ndarray  # the same shape


def _job(name, rms, inner, rigidity, times, unit, nside, observers, realisations, regular=""):
    text = _JOB.format(rms=rms, inner=inner, rigidity=rigidity, times=list(times), unit=unit,
                       nside=nside, observers=observers, realisations=realisations,
                       regular=regular)
    return parse_job(text, name)


def regimes(share=1.0):
    """The regimes that the step must serve; `share` scales the number of observers."""
    def observers(count):
        return max(2, round(count * share))

    def by_gyroradius(job, per_gyroradius=PER_GYRORADIUS):
        return Regime(job.name, job, job.gyroradii[0] / np.array(per_gyroradius))

    def by_wave(job):
        return Regime(job.name, job, job.shortest_wave / np.array(PER_SHORTEST_WAVE))

    r_g = 0.27025  # pc, 1 PV in 4 uG
    lambdas, lengths = (1, 3, 10), (100 / r_g, 200 / r_g, 400 / r_g)

    def compared(name, of):
        return Regime(name, of.job, of.job.gyroradii[0] / np.array([8.0, 16.0]), tuple(CANDIDATES))

    found = [
        by_gyroradius(_job("isotropic", 4, r_g / 5, 1, lambdas, "lambda", 16, observers(16), 6)),
        by_gyroradius(_job("strong field", 1.265, r_g / 5, 1, lengths, "r_g", 8, observers(16), 6,
                           _STRONG)),
        by_gyroradius(_job("strong field, waves to r_g/50", 1.265, r_g / 50, 1, lengths, "r_g", 8,
                           observers(16), 4, _STRONG), (2.0, 4.0, 5.0, 8.0, 16.0, 32.0)),
        by_wave(_job("r_g = 10 L_c", 4, 4, 740, (1, 3), "lambda", 8, observers(8), 6)),
        by_wave(_job("r_g = 3 L_c", 4, 4, 222, lambdas, "lambda", 8, observers(16), 6)),
        by_gyroradius(_job("isotropic, waves to r_g/50", 4, r_g / 50, 1, lambdas, "lambda", 16,
                           observers(16), 4)),
        by_gyroradius(_job("r_g = L_c/2, waves to r_g/50", 4, 0.2, 37, lambdas, "lambda", 16,
                           observers(16), 4)),
    ]
    return [*found, compared("isotropic, candidates", found[0]),
            compared("strong field, candidates", found[1])]


def false_scattering(turbulence, step):
    """Scattering that steps add on a straight path, as a share of the true one.

    Points h apart cannot tell the wave numbers 2 pi m/h along the path from a uniform field: the
    scattering is that of the spectrum along the path P(0) + 2 sum_m P(2 pi m/h) instead of P(0),
    P(k) ~ int_k E(k')/k' (1 + k^2/k'^2) dk' for the components across the path.

    Parameters
    ----------
    turbulence : Turbulence
        With its outer_scale, inner_scale (pc) and slope.
    step : float
        h, pc.
    """
    t = turbulence

    def spectrum(number):
        k = 2 * np.pi * number / step
        wave = t.outer_scale if number == 0 else min(t.outer_scale, step / number)
        return (power_integral(wave, t.inner_scale, t.slope + 1)
                + k * k * power_integral(wave, t.inner_scale, t.slope + 3))

    numbers = range(1, int(np.ceil(step / t.inner_scale - 1e-9)))
    return 2 * sum(spectrum(number) for number in numbers) / spectrum(0)


def follow(field, job, step, positions, directions):
    """Boris with a given step from several observers.

    Parameters
    ----------
    field : MagneticField
    job : Job
    step : float
        pc.
    positions : ndarray (n_observer, 3)
    directions : ndarray (n_pix, 3)

    Returns
    -------
    ndarray (n_stop, n_observer, n_pix, 3)
        Displacement X, pc.
    """
    plan = make_plan(job.b_ref, np.inf, job.particles.rigidities[0], job.stops[0], sphere=False,
                     method="boris", steps_per_gyroradius=job.gyroradii[0] / step, tolerance=1.0)
    n_observer, n_pix = len(positions), len(directions)
    state = empty_state(n_observer * n_pix, len(plan.stops))
    start(state, 0, n_observer * n_pix, np.repeat(positions, n_pix, axis=0),
          np.tile(directions, (n_observer, 1)), plan)
    advance(field.arrays, plan, state, 0, n_observer * n_pix, "boris")
    if np.any(state.status != FINISHED):
        raise AssertionError("a particle did not reach its last stop")
    return state.out_position.reshape(len(plan.stops), n_observer, n_pix, 3)


def _scalar(job, positions, directions, stops):
    """Arguments of the kernels in `integrators` for several observers, and their output."""
    n_observer, n_pix = len(positions), len(directions)
    out = np.empty((len(stops), n_observer * n_pix, 6))
    turn = -1 / (GYRORADIUS_PC_UG_PER_PV * job.particles.rigidities[0])
    return (turn, np.repeat(positions, n_pix, axis=0), np.tile(directions, (n_observer, 1)),
            stops, out)


def _rates(steps):
    def run(field, job, positions, directions):
        turn, origins, starts, stops, out = _scalar(job, positions, directions, job.stops[0])
        arrays, coarse = field.arrays, len(job.levels) - 1
        rest = arrays._replace(regular=np.zeros(3), grid=arrays.grid[coarse:],
                               to_box=arrays.to_box[coarse:])
        follow_rates(coarsest_levels(arrays, coarse), rest, turn, origins, starts, stops,
                     job.gyroradii[0] / steps, 2, 1, out)
        return out
    return run


def _adaptive(steps):
    def run(field, job, positions, directions):
        turn, origins, starts, stops, out = _scalar(job, positions, directions, job.stops[0])
        follow_adaptive(field.arrays, turn, origins, starts, stops, np.hypot(1, 0.5) / steps,
                        0.5 * job.b_ref, out)
        return out
    return run


CANDIDATES = {
    "all levels but the finest every 2 steps, 4 per r_g": _rates(4),
    "all levels but the finest every 2 steps, 5 per r_g": _rates(5),
    "adaptive, 4 per r_g": _adaptive(4),
}
"""Label -> function(field, job, positions, directions) that returns (n_stop, n, 6)."""


def along(job, directions, displacement):
    """Response and diffusion coefficient of skies, along the regular field or averaged over axes.

    Parameters
    ----------
    job : Job
    directions : ndarray (n_pix, 3)
    displacement : ndarray (n_stop, n_observer, n_pix, 3)

    Returns
    -------
    ndarray (2, n_stop, n_observer)
        M and <X X>/(2T), pc.
    """
    tensors = np.array([[dipole_matrix(directions, sky) for sky in stop] for stop in displacement])
    times = 2 * job.stops[0][:, None]
    if job.regular.model == "none":
        return np.stack([np.trace(tensors, axis1=2, axis2=3) / 3,
                         np.mean(displacement**2, axis=(2, 3)) / times])
    b = unit_vector(*job.regular.direction)
    return np.stack([tensors @ b @ b, np.mean((displacement @ b) ** 2, axis=2) / times])


def measure(regime, say=lambda text: None):
    """Response and diffusion coefficient of every sky with every step and candidate.

    Returns
    -------
    ndarray (2, n_step + n_candidate, n_stop, n_sky)
        pc.
    """
    job = regime.job
    directions = healpix_directions(job.particles.nside)
    positions = observer_positions(job).reshape(job.run.realisations, -1, 3)
    found = []
    for realisation in range(job.run.realisations):
        say(f"{regime.name}: field {realisation + 1} of {job.run.realisations}")
        field = make_field(job, realisation)
        skies = []
        for step in regime.steps:
            say(f"{regime.name}: field {realisation + 1} of {job.run.realisations}, step of"
                f" {step:.3g} pc")
            skies.append(along(job, directions, follow(field, job, step, positions[realisation],
                                                       directions)))
        for label in regime.candidates:
            say(f"{regime.name}: field {realisation + 1} of {job.run.realisations}, {label}")
            out = CANDIDATES[label](field, job, positions[realisation], directions)
            found_at = out[..., :3].reshape(len(out), -1, len(directions), 3)
            skies.append(along(job, directions, found_at))
        found.append(np.stack(skies, axis=1))
    return np.concatenate(found, axis=3)


def differences(skies, steps):
    """Relative differences from the mean over the fine steps: at most FINE times the finest.

    Their own errors are far smaller, and chaotic trajectories make the noise of each independent.

    Parameters
    ----------
    skies : ndarray (n_step + n_candidate, n_stop, n_sky)
    steps : ndarray (n_step,)

    Returns
    -------
    Differences
    """
    n_sky = skies.shape[2]
    fine = skies[:len(steps)][steps <= FINE * steps.min() * (1 + 1e-9)].mean(axis=0)
    value = fine.mean(axis=1)
    change = skies - fine
    return Differences(value, fine.std(axis=1, ddof=1) / np.sqrt(n_sky),
                       change.mean(axis=2) / value,
                       change.std(axis=2, ddof=1) / np.sqrt(n_sky) / value)
