"""Backtracking: antiparticles sent from the observer along the directions they come from.

A positive cosmic ray obeys dx/dt = u, du/dt = +(u x b)/r_g (times in pc/c). Reversing time and
charge, the antiparticle that starts along n retraces the cosmic ray that arrives from n:
X(T; n) is its displacement after time T, U(T; n) its direction then.
"""

import time as clock
from typing import NamedTuple

import numpy as np

from hpc_cr.config.scales import MOST_STEPS
from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.trajectories.boris import boris_to_spheres, boris_to_times
from hpc_cr.trajectories.cash_karp import cash_karp
from hpc_cr.trajectories.state import RUNNING, Plan, empty_state, start

METHODS = ("boris", "cash-karp")
DEFAULT_STEPS_PER_GYRORADIUS = 5.0
DEFAULT_TOLERANCE = 1e-4
CALL_SECONDS = 0.1
"""Length that a kernel call aims at: between calls the caller's `poll` is served."""
BLOCK = 16384
"""Particles per kernel call: many, so that lanes seldom run empty, but a call can be short."""


class Trajectories(NamedTuple):
    """Result of `backtrack`; particles that did not reach a stop are NaN there."""

    displacement: np.ndarray  # (n_stop, n, 3) X, pc
    direction: np.ndarray  # (n_stop, n, 3) U, the particle's own direction of motion
    time: np.ndarray  # (n_stop, n) pc (pc/c)
    status: np.ndarray  # (n,) 1 finished, 2 gave up at the path limit
    steps: np.ndarray  # (n,)
    over_tolerance: np.ndarray  # (n,) steps taken although over the tolerance


def make_plan(b_ref, longest_step, rigidity, stops, *, sphere, method, steps_per_gyroradius,
              tolerance, limit=None, charge=-1):
    """Constants of a run: steps, stops, limits.

    The Boris step is min(r_g/steps_per_gyroradius, longest_step), shortened so that a whole number
    of equal steps ends on each stop time.

    Parameters
    ----------
    b_ref : float
        uG, field of the gyroradius.
    longest_step : float
        pc, for all methods: L_min of the turbulence, inf without.
    rigidity : float
        PV.
    stops : array_like (n_stop,)
        Increasing times or radii in pc.
    sphere : bool
        Whether `stops` are radii.
    method, steps_per_gyroradius, tolerance
        Integrator settings.
    limit : float, optional
        Longest path in sphere mode, pc; default 1000 times the largest radius.
    charge : int
        -1 for backtracking, +1 for a positive particle moving forward in time.

    Returns
    -------
    Plan
    """
    stops = np.array(stops, dtype=float)
    gyroradius = GYRORADIUS_PC_UG_PER_PV * rigidity / b_ref if b_ref > 0 else np.inf
    step = min(gyroradius / steps_per_gyroradius, longest_step)
    if sphere:
        # without any field nothing limits the step: a few steps to the first sphere
        step = min(step, stops[0] / 2)
    intervals = np.diff(stops, prepend=0.0)
    counts = np.maximum(np.ceil(intervals / step - 1e-9), 1)
    if counts.max() > MOST_STEPS:
        raise ValueError(f"{counts.max():.1e} steps of {step:.1e} pc to the last stop of"
                         f" {stops[-1]:g} pc are too many")
    counts = counts.astype(np.int64)
    longest = min(longest_step, 4 * stops[-1]) if np.isfinite(longest_step) else stops[-1]
    # the position's error is measured in gyroradii: a free particle has none
    return Plan(charge / (GYRORADIUS_PC_UG_PER_PV * rigidity), stops, bool(sphere), counts,
                intervals / counts, float(min(step, stops[-1])), float(longest),
                float(1e-4 * min(gyroradius, longest)), float(tolerance),
                float(min(gyroradius, 1e30)), float(limit or 1000 * stops[-1]))


def expected_steps(plan):
    """Boris steps per particle up to the last stop time (an estimate of cost)."""
    return int(plan.interval_steps.sum())


def advance(arrays, plan, state, first, last, method, poll=None):
    """Track particles first..last-1 of a started state to their last stop.

    Parameters
    ----------
    arrays : FieldArrays
    plan : Plan
    state : State
    first, last : int
    method : {"boris", "cash-karp"}
    poll : callable, optional
        Called between kernel calls (about every 0.1 s); a true answer abandons the run.

    Returns
    -------
    bool
        Whether all particles came to an end (False: abandoned).
    """
    if method == "cash-karp":
        kernel = cash_karp
    else:
        kernel = boris_to_spheres if plan.sphere else boris_to_times
    budget = 16
    for low in range(first, last, BLOCK):
        high = min(low + BLOCK, last)
        while True:
            began = clock.perf_counter()
            kernel(arrays, plan, state, low, high, budget)
            spent = clock.perf_counter() - began
            if poll is not None and poll():
                return False
            if not np.any(state.status[low:high] == RUNNING):
                break
            # at most doubled, so that one slow clock reading cannot make a call last
            budget = int(max(16, min(2 * budget, budget * CALL_SECONDS / max(spent, 1e-6))))
    return True


def backtrack(field, rigidity, directions, times=None, *, radii=None, position=(0.0, 0.0, 0.0),
              method="boris", steps_per_gyroradius=DEFAULT_STEPS_PER_GYRORADIUS,
              tolerance=DEFAULT_TOLERANCE, limit=None, charge=-1):
    """Follow particles from a position through a magnetic field.

    Parameters
    ----------
    field : MagneticField
        From `hpc_cr.make_field`.
    rigidity : float or Quantity
        R = pc/(Ze) in PV, or with a unit.
    directions : array_like (n, 3)
        Directions on the sky n (need not be normalised), Galactic Cartesian; the antiparticle
        starts along n.
    times : array_like (n_stop,), optional
        Increasing times in pc (pc/c) or a Quantity of length or time.
    radii : array_like (n_stop,), optional
        Instead of times: increasing radii in pc of spheres around the start; the first crossing
        of each is recorded.
    position : array_like (3,) or (n, 3)
        Start in pc.
    method : {"boris", "cash-karp"}
    steps_per_gyroradius : float
        Boris: step = min(r_g/this, L_min) with r_g in sqrt(B0^2 + B_rms^2).
    tolerance : float
        Cash-Karp: error of direction, and of position/r_g, per step.
    limit : float, optional
        Longest path in pc for spheres; default 1000 times the largest radius.
    charge : {-1, +1}
        -1 traces cosmic rays back; +1 moves positive particles forward in time.

    Returns
    -------
    Trajectories

    Raises
    ------
    ValueError
        For an unusable argument.
    """
    if (times is None) == (radii is None):
        raise ValueError("give either times or radii")
    if method not in METHODS:
        raise ValueError(f"method {method!r} is not one of {', '.join(METHODS)}")
    rigidity = _voltage(rigidity)
    stops = np.atleast_1d(_length(times if radii is None else radii))
    directions = np.atleast_2d(np.asarray(directions, dtype=float))
    position = np.asarray(_length(position), dtype=float)
    if not (np.isfinite(rigidity) and rigidity > 0):
        raise ValueError(f"rigidity must be positive, not {rigidity} PV")
    if stops.size == 0 or stops[0] <= 0 or np.any(np.diff(stops) <= 0):
        raise ValueError(f"times or radii must be positive and increasing, not {stops} pc")
    if directions.shape[1] != 3 or position.shape not in ((3,), directions.shape):
        raise ValueError("directions must be (n, 3), position (3,) or (n, 3)")
    if not steps_per_gyroradius > 0 or not tolerance > 0:
        raise ValueError("steps_per_gyroradius and tolerance must be positive")
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    if not np.all(length > 0):
        raise ValueError("a direction has no length")
    directions = directions / length
    plan = make_plan(field.b_ref, field.shortest, rigidity, stops, sphere=radii is not None,
                     method=method, steps_per_gyroradius=steps_per_gyroradius, tolerance=tolerance,
                     limit=limit, charge=charge)
    count = len(directions)
    state = empty_state(count, stops.size)
    start(state, 0, count, position, directions, plan)
    advance(field.arrays, plan, state, 0, count, method)
    return Trajectories(state.out_position, state.out_direction, state.out_time, state.status,
                        state.steps, state.over)


def _voltage(value, unit="PV"):
    """A plain number in `unit`; a Quantity is converted."""
    if not hasattr(value, "to_value"):
        return value
    try:
        return value.to_value(unit)
    except ValueError:  # astropy's UnitConversionError is one, and names neither cause nor cure
        raise ValueError(f"rigidity is a voltage, such as 10 TV, not {value}") from None


def _length(value):
    """Lengths in pc; a Quantity may be a length or a light travel time."""
    if not hasattr(value, "to_value"):
        return value
    from astropy import units
    from astropy.constants import c

    return (value * c if value.unit.is_equivalent(units.s) else value).to_value("pc")
