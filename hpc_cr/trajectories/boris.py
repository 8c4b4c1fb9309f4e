"""Boris integrator with the exact rotation angle.

dx/dt = u, du/dt = turn (u x B): half a drift, a rotation about B at the middle by exactly
turn |B| h, half a drift. With t = tan(turn |B| h / 2) b,

    u' = u + u x t,   u_new = u + u' x 2 t/(1 + t^2)

keeps |u| to rounding for any t; the tangent (a short series) makes the angle that of the local
field instead of 2 arctan(turn |B| h / 2). Second order, time-reversible, one field evaluation
per step. (Boris 1970; Zenitani & Umeda 2018, Phys. Plasmas 25, 112110.)
"""

import numpy as np

from hpc_cr.fields.interpolation import LANES, field_at_lanes
from hpc_cr.kernel import njit
from hpc_cr.trajectories.state import FINISHED, RUNNING, UNFINISHED
from hpc_cr.trajectories.stopping import record, record_crossing


@njit
def half_angle_tangent(half2):
    """tan(a)/a for a^2 = half2, relative error below 1e-13: a series up to a = 0.22."""
    if half2 < 0.05:
        series = 929569.0 / 638512875.0 * half2 + 21844.0 / 6081075.0
        series = series * half2 + 1382.0 / 155925.0
        series = series * half2 + 62.0 / 2835.0
        series = series * half2 + 17.0 / 315.0
        series = series * half2 + 2.0 / 15.0
        series = series * half2 + 1.0 / 3.0
        return series * half2 + 1.0
    half = np.sqrt(half2)
    return np.tan(half) / half


@njit
def rotate(ux, uy, uz, bx, by, bz, half_turn):
    """Direction after a rotation by 2 half_turn |B| about B: du/dt ~ u x B."""
    factor = half_turn * half_angle_tangent(half_turn * half_turn * (bx * bx + by * by + bz * bz))
    tx, ty, tz = factor * bx, factor * by, factor * bz
    vx = ux + uy * tz - uz * ty
    vy = uy + uz * tx - ux * tz
    vz = uz + ux * ty - uy * tx
    s = 2.0 / (1.0 + tx * tx + ty * ty + tz * tz)
    return (ux + s * (vy * tz - vz * ty), uy + s * (vz * tx - vx * tz),
            uz + s * (vx * ty - vy * tx))


@njit
def _load(state, p, w, lane, x, u, origin):
    """Put particle p into lane w."""
    lane[w] = p
    for i in range(3):
        x[i, w] = state.position[p, i]
        u[i, w] = state.direction[p, i]
        origin[i, w] = state.origin[p, i]


@njit
def _save(state, w, lane, x, u):
    """Put the particle of lane w back and leave the lane empty."""
    p = lane[w]
    for i in range(3):
        state.position[p, i] = x[i, w]
        state.direction[p, i] = u[i, w]
    lane[w] = -1


@njit
def boris_to_times(field, plan, state, first, last, budget):
    """Advance particles first..last-1 by at most `budget` steps each towards the stop times.

    LANES particles move in lock-step, each as if it were alone; a lane that is done takes the
    next particle. Inside an interval between stops the saved position is that of the middle of
    the next step, so that leaving and coming back changes no bit.
    """
    n_stop = plan.stops.size
    x, u, origin, at, b = (np.zeros((3, LANES)), np.zeros((3, LANES)), np.zeros((3, LANES)),
                           np.zeros((3, LANES)), np.zeros((3, LANES)))
    work, start = np.empty((3, LANES)), np.empty(LANES, np.int64)
    lane, left = np.full(LANES, -1), np.zeros(LANES, np.int64)
    h, half_turn, drift = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    waiting = first
    while True:
        # fill empty lanes, begin intervals, and find how far all lanes go without an event
        count = budget
        busy = 0
        for w in range(LANES):
            while lane[w] < 0 and waiting < last:
                if state.status[waiting] == RUNNING:
                    _load(state, waiting, w, lane, x, u, origin)
                    left[w] = budget
                waiting += 1
            p = lane[w]
            if p < 0:
                continue
            busy += 1
            stop = state.stop[p]
            h[w] = plan.interval_step[stop]
            half_turn[w] = 0.5 * h[w] * plan.turn
            if state.taken[p] == 0:
                for i in range(3):
                    x[i, w] += 0.5 * h[w] * u[i, w]
            count = min(count, left[w], plan.interval_steps[stop] - state.taken[p])
        if busy == 0:
            break
        for i in range(count):
            if i + 1 == count:
                # the last step of an interval ends with half a drift
                for w in range(LANES):
                    drift[w] = h[w]
                    p = lane[w]
                    if p >= 0 and state.taken[p] + count == plan.interval_steps[state.stop[p]]:
                        drift[w] = 0.5 * h[w]
            elif i == 0:
                drift[:] = h
            for w in range(LANES):
                at[0, w], at[1, w], at[2, w] = (origin[0, w] + x[0, w], origin[1, w] + x[1, w],
                                                origin[2, w] + x[2, w])
            field_at_lanes(field, at, b, work, start)
            for w in range(LANES):
                ux, uy, uz = rotate(u[0, w], u[1, w], u[2, w], b[0, w], b[1, w], b[2, w],
                                    half_turn[w])
                u[0, w], u[1, w], u[2, w] = ux, uy, uz
                x[0, w] += drift[w] * ux
                x[1, w] += drift[w] * uy
                x[2, w] += drift[w] * uz
        for w in range(LANES):
            p = lane[w]
            if p < 0:
                continue
            state.taken[p] += count
            state.steps[p] += count
            left[w] -= count
            stop = state.stop[p]
            if state.taken[p] == plan.interval_steps[stop]:
                state.taken[p] = 0
                record(state, p, plan.stops[stop], x[0, w], x[1, w], x[2, w],
                       u[0, w], u[1, w], u[2, w])
                if state.stop[p] == n_stop:
                    state.status[p] = FINISHED
            if left[w] == 0 or state.status[p] != RUNNING:
                _save(state, w, lane, x, u)


@njit
def boris_to_spheres(field, plan, state, first, last, budget):
    """Advance particles first..last-1 by at most `budget` steps each towards the stop spheres.

    As `boris_to_times`; the saved position is that of the middle of the next step (the start
    before the first).
    """
    n_stop = plan.stops.size
    h = plan.step
    half_turn = 0.5 * h * plan.turn
    x, u, origin, at, b = (np.zeros((3, LANES)), np.zeros((3, LANES)), np.zeros((3, LANES)),
                           np.zeros((3, LANES)), np.zeros((3, LANES)))
    work, start = np.empty((3, LANES)), np.empty(LANES, np.int64)
    lane, left, radius2 = np.full(LANES, -1), np.zeros(LANES, np.int64), np.zeros(LANES)
    waiting = first
    while True:
        busy = 0
        for w in range(LANES):
            while lane[w] < 0 and waiting < last:
                if state.status[waiting] == RUNNING:
                    _load(state, waiting, w, lane, x, u, origin)
                    left[w] = budget
                    radius2[w] = plan.stops[state.stop[waiting]] ** 2
                    if state.taken[waiting] == 0:
                        for i in range(3):
                            x[i, w] += 0.5 * h * u[i, w]
                waiting += 1
            busy += lane[w] >= 0
        if busy == 0:
            break
        for w in range(LANES):
            at[0, w], at[1, w], at[2, w] = (origin[0, w] + x[0, w], origin[1, w] + x[1, w],
                                            origin[2, w] + x[2, w])
        field_at_lanes(field, at, b, work, start)
        for w in range(LANES):
            p = lane[w]
            if p < 0:
                continue
            mx, my, mz, ux, uy, uz = x[0, w], x[1, w], x[2, w], u[0, w], u[1, w], u[2, w]
            vx, vy, vz = rotate(ux, uy, uz, b[0, w], b[1, w], b[2, w], half_turn)
            ex, ey, ez = mx + 0.5 * h * vx, my + 0.5 * h * vy, mz + 0.5 * h * vz
            while ex * ex + ey * ey + ez * ez >= radius2[w]:
                record_crossing(state, p, plan.stops[state.stop[p]], h, state.taken[p] * h,
                                mx - 0.5 * h * ux, my - 0.5 * h * uy, mz - 0.5 * h * uz,
                                ux, uy, uz, ex, ey, ez, vx, vy, vz)
                if state.stop[p] == n_stop:
                    state.status[p] = FINISHED
                    break
                radius2[w] = plan.stops[state.stop[p]] ** 2
            u[0, w], u[1, w], u[2, w] = vx, vy, vz
            x[0, w], x[1, w], x[2, w] = mx + h * vx, my + h * vy, mz + h * vz
            state.taken[p] += 1
            state.steps[p] += 1
            left[w] -= 1
            if state.status[p] == RUNNING and state.taken[p] * h >= plan.limit:
                state.status[p] = UNFINISHED
            if left[w] == 0 or state.status[p] != RUNNING:
                _save(state, w, lane, x, u)
