"""Boris integrator with the exact rotation angle.

dx/dt = u, du/dt = turn (u x B): half a drift, a rotation about B at the middle by exactly
turn |B| h, half a drift. With t = tan(turn |B| h / 2) b,

    u' = u + u x t,   u_new = u + u' x 2 t/(1 + t^2)

keeps |u| to rounding for any t; the tangent (a short series) makes the angle that of the local
field instead of 2 arctan(turn |B| h / 2). Second order, time-reversible, one field evaluation
per step. (Boris 1970; Zenitani & Umeda 2018, Phys. Plasmas 25, 112110.)

LANES particles move in lock-step, in groups of one vector register. At the end of its step a
group finds the cells of its next one and asks for their memory; while that comes, the other
groups move.
"""

import numpy as np

from hpc_cr.fields.interpolation import (
    add_galaxy_to_lanes,
    add_waves,
    field_in_cells,
    locate,
    work_rows,
)
from hpc_cr.kernel import njit
from hpc_cr.lanes import WIDTH, any_reaches, load, spread, store
from hpc_cr.trajectories.state import FINISHED, RUNNING, UNFINISHED
from hpc_cr.trajectories.stopping import record, record_crossing

GROUPS = 4
"""Vector registers of particles in flight: fewer wait for memory, more gain nothing."""
LANES = GROUPS * WIDTH
SERIES_END = 0.05
"""Largest a^2 of the series for tan(a)/a."""


@njit
def half_angle_tangent(half2):
    """tan(a)/a for a^2 = half2 (Lanes), relative error below 1e-13: a series up to a = 0.22."""
    series = 929569.0 / 638512875.0 * half2 + 21844.0 / 6081075.0
    series = series * half2 + 1382.0 / 155925.0
    series = series * half2 + 62.0 / 2835.0
    series = series * half2 + 17.0 / 315.0
    series = series * half2 + 2.0 / 15.0
    series = series * half2 + 1.0 / 3.0
    series = series * half2 + 1.0
    if any_reaches(half2, spread(SERIES_END)):
        series = _tangent_beyond_series(half2, series)
    return series


@njit
def _tangent_beyond_series(half2, series):
    """The tangent itself in the lanes where the series does not hold."""
    numbers = np.empty((2, WIDTH))
    store(numbers, 0, half2)
    store(numbers, 1, series)
    for w in range(WIDTH):
        if numbers[0, w] >= SERIES_END:
            half = np.sqrt(numbers[0, w])
            numbers[1, w] = np.tan(half) / half
    return load(numbers, 1)


@njit
def rotate(ux, uy, uz, bx, by, bz, half_turn):
    """Direction after a rotation by 2 half_turn |B| about B: du/dt ~ u x B (all Lanes)."""
    factor = half_turn * half_angle_tangent(half_turn * half_turn * (bx * bx + by * by + bz * bz))
    tx, ty, tz = factor * bx, factor * by, factor * bz
    vx = ux + uy * tz - uz * ty
    vy = uy + uz * tx - ux * tz
    vz = uz + ux * ty - uy * tx
    s = 2.0 / (1.0 + tx * tx + ty * ty + tz * tz)
    return (ux + s * (vy * tz - vz * ty), uy + s * (vz * tx - vx * tz),
            uz + s * (vx * ty - vy * tx))


@njit
def _load(state, p, n, lane, x, u, origin):
    """Put particle p into lane n."""
    lane[n] = p
    row, w = 3 * (n // WIDTH), n % WIDTH
    for i in range(3):
        x[row + i, w] = state.position[p, i]
        u[row + i, w] = state.direction[p, i]
        origin[row + i, w] = state.origin[p, i]


@njit
def _save(state, n, lane, x, u):
    """Put the particle of lane n back and leave the lane empty."""
    p = lane[n]
    row, w = 3 * (n // WIDTH), n % WIDTH
    for i in range(3):
        state.position[p, i] = x[row + i, w]
        state.direction[p, i] = u[row + i, w]
    lane[n] = -1


@njit
def _locate(grid, to_box, g, x, y, z, origin, where):
    """Find the cells of group g's next step at x, y, z from the start."""
    locate(grid, to_box, load(origin, 3 * g) + x, load(origin, 3 * g + 1) + y,
           load(origin, 3 * g + 2) + z, where, g * work_rows(grid))


@njit
def _waves(field, g, x, y, z, origin, bx, by, bz):
    """Add the plane waves to the field at group g."""
    return add_waves(field, load(origin, 3 * g) + x, load(origin, 3 * g + 1) + y,
                     load(origin, 3 * g + 2) + z, bx, by, bz)


@njit
def _galaxy(galactic, regular, room, g, x, y, z, origin, bx, by, bz):
    """Scale the turbulence at group g and add the Galaxy's regular field."""
    return add_galaxy_to_lanes(galactic, regular, room, load(origin, 3 * g) + x,
                               load(origin, 3 * g + 1) + y, load(origin, 3 * g + 2) + z,
                               bx, by, bz)


@njit
def boris_to_times(field, plan, state, first, last, budget):
    """Advance particles first..last-1 by at most `budget` steps each towards the stop times.

    Each particle moves as if it were alone; a lane that is done takes the next particle. Inside
    an interval between stops the saved position is that of the middle of the next step, so that
    leaving and coming back changes no bit.
    """
    n_stop = plan.stops.size
    x, u, origin = np.zeros((3 * GROUPS, WIDTH)), np.zeros((3 * GROUPS, WIDTH)), np.zeros(
        (3 * GROUPS, WIDTH))
    regular, grid, to_box = field.regular, field.grid, field.to_box
    rows, waves = work_rows(grid), field.wave_vector.shape[0] > 0
    galactic, galaxy = field.galactic, field.galactic.size > 0
    room = np.empty((6, WIDTH))
    where = np.empty((GROUPS * rows, WIDTH))
    h, half_turn, drift = np.zeros((GROUPS, WIDTH)), np.zeros((GROUPS, WIDTH)), np.zeros(
        (GROUPS, WIDTH))
    lane, left = np.full(LANES, -1), np.zeros(LANES, np.int64)
    waiting = first
    while True:
        # fill empty lanes, begin intervals, and find how far all lanes go without an event
        count = budget
        groups = 0
        for n in range(LANES):
            while lane[n] < 0 and waiting < last:
                if state.status[waiting] == RUNNING:
                    _load(state, waiting, n, lane, x, u, origin)
                    left[n] = budget
                waiting += 1
            p = lane[n]
            if p < 0:
                continue
            g, w = n // WIDTH, n % WIDTH
            groups = g + 1
            stop = state.stop[p]
            h[g, w] = plan.interval_step[stop]
            half_turn[g, w] = 0.5 * h[g, w] * plan.turn
            if state.taken[p] == 0:
                for i in range(3):
                    x[3 * g + i, w] += 0.5 * h[g, w] * u[3 * g + i, w]
            count = min(count, left[n], plan.interval_steps[stop] - state.taken[p])
        if groups == 0:
            break
        drift[:] = h
        for g in range(groups):
            _locate(grid, to_box, g, load(x, 3 * g), load(x, 3 * g + 1), load(x, 3 * g + 2), origin,
                    where)
        for i in range(count):
            if i + 1 == count:
                # the last step of an interval ends with half a drift
                for n in range(LANES):
                    p = lane[n]
                    if p >= 0 and state.taken[p] + count == plan.interval_steps[state.stop[p]]:
                        drift[n // WIDTH, n % WIDTH] = 0.5 * h[n // WIDTH, n % WIDTH]
            for g in range(groups):
                px, py, pz = load(x, 3 * g), load(x, 3 * g + 1), load(x, 3 * g + 2)
                bx, by, bz = field_in_cells(regular, grid, where, g * rows)
                if waves:
                    bx, by, bz = _waves(field, g, px, py, pz, origin, bx, by, bz)
                if galaxy:
                    bx, by, bz = _galaxy(galactic, regular, room, g, px, py, pz, origin, bx, by,
                                         bz)
                ux, uy, uz = rotate(load(u, 3 * g), load(u, 3 * g + 1), load(u, 3 * g + 2),
                                    bx, by, bz, load(half_turn, g))
                step = load(drift, g)
                px, py, pz = px + step * ux, py + step * uy, pz + step * uz
                store(u, 3 * g, ux)
                store(u, 3 * g + 1, uy)
                store(u, 3 * g + 2, uz)
                store(x, 3 * g, px)
                store(x, 3 * g + 1, py)
                store(x, 3 * g + 2, pz)
                _locate(grid, to_box, g, px, py, pz, origin, where)
        for n in range(LANES):
            p = lane[n]
            if p < 0:
                continue
            state.taken[p] += count
            state.steps[p] += count
            left[n] -= count
            stop = state.stop[p]
            if state.taken[p] == plan.interval_steps[stop]:
                state.taken[p] = 0
                row, w = 3 * (n // WIDTH), n % WIDTH
                record(state, p, plan.stops[stop], x[row, w], x[row + 1, w], x[row + 2, w],
                       u[row, w], u[row + 1, w], u[row + 2, w])
                if not np.isfinite(x[row, w]):
                    state.status[p] = UNFINISHED
                elif state.stop[p] == n_stop:
                    state.status[p] = FINISHED
            if left[n] == 0 or state.status[p] != RUNNING:
                _save(state, n, lane, x, u)


@njit
def boris_to_spheres(field, plan, state, first, last, budget):
    """Advance particles first..last-1 by at most `budget` steps each towards the stop spheres.

    As `boris_to_times`; the saved position is that of the middle of the next step (the start
    before the first).
    """
    h = plan.step
    half_turn = spread(0.5 * h * plan.turn)
    most_steps = int(np.ceil(plan.limit / h))
    x, u, origin = np.zeros((3 * GROUPS, WIDTH)), np.zeros((3 * GROUPS, WIDTH)), np.zeros(
        (3 * GROUPS, WIDTH))
    regular, grid, to_box = field.regular, field.grid, field.to_box
    rows, waves = work_rows(grid), field.wave_vector.shape[0] > 0
    galactic, galaxy = field.galactic, field.galactic.size > 0
    room = np.empty((6, WIDTH))
    where = np.empty((GROUPS * rows, WIDTH))
    radius2, turned = np.full((GROUPS, WIDTH), np.inf), np.empty((3, WIDTH))
    lane, left = np.full(LANES, -1), np.zeros(LANES, np.int64)
    waiting = first
    while True:
        # as above; between these points only a particle that finishes is an event
        count = budget
        groups = 0
        for n in range(LANES):
            g, w = n // WIDTH, n % WIDTH
            while lane[n] < 0 and waiting < last:
                if state.status[waiting] == RUNNING:
                    _load(state, waiting, n, lane, x, u, origin)
                    left[n] = budget
                    radius2[g, w] = plan.stops[state.stop[waiting]] ** 2
                    if state.taken[waiting] == 0:
                        for i in range(3):
                            x[3 * g + i, w] += 0.5 * h * u[3 * g + i, w]
                waiting += 1
            p = lane[n]
            if p < 0:
                radius2[g, w] = np.inf
                continue
            groups = g + 1
            count = min(count, left[n], most_steps - state.taken[p])
        if groups == 0:
            break
        for g in range(groups):
            _locate(grid, to_box, g, load(x, 3 * g), load(x, 3 * g + 1), load(x, 3 * g + 2), origin,
                    where)
        taken = 0
        finished = False
        while taken < count and not finished:
            for g in range(groups):
                px, py, pz = load(x, 3 * g), load(x, 3 * g + 1), load(x, 3 * g + 2)
                bx, by, bz = field_in_cells(regular, grid, where, g * rows)
                if waves:
                    bx, by, bz = _waves(field, g, px, py, pz, origin, bx, by, bz)
                if galaxy:
                    bx, by, bz = _galaxy(galactic, regular, room, g, px, py, pz, origin, bx, by,
                                         bz)
                ux, uy, uz = rotate(load(u, 3 * g), load(u, 3 * g + 1), load(u, 3 * g + 2),
                                    bx, by, bz, half_turn)
                ex, ey, ez = px + 0.5 * h * ux, py + 0.5 * h * uy, pz + 0.5 * h * uz
                if any_reaches(ex * ex + ey * ey + ez * ez, load(radius2, g)):
                    store(turned, 0, ux)
                    store(turned, 1, uy)
                    store(turned, 2, uz)
                    finished |= _cross(plan, state, g, taken, lane, x, u, turned, radius2)
                px, py, pz = px + h * ux, py + h * uy, pz + h * uz
                store(u, 3 * g, ux)
                store(u, 3 * g + 1, uy)
                store(u, 3 * g + 2, uz)
                store(x, 3 * g, px)
                store(x, 3 * g + 1, py)
                store(x, 3 * g + 2, pz)
                _locate(grid, to_box, g, px, py, pz, origin, where)
            taken += 1
        for n in range(LANES):
            p = lane[n]
            if p < 0:
                continue
            state.taken[p] += taken
            state.steps[p] += taken
            left[n] -= taken
            if state.status[p] == RUNNING and state.taken[p] >= most_steps:
                state.status[p] = UNFINISHED
            if left[n] == 0 or state.status[p] != RUNNING:
                _save(state, n, lane, x, u)


@njit
def _cross(plan, state, g, taken, lane, x, u, turned, radius2):
    """Record the spheres that group g crosses in a step; whether a particle has finished.

    x is the middle of the step, u the direction before the rotation, `turned` after it; `taken`
    counts the steps since the particles' counters were brought up to date.
    """
    h = plan.step
    finished = False
    row = 3 * g
    for w in range(WIDTH):
        p = lane[g * WIDTH + w]
        if p < 0:
            continue
        mx, my, mz, ux, uy, uz = (x[row, w], x[row + 1, w], x[row + 2, w], u[row, w],
                                  u[row + 1, w], u[row + 2, w])
        vx, vy, vz = turned[0, w], turned[1, w], turned[2, w]
        ex, ey, ez = mx + 0.5 * h * vx, my + 0.5 * h * vy, mz + 0.5 * h * vz
        while ex * ex + ey * ey + ez * ez >= radius2[g, w]:
            record_crossing(state, p, plan.stops[state.stop[p]], h, (state.taken[p] + taken) * h,
                            mx - 0.5 * h * ux, my - 0.5 * h * uy, mz - 0.5 * h * uz,
                            ux, uy, uz, ex, ey, ez, vx, vy, vz)
            if state.stop[p] == plan.stops.size:
                state.status[p] = FINISHED
                finished = True
                radius2[g, w] = np.inf
            else:
                radius2[g, w] = plan.stops[state.stop[p]] ** 2
    return finished
