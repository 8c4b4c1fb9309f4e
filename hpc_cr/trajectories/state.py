"""What the integrators know of each particle, and where they write: plain arrays.

The arrays are given by the caller (they may lie in memory shared by several processes), and a
kernel call advances a range of particles by a bounded number of steps: the state holds all that
is needed to go on, so results do not depend on how the work is cut into calls.
"""

from typing import NamedTuple

import numpy as np

RUNNING, FINISHED, UNFINISHED = 0, 1, 2
"""Status of a particle: on its way; reached the last stop; gave up at the path limit or where
the field has no number."""


class Plan(NamedTuple):
    """Constants of one run of the integrators: one rigidity, one set of stops."""

    turn: float  # signed 1/(r_g B) = charge / (1.0810076 R[PV]), 1/(pc uG)
    stops: np.ndarray  # (n_stop,) times or radii in pc, increasing
    sphere: bool  # stops are radii of spheres around the start, else times
    interval_steps: np.ndarray  # (n_stop,) Boris steps from the previous time to this one
    interval_step: np.ndarray  # (n_stop,) their length, pc
    step: float  # Boris step in sphere mode; first trial step of Cash-Karp, pc
    longest_step: float  # pc, Cash-Karp
    shortest_step: float  # pc, Cash-Karp: below it a step is taken and counted as over tolerance
    tolerance: float  # Cash-Karp, error of direction (rad) and of position / r_g per step
    gyroradius: float  # pc
    limit: float  # longest path in sphere mode, pc


class State(NamedTuple):
    """Arrays over the particles of a run."""

    origin: np.ndarray  # (n, 3) start position, pc
    position: np.ndarray  # (n, 3) displacement from it, pc (Boris: in the middle of a step)
    direction: np.ndarray  # (n, 3) unit vector u
    path: np.ndarray  # (n,) length of path so far, pc (Cash-Karp)
    step: np.ndarray  # (n,) next trial step, pc (Cash-Karp)
    stop: np.ndarray  # (n,) int64, number of the next stop
    taken: np.ndarray  # (n,) int64, Boris: steps in this interval; sphere: in all
    steps: np.ndarray  # (n,) int64, steps in all
    over: np.ndarray  # (n,) int64, steps over tolerance
    status: np.ndarray  # (n,) int64
    out_position: np.ndarray  # (n_stop, n, 3) displacement X at the stops, pc
    out_direction: np.ndarray  # (n_stop, n, 3) direction U at the stops
    out_time: np.ndarray  # (n_stop, n) time of the stops, pc (pc/c)


def state_layout(n_particle, n_stop):
    """Names, shapes and dtypes of the arrays of a `State`, in order."""
    shapes = {"origin": (n_particle, 3), "position": (n_particle, 3), "direction": (n_particle, 3),
              "out_position": (n_stop, n_particle, 3), "out_direction": (n_stop, n_particle, 3),
              "out_time": (n_stop, n_particle)}
    whole = {"stop", "taken", "steps", "over", "status"}
    return [(name, shapes.get(name, (n_particle,)), np.int64 if name in whole else np.float64)
            for name in State._fields]


def empty_state(n_particle, n_stop):
    """A `State` of private arrays."""
    return State(*(np.empty(shape, dtype) for _, shape, dtype in state_layout(n_particle, n_stop)))


def start(state, first, last, origin, directions, plan):
    """Set particles first..last-1 to their start.

    Parameters
    ----------
    state : State
    first, last : int
    origin : ndarray (3,) or (n, 3)
        Start position in pc.
    directions : ndarray (n, 3)
        Unit vectors.
    plan : Plan
    """
    part = slice(first, last)
    state.origin[part] = origin if np.ndim(origin) == 1 else origin[part]
    state.position[part] = 0.0
    state.direction[part] = directions[part]
    state.path[part] = 0.0
    state.step[part] = plan.step
    for counter in (state.stop, state.taken, state.steps, state.over, state.status):
        counter[part] = 0
    for out in (state.out_position, state.out_direction, state.out_time):
        out[:, part] = np.nan
