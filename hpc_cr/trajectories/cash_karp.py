"""Cash-Karp 4(5) integrator with adaptive steps.

Six evaluations give a fifth-order step and an embedded fourth-order one (Cash & Karp 1990, ACM
TOMS 16, 201); their difference is the error that the step size follows. The error of a step is
the larger of |error of u| and |error of x| / r_g. The direction is brought back to unit length
after each step. A step that stays over the tolerance at the smallest step is taken and counted.

Steps are counted with the rejected ones: each costs six evaluations of the field.

Keeping |u| says nothing about the pitch angle, which drifts: choose the tolerance by the result.
"""

import numpy as np

from hpc_cr.fields.interpolation import field_at
from hpc_cr.kernel import njit
from hpc_cr.trajectories.state import FINISHED, RUNNING, UNFINISHED
from hpc_cr.trajectories.stopping import record, record_crossing

SAFETY, LARGEST_GROWTH, SMALLEST_SHRINK = 0.9, 5.0, 0.1

_A = np.array([
    [0, 0, 0, 0, 0],
    [1 / 5, 0, 0, 0, 0],
    [3 / 40, 9 / 40, 0, 0, 0],
    [3 / 10, -9 / 10, 6 / 5, 0, 0],
    [-11 / 54, 5 / 2, -70 / 27, 35 / 27, 0],
    [1631 / 55296, 175 / 512, 575 / 13824, 44275 / 110592, 253 / 4096],
])
_FIFTH = np.array([37 / 378, 0, 250 / 621, 125 / 594, 0, 512 / 1771])
_FOURTH = np.array([2825 / 27648, 0, 18575 / 48384, 13525 / 55296, 277 / 14336, 1 / 4])
_ERROR = _FIFTH - _FOURTH


@njit
def try_step(field, turn, origin, x, u, h, slope_x, slope_u, new_x, new_u):
    """One trial step of length h; fills new_x, new_u and returns the errors of x (pc) and u.

    slope_x, slope_u are work arrays (6, 3).
    """
    for stage in range(6):
        for i in range(3):
            at, to = x[i], u[i]
            for j in range(stage):
                at += h * _A[stage, j] * slope_x[j, i]
                to += h * _A[stage, j] * slope_u[j, i]
            new_x[i], new_u[i] = at, to
        bx, by, bz = field_at(field, origin[0] + new_x[0], origin[1] + new_x[1],
                              origin[2] + new_x[2])
        for i in range(3):
            slope_x[stage, i] = new_u[i]
        slope_u[stage, 0] = turn * (new_u[1] * bz - new_u[2] * by)
        slope_u[stage, 1] = turn * (new_u[2] * bx - new_u[0] * bz)
        slope_u[stage, 2] = turn * (new_u[0] * by - new_u[1] * bx)
    error_x2, error_u2, norm2 = 0.0, 0.0, 0.0
    for i in range(3):
        at, to, error_x, error_u = x[i], u[i], 0.0, 0.0
        for j in range(6):
            at += h * _FIFTH[j] * slope_x[j, i]
            to += h * _FIFTH[j] * slope_u[j, i]
            error_x += h * _ERROR[j] * slope_x[j, i]
            error_u += h * _ERROR[j] * slope_u[j, i]
        new_x[i], new_u[i] = at, to
        error_x2 += error_x * error_x
        error_u2 += error_u * error_u
        norm2 += to * to
    norm = 1.0 / np.sqrt(norm2)
    for i in range(3):
        new_u[i] *= norm
    return np.sqrt(error_x2), np.sqrt(error_u2)


@njit
def cash_karp(field, plan, state, first, last, budget):
    """Advance particles first..last-1 by at most `budget` trial steps each towards the stops."""
    slope_x, slope_u = np.empty((6, 3)), np.empty((6, 3))
    x, u, new_x, new_u = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    n_stop = plan.stops.size
    for p in range(first, last):
        if state.status[p] != RUNNING:
            continue
        x[:], u[:] = state.position[p], state.direction[p]
        for _ in range(budget):
            h, path = state.step[p], state.path[p]
            last_of_interval = False
            if not plan.sphere:
                remaining = plan.stops[state.stop[p]] - path
                # a remainder of less than half a step would be a tiny step of its own
                if h >= remaining:
                    h, last_of_interval = remaining, True
                elif 2.0 * h > remaining:
                    h = 0.5 * remaining
            error_x, error_u = try_step(field, plan.turn, state.origin[p], x, u, h, slope_x,
                                        slope_u, new_x, new_u)
            error = max(error_x / plan.gyroradius, error_u) / plan.tolerance
            state.steps[p] += 1
            if not np.isfinite(error):
                state.status[p] = UNFINISHED
                break
            if error > 1.0 and h > plan.shortest_step:
                state.step[p] = max(plan.shortest_step,
                                    h * max(SMALLEST_SHRINK, SAFETY * error**-0.25))
                continue
            if error > 1.0:
                state.over[p] += 1
            growth = LARGEST_GROWTH if error == 0.0 else SAFETY * error**-0.2
            proposed = min(plan.longest_step, h * min(LARGEST_GROWTH, max(SMALLEST_SHRINK, growth)))
            # a step cut short by a stop says nothing against the longer one before it
            state.step[p] = max(plan.shortest_step,
                                max(proposed, state.step[p]) if h < state.step[p] else proposed)
            if plan.sphere:
                while state.status[p] == RUNNING:
                    radius = plan.stops[state.stop[p]]
                    if new_x[0] ** 2 + new_x[1] ** 2 + new_x[2] ** 2 < radius * radius:
                        break
                    record_crossing(state, p, radius, h, path, x[0], x[1], x[2], u[0], u[1], u[2],
                                    new_x[0], new_x[1], new_x[2], new_u[0], new_u[1], new_u[2])
                    if state.stop[p] == n_stop:
                        state.status[p] = FINISHED
                state.path[p] = path + h
                if state.status[p] == RUNNING and state.path[p] >= plan.limit:
                    state.status[p] = UNFINISHED
            elif last_of_interval:
                state.path[p] = plan.stops[state.stop[p]]
                record(state, p, state.path[p], new_x[0], new_x[1], new_x[2], new_u[0], new_u[1],
                       new_u[2])
                if state.stop[p] == n_stop:
                    state.status[p] = FINISHED
            else:
                state.path[p] = path + h
            x[:], u[:] = new_x, new_u
            if state.status[p] != RUNNING:
                break
        state.position[p], state.direction[p] = x, u
