"""Magnetic field lines, dx/ds = b = B/|B|, followed along a uniform field.

Runge-Kutta of fourth order with steps of equal arc length. In quasi-linear theory the lines of a
weak isotropic turbulence spread across the uniform field as <x_i^2> = 2 D_FL s with
D_FL = (L_c/8) (dB/B0)^2, s the distance along it and L_c the two-sided coherence length (Jokipii &
Parker 1969, ApJ 155, 777, with the transverse correlation of isotropic turbulence).
"""

import numpy as np

from hpc_cr.fields.interpolation import field_at
from hpc_cr.kernel import njit

STEPS_PER_WAVE = 5.0
"""Steps in the shortest wave of the field: a line is then good to a few 1e-3 of that wave, which is
what straight lines between its points leave out."""
LONGEST_WAY = 20.0
"""Arc length over distance at which a line that winds itself up is given up."""
CALL_STEPS = 2e5
"""Steps of a kernel call, about: 0.1 s."""


@njit
def _along(field, x, y, z, sign):
    """Unit vector of the field, times a sign."""
    bx, by, bz = field_at(field, x, y, z)
    factor = sign / np.sqrt(bx * bx + by * by + bz * bz)
    return factor * bx, factor * by, factor * bz


@njit
def _trace(field, start, axis, sign, marks, step, most, out):
    """Fill out (n_mark, 3) with where one line first is `marks` further along sign * axis."""
    x, y, z = start[0], start[1], start[2]
    reached, mark = 0.0, 0
    for _ in range(most):
        ax, ay, az = _along(field, x, y, z, sign)
        h = 0.5 * step
        bx, by, bz = _along(field, x + h * ax, y + h * ay, z + h * az, sign)
        cx, cy, cz = _along(field, x + h * bx, y + h * by, z + h * bz, sign)
        dx, dy, dz = _along(field, x + step * cx, y + step * cy, z + step * cz, sign)
        nx = x + step / 6.0 * (ax + 2.0 * bx + 2.0 * cx + dx)
        ny = y + step / 6.0 * (ay + 2.0 * by + 2.0 * cy + dy)
        nz = z + step / 6.0 * (az + 2.0 * bz + 2.0 * cz + dz)
        now = sign * ((nx - start[0]) * axis[0] + (ny - start[1]) * axis[1]
                      + (nz - start[2]) * axis[2])
        while now >= marks[mark]:
            # straight between two points: a few steps per wave make that exact enough
            part = (marks[mark] - reached) / (now - reached) if now > reached else 1.0
            out[mark, 0] = x + part * (nx - x) - start[0]
            out[mark, 1] = y + part * (ny - y) - start[1]
            out[mark, 2] = z + part * (nz - z) - start[2]
            mark += 1
            if mark == marks.size:
                return
        if not np.isfinite(now):
            return
        reached = now
        x, y, z = nx, ny, nz


@njit
def _trace_all(field, starts, axis, sign, marks, step, most, out):
    for n in range(starts.shape[0]):
        _trace(field, starts[n], axis, sign, marks, step, most, out[n])


def field_lines(arrays, starts, axis, distances, step, sign=1, poll=None):
    """Follow field lines to given distances along an axis.

    Parameters
    ----------
    arrays : FieldArrays
    starts : ndarray (n, 3)
        pc, Galactic Cartesian.
    axis : array (3,)
        Unit vector of the uniform field.
    distances : array (n_mark,)
        pc, increasing, not negative.
    step : float
        Arc length of a step, pc.
    sign : {1, -1}
        Along or against the field.
    poll : callable, optional
        Called every tenth of a second or so.

    Returns
    -------
    ndarray (n, n_mark, 3)
        Displacement from the start where the line first is a distance further along sign * axis,
        pc; NaN where it does not get there within LONGEST_WAY times the distance.
    """
    starts = np.ascontiguousarray(np.atleast_2d(starts), float)
    marks = np.asarray(distances, float)
    out = np.full((len(starts), len(marks), 3), np.nan)
    axis = np.asarray(axis, float)
    most = int(np.ceil(LONGEST_WAY * marks[-1] / step)) + 1
    # lines do not depend on one another: calls as short as the work manager wants them
    together = max(1, int(CALL_STEPS * step / marks[-1]))
    for first in range(0, len(starts), together):
        part = slice(first, first + together)
        _trace_all(arrays, starts[part], axis, float(sign), marks, float(step), most, out[part])
        if poll is not None:
            poll()
    return out


def line_step(shortest, length):
    """Step for lines of a field whose shortest wave is `shortest` (inf without waves), pc."""
    return min(shortest / STEPS_PER_WAVE, length / 10)
