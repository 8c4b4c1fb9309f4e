"""Integrators that could replace the program's, one particle at a time: what a step would gain.

dx/dt = u, du/dt = turn (u x B). All rotate u about some B, so that |u| = 1 is kept to rounding.

- Splittings: drifts and rotations take turns (Boris: half, whole, half). Fourth order from the
  triple jump (Yoshida 1990, Phys. Lett. A 150, 262), Suzuki's fractal (1990, Phys. Lett. A 146,
  319) and six optimised stages (Blanes & Moan 2002, J. Comput. Appl. Math. 142, 313, S6).
- Boris with the step following 1/|B| in a reversible way: the steps on both sides of a point obey
  h h' = (angle/(turn Q))^2, Q^2 = B^2 + floor^2 (after Huang & Leimkuhler 1997, SIAM J. Sci.
  Comput. 18, 239, with the geometric mean, which keeps steps positive).
- A commutator-free Lie-group method of fourth order (Celledoni, Marthinsen & Owren 2003, Future
  Gener. Comput. Syst. 19, 341) on translations and rotations.
- Boris with several rates: the coarse grids are evaluated every few steps, and in between held or
  continued along the line through their last two values.

Each `follow_...` fills out (n_stop, n, 6) with displacement in pc and direction at the stop times
and returns the evaluations of the field per particle.
"""

import numpy as np

from hpc_cr.fields.interpolation import field_at
from hpc_cr.kernel import njit


def _triple(inner):
    """Boris steps of lengths `inner` as (drifts, rotations)."""
    inner = np.array(inner)
    return np.convolve(inner, [0.5, 0.5]), inner


def _palindrome(half):
    """Coefficients that sum to one, from the first half and, alone, the middle one."""
    return np.array([*half, 1 - 2 * sum(half), *half[::-1]])


_YOSHIDA = 1 / (2 - 2 ** (1 / 3))
_SUZUKI = 1 / (4 - 4 ** (1 / 3))
_DRIFTS = [0.0792036964311957, 0.353172906049774, -0.0420650803577195]
_ROTATIONS = [0.209515106613362, -0.143851773179818]

SPLITTINGS = {
    "Boris": _triple([1.0]),
    "Yoshida": _triple(_palindrome([_YOSHIDA])),
    "Suzuki": _triple(_palindrome([_SUZUKI, _SUZUKI])),
    "Blanes-Moan": (_palindrome(_DRIFTS),
                    np.array([*_ROTATIONS, *[0.5 - sum(_ROTATIONS)] * 2, *_ROTATIONS[::-1]])),
}
"""Name -> (drifts (n + 1,), rotations (n,)) in steps."""


@njit
def turned(ux, uy, uz, bx, by, bz, half_turn, exact=True):
    """Direction turned about B: by 2 half_turn |B|, or by 2 arctan(half_turn |B|) (not exact)."""
    factor = half_turn
    if exact:
        half = abs(half_turn) * np.sqrt(bx * bx + by * by + bz * bz)
        if half > 0.0:
            factor *= np.tan(half) / half
    tx, ty, tz = factor * bx, factor * by, factor * bz
    vx = ux + uy * tz - uz * ty
    vy = uy + uz * tx - ux * tz
    vz = uz + ux * ty - uy * tx
    s = 2.0 / (1.0 + tx * tx + ty * ty + tz * tz)
    return (ux + s * (vy * tz - vz * ty), uy + s * (vz * tx - vx * tz),
            uz + s * (vx * ty - vy * tx))


@njit
def _equal_steps(interval, step):
    """Number and length of equal steps, at most `step`, that fill an interval."""
    count = max(int(np.ceil(interval / step - 1e-9)), 1)
    return count, interval / count


@njit
def follow_splitting(field, turn, origins, directions, stops, step, drifts, rotations, exact, out):
    """Steps of at most `step` pc of a splitting."""
    evaluations = 0
    for p in range(directions.shape[0]):
        (ox, oy, oz), (ux, uy, uz) = origins[p], directions[p]
        x, y, z, time = 0.0, 0.0, 0.0, 0.0
        for stop in range(stops.size):
            count, h = _equal_steps(stops[stop] - time, step)
            for _ in range(count):
                for stage in range(rotations.size):
                    d = drifts[stage] * h
                    x, y, z = x + d * ux, y + d * uy, z + d * uz
                    bx, by, bz = field_at(field, ox + x, oy + y, oz + z)
                    ux, uy, uz = turned(ux, uy, uz, bx, by, bz, 0.5 * rotations[stage] * h * turn,
                                        exact)
                d = drifts[rotations.size] * h
                x, y, z = x + d * ux, y + d * uy, z + d * uz
            evaluations += count * rotations.size
            time = stops[stop]
            out[stop, p, 0], out[stop, p, 1], out[stop, p, 2] = x, y, z
            out[stop, p, 3], out[stop, p, 4], out[stop, p, 5] = ux, uy, uz
    return evaluations / directions.shape[0]


@njit
def adaptive_step(angle, turn, floor, bx, by, bz):
    """Step in pc that turns by `angle` (rad) in sqrt(B^2 + floor^2)."""
    return angle / (abs(turn) * np.sqrt(bx * bx + by * by + bz * bz + floor * floor))


@njit
def adaptive_boris(field, turn, origin, x, u, h, angle, floor, length, most):
    """Reversible Boris steps from x along u (both changed), the first of h pc (0: by the field).

    It ends after `most` steps or, with a shorter last step, after `length` pc, rotated half way:
    from there with the direction and the charge reversed and the returned step the same points
    are passed again.

    Returns
    -------
    h, next_h, count
        Last step and the one that would follow, pc; steps taken.
    """
    bx, by, bz = field_at(field, origin[0] + x[0], origin[1] + x[1], origin[2] + x[2])
    if h == 0.0:
        h = adaptive_step(angle, turn, floor, bx, by, bz)
    time, count, next_h, ux, uy, uz = 0.0, 0, h, u[0], u[1], u[2]
    h = min(h, length)
    ux, uy, uz = turned(ux, uy, uz, bx, by, bz, 0.25 * h * turn)
    while True:
        for i, c in enumerate((ux, uy, uz)):
            x[i] += h * c
        time += h
        count += 1
        bx, by, bz = field_at(field, origin[0] + x[0], origin[1] + x[1], origin[2] + x[2])
        next_h = adaptive_step(angle, turn, floor, bx, by, bz) ** 2 / h
        if count == most or time >= length * (1 - 1e-12):
            u[0], u[1], u[2] = turned(ux, uy, uz, bx, by, bz, 0.25 * h * turn)
            return h, next_h, count
        after = min(next_h, length - time)
        ux, uy, uz = turned(ux, uy, uz, bx, by, bz, 0.25 * (h + after) * turn)
        h = after


@njit
def follow_adaptive(field, turn, origins, directions, stops, angle, floor, out):
    """Boris with steps that turn by `angle` in sqrt(B^2 + floor^2) (uG)."""
    evaluations = 0
    x, u = np.empty(3), np.empty(3)
    for p in range(directions.shape[0]):
        x[:], u[:], time = 0.0, directions[p], 0.0
        for stop in range(stops.size):
            _, _, count = adaptive_boris(field, turn, origins[p], x, u, 0.0, angle, floor,
                                         stops[stop] - time, -1)
            evaluations += count
            time = stops[stop]
            out[stop, p, :3], out[stop, p, 3:] = x, u
    return evaluations / directions.shape[0]


@njit
def follow_lie_group(field, turn, origins, directions, stops, step, out):
    """Steps of at most `step` pc of the commutator-free method, four evaluations each."""
    evaluations = 0
    b, v = np.empty((4, 3)), np.empty((4, 3))
    for p in range(directions.shape[0]):
        origin = origins[p]
        x, u, time = np.zeros(3), directions[p].copy(), 0.0
        for stop in range(stops.size):
            count, h = _equal_steps(stops[stop] - time, step)
            half = 0.5 * h * turn
            for _ in range(count):
                v[0] = u
                _field(field, origin, x, b[0])
                _turn(u, 0.5 * half * b[0], v[1])
                _field(field, origin, x + 0.5 * h * v[0], b[1])
                _turn(u, 0.5 * half * b[1], v[2])
                _field(field, origin, x + 0.5 * h * v[1], b[2])
                _turn(v[1], half * (b[2] - 0.5 * b[0]), v[3])
                _field(field, origin, x + h * v[2], b[3])
                x += h / 6 * (v[0] + 2 * v[1] + 2 * v[2] + v[3])
                _turn(u, half / 12 * (3 * b[0] + 2 * b[1] + 2 * b[2] - b[3]), u)
                _turn(u, half / 12 * (-b[0] + 2 * b[1] + 2 * b[2] + 3 * b[3]), u)
            evaluations += 4 * count
            time = stops[stop]
            out[stop, p, :3], out[stop, p, 3:] = x, u
    return evaluations / directions.shape[0]


@njit
def _field(field, origin, x, b):
    """Fill b with the field at x from the origin."""
    b[0], b[1], b[2] = field_at(field, origin[0] + x[0], origin[1] + x[1], origin[2] + x[2])


@njit
def _turn(u, axis, out):
    """Fill out with u turned about `axis` by twice its length."""
    out[0], out[1], out[2] = turned(u[0], u[1], u[2], axis[0], axis[1], axis[2], 1.0)


@njit
def follow_rates(coarse, fine, turn, origins, directions, stops, step, every, order, out):
    """Boris with `coarse` evaluated every so many steps, held (order 0) or continued (1).

    The field is the sum of `coarse` and `fine`. Returns the evaluations of `fine`.
    """
    evaluations = 0
    now, rate = np.empty(3), np.empty(3)
    for p in range(directions.shape[0]):
        (ox, oy, oz), (ux, uy, uz) = origins[p], directions[p]
        x, y, z, time = 0.0, 0.0, 0.0, 0.0
        for stop in range(stops.size):
            count, h = _equal_steps(stops[stop] - time, step)
            rate[:] = 0.0
            for n in range(count):
                x, y, z = x + 0.5 * h * ux, y + 0.5 * h * uy, z + 0.5 * h * uz
                late = (n % every) / every
                if late == 0.0:
                    cx, cy, cz = field_at(coarse, ox + x, oy + y, oz + z)
                    if n > 0 and order == 1:
                        rate[0], rate[1], rate[2] = cx - now[0], cy - now[1], cz - now[2]
                    now[0], now[1], now[2] = cx, cy, cz
                bx, by, bz = field_at(fine, ox + x, oy + y, oz + z)
                ux, uy, uz = turned(ux, uy, uz, bx + now[0] + late * rate[0],
                                    by + now[1] + late * rate[1], bz + now[2] + late * rate[2],
                                    0.5 * h * turn)
                x, y, z = x + 0.5 * h * ux, y + 0.5 * h * uy, z + 0.5 * h * uz
            evaluations += count
            time = stops[stop]
            out[stop, p, 0], out[stop, p, 1], out[stop, p, 2] = x, y, z
            out[stop, p, 3], out[stop, p, 4], out[stop, p, 5] = ux, uy, uz
    return evaluations / directions.shape[0]
