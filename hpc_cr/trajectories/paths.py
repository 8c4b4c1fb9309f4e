"""Whole trajectories, step by step, for pictures: the integrators otherwise keep only the stops.

The kernels are called for one step at a time. Their state holds all that is needed to go on, so
the paths are those of a long call, bit by bit, however chaotic the field.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.trajectories.boris import boris_to_spheres, boris_to_times
from hpc_cr.trajectories.cash_karp import cash_karp
from hpc_cr.trajectories.state import FINISHED, RUNNING, empty_state, start


class Paths(NamedTuple):
    """Result of `follow`."""

    points: list  # per particle (n_point, 3) displacement from its start, pc, from 0 to the end
    displacement: np.ndarray  # (n_stop, n, 3) X at the stops, pc; NaN where not reached


def follow(field, plan, directions, position=(0.0, 0.0, 0.0), method="boris"):
    """Trajectories of a few particles with every step.

    Parameters
    ----------
    field : MagneticField
        From `hpc_cr.make_field`.
    plan : Plan
        From `hpc_cr.trajectories.backtrack.make_plan`; the last of its stops ends the paths.
    directions : ndarray (n, 3)
        Unit vectors on the sky n, Galactic Cartesian, along which the antiparticles start.
    position : array_like (3,)
        Start in pc.
    method : {"boris", "cash-karp"}

    Returns
    -------
    Paths
        Points lie one step apart (Boris: the middles of the steps from the second on, so that the
        last but one may lie half a step beyond the stop); the last one is that of the last stop, or
        where the particle gave up.
    """
    kernel = cash_karp
    if method == "boris":
        kernel = boris_to_spheres if plan.sphere else boris_to_times
    count = len(directions)
    state = empty_state(count, len(plan.stops))
    start(state, 0, count, np.asarray(position, float), np.asarray(directions, float), plan)
    points = [[np.zeros(3)] for _ in range(count)]
    running = state.status == RUNNING
    while running.any():
        kernel(field.arrays, plan, state, 0, count, 1)
        now = state.status == RUNNING
        for p in np.flatnonzero(running):
            done = state.status[p] == FINISHED
            points[p].append((state.out_position[-1, p] if done else state.position[p]).copy())
        running = now
    return Paths([np.array(path) for path in points], state.out_position)
